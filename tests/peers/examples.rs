//! “How to use this token”: what the Configure tab prints is pasted into a shell and works against this very portal.

use crate::house::House;
use crate::on_both;
use crate::shell::paste;

on_both![what_is_printed_works_as_it_is_pasted];

fn what_is_printed_works_as_it_is_pasted(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let token = ada.repository("payments");
    let variable = ada.code("payments", "example-variable");
    for id in ["example-bearer", "example-basic", "example-python", "example-netrc"] {
        let example = ada.code("payments", id);
        // The shell waits for the token, as the first example says.
        let paste = |typed: &str| paste(&house, &format!("{variable}\n{example}"), &[typed]);
        let said = paste(&token);
        let told = &said.json()[0];
        assert_eq!((&told["name"], &told["permission"]), (&"payments".into(), &"write".into()), "{id}: {told}");
        assert!(!said.all().contains(&token), "{id} shows the token");
        let refused = paste("thr_0000000000000000000000000000000000000").all();
        assert!(refused.contains("401"), "{id}: {refused}");
    }
}
