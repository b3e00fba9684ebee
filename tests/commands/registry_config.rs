//! `tokenhouse oci registry-config`: what it prints, and the certificates that it writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::house::{House, mode, run};
use crate::support::database::Schema;
use crate::support::process::Process;

const CONFIG: [&str; 2] = ["oci", "registry-config"];

fn with_bundle(path: &Path) -> Vec<&str> {
    [&CONFIG[..], &["--bundle", path.to_str().expect("the path is text")]].concat()
}

fn section(address: &str, service: &str, bundle: &str) -> String {
    format!(
        "auth:\n  token:\n    realm: \"{address}/oci/token\"\n    service: \"{service}\"\n    issuer: \"{address}\"\n    rootcertbundle: \"{bundle}\"\n    jwks: \"{}\"\n",
        jwks_beside(Path::new(bundle)).display()
    )
}

/// The file with the JWK Set beside a bundle.
fn jwks_beside(bundle: &Path) -> PathBuf {
    bundle.with_extension("jwks.json")
}

/// How many keys the JWK Set has.
fn keys(bundle: &Path) -> usize {
    let text = fs::read_to_string(jwks_beside(bundle)).expect("the JWK Set is there");
    let jwks: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let keys = jwks["keys"].as_array().expect("a list");
    assert!(keys.iter().all(|key| key["kid"].is_string() && key["kty"] == "EC"), "{text}");
    keys.len()
}

/// How many certificates the file holds; each is one that OpenSSL reads.
fn certificates(path: &Path) -> usize {
    let text = fs::read_to_string(path).expect("the bundle is there");
    let all: Vec<_> = text.split_inclusive("-----END CERTIFICATE-----").filter(|one| one.contains("BEGIN")).collect();
    for one in &all {
        let said = run(Command::new("openssl").args(["x509", "-noout", "-subject", "-pubkey"]), one);
        assert!(said.succeeds().contains("CN = Tokenhouse registry tokens"), "{}", said.out);
        assert!(said.out.contains("BEGIN PUBLIC KEY"));
    }
    all.len()
}

#[test]
fn before_the_first_start_there_is_nothing_to_print() {
    let house = House::new();
    let bundle = house.data().with_extension("pem");
    let address = ["--public-url", "https://tokens.example.org"];
    house.run(&CONFIG, "").fails(1, &["the public address is not known", "TOKENHOUSE_PUBLIC_URL"]);
    let said = house.run(&[&with_bundle(&bundle)[..], &address].concat(), "");
    said.fails(1, &["there are no signing keys yet", "start it once"]);
    assert!(!bundle.exists() && !jwks_beside(&bundle).exists());
}

#[test]
fn a_running_server_tells_its_own_address_and_service() {
    let mut house = House::new();
    house.serve();
    let address = house.server().line("Tokenhouse is listening on ");
    let bundle = house.data().with_extension("pem");
    // Those of the shell do not count.
    let arguments =
        [&with_bundle(&bundle)[..], &["--public-url", "https://other.example.org", "--oci-service", "other"]];
    let said = house.run(&arguments.concat(), "");
    assert_eq!(said.succeeds(), section(&address, "registry", &bundle.display().to_string()));
    assert!(said.err.contains("2 keys") && said.err.contains("Restart the registry"), "{}", said.err);
    assert_eq!((certificates(&bundle), mode(&bundle) & 0o444), (2, 0o444));
    assert_eq!((keys(&bundle), mode(&jwks_beside(&bundle)) & 0o444), (2, 0o444));
    house.run(&["key", "rotate"], "").succeeds();
    house.run(&with_bundle(&bundle), "").succeeds();
    assert_eq!((certificates(&bundle), keys(&bundle)), (3, 3), "the former one is still there");
}

#[test]
fn without_a_server_it_prints_what_is_configured() {
    let mut house = House::new();
    house.serve();
    house.kill_server();
    let before = house.events();
    let listen = [&CONFIG[..], &["--listen", "127.0.0.1:8080"]].concat();
    let said = house.run(&listen, "");
    let elsewhere = "/etc/docker/registry/tokenhouse.pem";
    assert_eq!(said.succeeds(), section("http://127.0.0.1:8080", "registry", elsewhere));
    assert!(said.err.contains("No files were written") && said.err.contains(elsewhere), "{}", said.err);
    let configured = [&CONFIG[..], &["--public-url", "https://tokens.example.org", "--oci-service", "hub.example.org"]];
    let said = house.run(&configured.concat(), "");
    assert_eq!(said.succeeds(), section("https://tokens.example.org", "hub.example.org", elsewhere));
    assert_eq!(house.events(), before);
}

#[test]
fn a_bundle_is_replaced_as_a_whole_or_not_at_all() {
    let mut house = House::new();
    house.serve();
    let folder = house.data().with_extension("bundles");
    fs::create_dir(&folder).unwrap();
    let bundle = folder.join("tokenhouse.pem");
    fs::write(&bundle, "old").unwrap();
    house.run(&with_bundle(&bundle), "").succeeds();
    assert_eq!(certificates(&bundle), 2);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "no draft stays behind");
    let nowhere = folder.join("missing/tokenhouse.pem");
    house.run(&with_bundle(&nowhere), "").fails(1, &["cannot write", "missing", "Choose a file"]);
    let said = house.run(&with_bundle(Path::new("/dev/null")), "");
    assert!(!said.succeeds().contains("jwks:"), "there is no place beside a device: {}", said.out);
}

#[test]
fn on_postgresql_the_public_address_must_be_told() {
    let schema = Schema::create();
    let house = House::new();
    let command = |arguments: &[&str]| {
        let mut command = house.command(arguments);
        command.env("TOKENHOUSE_DATABASE_URL", schema.url());
        command
    };
    let address = Process::start(&mut command(&["serve"])).line("Tokenhouse is listening on ");
    let missing = run(&mut command(&[&CONFIG[..], &["--listen", "127.0.0.1:8080"]].concat()), "");
    missing.fails(1, &["TOKENHOUSE_PUBLIC_URL", "as the servers have it"]);
    let bundle = house.data().with_extension("pem");
    let told = run(&mut command(&[&with_bundle(&bundle)[..], &["--public-url", &address]].concat()), "");
    assert_eq!(told.succeeds(), section(&address, "registry", &bundle.display().to_string()));
    assert_eq!(certificates(&bundle), 2);
    run(&mut command(&["key", "rotate"]), "").succeeds();
}
