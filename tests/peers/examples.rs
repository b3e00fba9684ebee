//! “How to use this token”: what the Configure tab prints is pasted into a shell and works against this very portal.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::house::House;
use crate::on_both;

on_both![what_is_printed_works_as_it_is_pasted];

fn what_is_printed_works_as_it_is_pasted(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let token = ada.repository("payments");
    let variable = ada.code("payments", "example-variable");
    for id in ["example-bearer", "example-basic", "example-python", "example-netrc"] {
        let example = ada.code("payments", id);
        let paste = |typed: &str| {
            // The shell waits for the token, as the first example says.
            let mut shell = Command::new("bash")
                .args(["-c", &format!("{variable}\n{example}")])
                .env("HOME", house.folder("home"))
                .env_remove("TOKENHOUSE_TOKEN")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("bash starts");
            writeln!(shell.stdin.take().expect("it is piped"), "{typed}").expect("the shell reads");
            let output = shell.wait_with_output().expect("the shell ends");
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        };
        let said = paste(&token);
        let start = said.find('{').unwrap_or_else(|| panic!("{id}: {said}"));
        let end = said.rfind('}').unwrap_or_else(|| panic!("{id}: {said}"));
        // Python prints a dictionary, which is nearly JSON.
        let told: Value = serde_json::from_str(&said[start..=end].replace('\'', "\""))
            .unwrap_or_else(|error| panic!("{id}: {error}: {said}"));
        assert_eq!((&told["name"], &told["permission"]), (&"payments".into(), &"write".into()), "{id}: {said}");
        assert!(!said.contains(&token), "{id} shows the token");
        let refused = paste("thr_0000000000000000000000000000000000000");
        assert!(refused.contains("401"), "{id}: {refused}");
    }
}
