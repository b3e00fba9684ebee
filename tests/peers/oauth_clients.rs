//! OAuth libraries that introspect tokens: oauth4webapi and openid-client for Node.js, authlib for Python.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::house::House;
use crate::on_both;

on_both![introspection_with_oauth_libraries_returns_the_claims];

const LIBRARIES: [&str; 3] = ["authlib", "oauth4webapi", "openid-client"];

/// Runs a script of `tests/peers/clients` with a program of `.test-tools/bin`. Returns the objects that it printed.
#[track_caller]
fn introspect(program: &str, arguments: &[&str], script: &str, environment: &[(&str, &str)]) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = root.join(".test-tools");
    let program = tools.join("bin").join(program);
    let script = File::open(root.join("tests/peers/clients").join(script)).expect("the script is there");
    // A script on standard input resolves its imports in the current folder, where the packages are.
    let mut command = Command::new(&program);
    command.args(arguments).stdin(script).envs(environment.iter().copied()).current_dir(&tools);
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{program:?} ({error}); ./test --install brings it"));
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn introspection_with_oauth_libraries_returns_the_claims(house: House) {
    let mut root = house.user("root", "administrator");
    let service = root.service("build-cache");
    let (active, revoked) = (root.token("active", "write"), root.token("revoked", "write"));
    root.revoke(&revoked);
    for (token, is_active) in [(&active, true), (&revoked, false)] {
        let environment = [("CLIENT_SECRET", service.as_str()), ("TOKEN", &token.secret)];
        let client = [house.address(), "build-cache"];
        let node = [&["--input-type=module", "-"], &client[..]].concat();
        let python = [&["-"], &client[..]].concat();
        let mut answers = introspect("node", &node, "introspect.mjs", &environment);
        answers.extend(introspect("python", &python, "introspect.py", &environment));
        for library in LIBRARIES {
            let own: Vec<_> = answers.iter().filter(|answer| answer["library"] == library).collect();
            assert_eq!(own.len(), 2, "{library} uses two methods: {answers:?}");
            for answer in own {
                assert_eq!(answer["claims"]["active"], is_active, "{answer}");
                let username = answer["claims"].get("username").and_then(Value::as_str);
                assert_eq!(username, is_active.then_some("root"), "{answer}");
            }
        }
    }
}
