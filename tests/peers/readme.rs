//! What the README shows is pasted into a shell and works. Nothing is changed in it but the address of the portal and the
//! folder of the registry; it is said what a person would type.

use std::fs;

use serde_json::Value;

use crate::house::House;
use crate::on_both;
use crate::programs::Registry;
use crate::shell::{Said, paste};
use crate::support::http::ask;

const README: &str = include_str!("../../README.md");
/// Where the portal is, in it.
const PORTAL: &str = "http://127.0.0.1:8080";

#[test]
fn documentation_never_passes_a_database_password_on_a_command_line() {
    let documents = [README, include_str!("../../CONTRIBUTING.md"), include_str!("../../ARCHITECTURE.md")];
    for line in documents.iter().flat_map(|document| document.lines()) {
        for argument in ["--database-url postgres", "--database-url=postgres", "--postgres postgres"] {
            assert!(!line.contains(argument), "{line}");
        }
        assert!(!line.contains("DATABASE_URL=postgres"), "{line}");
    }
}

on_both![
    a_token_is_used,
    a_script_renews_its_token_and_creates_a_repository,
    a_service_asks_about_a_token_and_whoever_holds_it_ends_it,
    a_registry_is_set_up,
];

/// The blocks of a section that are fenced off as this language.
fn blocks(section: &str, language: &str) -> Vec<&'static str> {
    let (_, rest) = README.split_once(&format!("\n## {section}\n")).expect("the README has this section");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let fenced = section.split("\n```").skip(1).step_by(2);
    fenced
        .filter_map(|block| block.split_once('\n'))
        .filter(|(own, _)| *own == language)
        .map(|(_, code)| code)
        .collect()
}

/// What is to be pasted in a section. One that was added without a test of it fails here.
fn examples<const N: usize>(section: &str) -> [&'static str; N] {
    let mut found = blocks(section, "");
    found.retain(|code| code.contains("TOKENHOUSE_") || code.starts_with("tokenhouse "));
    found.try_into().unwrap_or_else(|found| panic!("it is not {N} examples that are shown: {found:#?}"))
}

/// Asks for a token first, as the section begins.
fn with_token(house: &House, example: &str, token: &str) -> Said {
    let variable = blocks("Use a token", "")[0];
    paste(house, &format!("{variable}\n{}", example.replace(PORTAL, house.address())), &[token])
}

fn members(json: &Value) -> Vec<&String> {
    json.as_object().expect("an object").keys().collect()
}

fn a_token_is_used(house: House) {
    let [_, api, own, python, netrc, _, _] = examples("Use a token");
    let mut ada = house.user("ada", "repository-manager");
    let repository_token = ada.repository("payments");
    let api_token = ada.token("ci", "read");

    let told = with_token(&house, api, &api_token.secret).json();
    assert_eq!((&told[0]["name"], &told[0]["username"]), (&"ci".into(), &"ada".into()), "with Bearer");
    assert_eq!(told[1]["repositories"][0]["name"], "payments", "with Basic");

    let shown: Value = serde_json::from_str(blocks("Use a token", "json")[0]).expect("JSON");
    for (example, id) in [(own, "example-basic"), (python, "example-python"), (netrc, "example-netrc")] {
        let printed = ada.code("payments", id).replace(house.address(), PORTAL);
        assert_eq!(example, printed, "the Configure tab prints the same");
        let told = with_token(&house, example, &repository_token).json();
        assert_eq!((&told[0]["name"], &told[0]["permission"]), (&"payments".into(), &"write".into()), "{id}");
        assert_eq!(members(&told[0]), members(&shown), "{id}");
    }
    for example in [api, own, python, netrc] {
        let said = with_token(&house, example, "thr_0000000000000000000000000000000000000").all();
        assert!(said.contains("401"), "{said}");
    }
}

fn a_script_renews_its_token_and_creates_a_repository(house: House) {
    let [_, _, _, _, _, rotation, creation] = examples("Use a token");
    let (mut mia, _ada) = (house.user("mia", "repository-manager"), house.user("ada", "developer"));
    let writes = [("repositories_permission", "write"), ("account_permission", "write")];
    let old = mia.token_with("ci", &writes).secret;
    let told = with_token(&house, rotation, &old).json();
    let new = told[0]["token"].as_str().expect("a new token");
    for token in [&old, new] {
        assert_eq!(status(&house, "/api/v1/me", token), 200, "both work for an hour");
    }

    let told = with_token(&house, creation, new).json();
    assert_eq!((&told[0]["name"], &told[1]["username"]), (&"website".into(), &"ada".into()), "{told:?}");
    let own = told[0]["token"].as_str().expect("its token");
    assert_eq!(status(&house, "/api/v1/repositories/website", own), 200);
}

fn status(house: &House, path: &str, token: &str) -> u16 {
    ask(house.address(), path, Some(&format!("Bearer {token}"))).expect("the portal answers").status
}

fn a_service_asks_about_a_token_and_whoever_holds_it_ends_it(house: House) {
    let [asking, ending] = examples("OAuth introspection and revocation");
    let wiki = house.user("root", "administrator").service("wiki");
    let token = house.user("ada", "repository-manager").token("ci", "write").secret;
    let asked = || paste(&house, &asking.replace(PORTAL, house.address()), &[&wiki, &token]).json().remove(0);
    let shown: Value = serde_json::from_str(blocks("OAuth introspection and revocation", "json")[0]).expect("JSON");
    let told = asked();
    assert_eq!(members(&told), members(&shown));
    for member in ["active", "scope", "username", "token_type", "aud", "kind"] {
        assert_eq!(told[member], shown[member], "{member}");
    }
    let said = with_token(&house, ending, &token);
    assert_eq!(said.out, "", "{}", said.err);
    assert_eq!(asked(), serde_json::json!({ "active": false }));
    assert_eq!(status(&house, "/api/v1/me", &token), 401);
}

fn a_registry_is_set_up(house: House) {
    let [setting_up, login, rotating] = examples("Container registry");
    let mut ada = house.user("ada", "repository-manager");
    ada.repository("payments");
    let folder = house.folder("registry");
    let run = |example: &str| {
        let said = paste(&house, &example.replace("/etc/docker/registry", &folder.display().to_string()), &[]);
        assert!(said.err.contains("Restart the registry"), "{}", said.all());
    };
    run(setting_up);
    let section = fs::read_to_string(folder.join("config.yml")).expect("the section was written");
    let address = "https://tokens.example.org";
    let as_shown = |text: &str| text.replace(house.address(), address);
    let shown = blocks("Container registry", "yaml")[0];
    let written = as_shown(&section).replace(&folder.display().to_string(), "/etc/docker/registry");
    assert_eq!(written.trim_end(), shown);
    assert_eq!(as_shown(&ada.code("payments", "integration-registry")), shown, "the Configure tab prints the same");
    let registry = Registry::start(&section);
    let answer = ask(&registry.host, "/v2/", None).expect("the registry answers");
    let challenge = answer.header("www-authenticate").expect("it asks for a token");
    assert!(challenge.contains(house.address()), "{challenge}");

    let (login, push) = login.split_once('\n').expect("two lines");
    assert_eq!(login, ada.code("payments", "example-login").replace("--username payments", "--username ada"));
    // It needs Docker itself; registry_token.rs pushes what it names.
    assert_eq!(push, "docker push registry.example.org/payments/api:1.0");

    let before = fs::read_to_string(folder.join("tokenhouse.pem")).expect("the bundle was written");
    run(rotating);
    let after = fs::read_to_string(folder.join("tokenhouse.pem")).expect("the bundle was written");
    assert_ne!(before, after);
}
