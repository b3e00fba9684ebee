//! Docker's registry as `tokenhouse oci registry-config` tells to configure it: it judges tokens that the portal signs, and
//! never asks the portal. Driven by skopeo; podman signs in, too.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::house::{House, basic};
use crate::image;
use crate::on_both;
use crate::programs::{Registry, skopeo_does, skopeo_fails};
use crate::shell::paste;
use crate::support::http::{Answer, ask};

on_both![
    images_are_pushed_and_pulled_as_the_token_allows,
    a_login_as_the_page_shows_it_is_enough,
    a_repository_token_opens_its_repository_and_what_lies_below,
    a_token_that_ended_or_is_of_another_repository_opens_nothing,
    layers_are_mounted_from_one_repository_into_another,
    an_administrator_reads_the_catalog_and_a_writer_deletes,
    after_a_rotation_nothing_breaks,
    unknown_repository_is_denied_to_skopeo_and_podman,
];

fn bundle(house: &House) -> String {
    house.folder("bundle").join("tokenhouse.pem").display().to_string()
}

/// What the command prints, once it has written the bundle.
pub fn printed(house: &House) -> String {
    // On PostgreSQL the command asks no server, and must be told the address.
    let arguments = ["oci", "registry-config", "--bundle", &bundle(house), "--public-url", house.address()];
    house.run(&arguments, "")
}

/// A registry, configured by exactly what was printed.
pub fn registry(house: &House) -> Registry {
    Registry::start(&printed(house))
}

pub fn image(house: &House) -> String {
    image::make(&house.folder("image"), "hello\n")
}

pub fn push(image: &str, who: &str, to: &str) -> [String; 6] {
    ["copy", "--dest-tls-verify=false", "--dest-creds", who, image, to].map(str::to_owned)
}

fn pull(house: &House, who: &str, from: &str) -> [String; 6] {
    let folder = format!("dir:{}", house.folder("pulled").display());
    ["copy", "--src-tls-verify=false", "--src-creds", who, from, &folder].map(str::to_owned)
}

/// What the portal gives for a scope.
pub fn signed(house: &House, who: &str, scope: &str) -> String {
    let (username, secret) = who.split_once(':').expect("a username and a token");
    let path = format!("/oci/token?service=registry&scope={scope}");
    let answer = ask(house.address(), &path, Some(&basic(username, secret))).expect("the portal answers");
    assert_eq!(answer.status, 200, "{answer:?}");
    let json: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(json["expires_in"], 300, "5 minutes, where nobody says otherwise");
    json["token"].as_str().expect("a token").to_owned()
}

fn key_id(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("three parts")).expect("Base64");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a key id").to_owned()
}

/// Asks the registry itself.
fn show(registry: &Registry, path: &str, token: &str) -> Answer {
    ask(&registry.host, path, Some(&format!("Bearer {token}"))).expect("the registry answers")
}

fn images_are_pushed_and_pulled_as_the_token_allows(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    ada.repository("payments");
    let (reads, writes) = (ada.token("reads", "read"), ada.token("writes", "write"));
    let (reads, writes) = (format!("ada:{}", reads.secret), format!("ada:{}", writes.secret));
    let (registry, image) = (registry(&house), image(&house));
    let address = format!("docker://{}/payments/api:1.0", registry.host);

    let said = skopeo_fails(&push(&image, &reads, &address));
    assert!(said.contains("requested access to the resource is denied"), "{said}");
    skopeo_does(&push(&image, &writes, &address));
    for who in [&reads, &writes] {
        skopeo_does(&pull(&house, who, &address));
        let tags = skopeo_does(&["list-tags", "--tls-verify=false", "--creds", who, address.trim_end_matches(":1.0")]);
        assert!(tags.contains("\"1.0\""), "{tags}");
    }
    let unknown = format!("docker://{}/nowhere:1.0", registry.host);
    assert!(skopeo_fails(&push(&image, &writes, &unknown)).contains("denied"), "one that is not there opens to nobody");

    let shown = ada.code("payments", "integration-registry");
    let shown = shown.replace("/etc/docker/registry", &house.folder("bundle").display().to_string());
    assert_eq!(shown, printed(&house).trim_end(), "the page shows what the command prints");
}

fn a_login_as_the_page_shows_it_is_enough(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let token = ada.repository("payments");
    let (registry, image) = (registry(&house), image(&house));
    let (variable, login) = (ada.code("payments", "example-variable"), ada.code("payments", "example-login"));
    let home = house.folder("home").display().to_string();
    // Podman prepares to run containers, whatever it is asked: in a folder of this test, not in that of the machine.
    let podman = format!("podman --root {home}/root --runroot {home}/run --tmpdir {home}/tmp --storage-driver vfs");
    for (name, client) in [("skopeo", "skopeo"), ("podman", &podman)] {
        let file = house.folder("logins").join(name).display().to_string();
        let login = login.replace("docker login", &format!("{client} login --tls-verify=false --authfile {file}"));
        let login = login.replace("registry.example.org", &registry.host);
        let run =
            |token: &str| paste(&house, &format!("export XDG_RUNTIME_DIR={home}\n{variable}\n{login}"), &[token]).all();
        let said = run("wrong");
        assert!(said.contains("invalid username/password"), "{said}");
        let said = run(&token);
        assert!(said.contains("Login Succeeded"), "{said}");
        let address = format!("docker://{}/payments/api:1.0", registry.host);
        skopeo_does(&["copy", "--dest-tls-verify=false", "--authfile", &file, &image, &address]);
    }
}

fn a_repository_token_opens_its_repository_and_what_lies_below(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let own = format!("payments:{}", ada.repository("payments"));
    let other = format!("payments-x:{}", ada.repository("payments-x"));
    let (registry, image) = (registry(&house), image(&house));
    for name in ["payments:1", "payments/api:1", "payments/api/v2:1"] {
        let address = format!("docker://{}/{name}", registry.host);
        skopeo_does(&push(&image, &own, &address));
        skopeo_does(&pull(&house, &own, &address));
        assert!(skopeo_fails(&pull(&house, &other, &address)).contains("denied"), "{name}");
    }
    let beside = format!("docker://{}/payments-x:1", registry.host);
    assert!(skopeo_fails(&push(&image, &own, &beside)).contains("denied"));
    skopeo_does(&push(&image, &other, &beside));
    assert!(skopeo_fails(&pull(&house, &own, &beside)).contains("denied"));
}

fn a_token_that_ended_or_is_of_another_repository_opens_nothing(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let old = format!("payments:{}", ada.repository("payments"));
    let other = format!("reports:{}", ada.repository("reports"));
    let tokens = ["expired", "disabled", "revoked", "rotated"].map(|name| ada.token(name, "write"));
    let ended = tokens.each_ref().map(|token| format!("ada:{}", token.secret));
    let (registry, image) = (registry(&house), image(&house));
    let address = format!("docker://{}/payments/api:1.0", registry.host);
    for who in ended.iter().chain([&old]) {
        skopeo_does(&push(&image, who, &address));
    }
    let [expired, disabled, revoked, rotated] = &tokens;
    house.expire(expired);
    ada.disable(disabled);
    ada.revoke(revoked);
    let after = format!("ada:{}", ada.rotate(rotated));
    let new = format!("payments:{}", ada.generate_new("payments"));
    for who in ended.iter().chain([&old]) {
        for said in [skopeo_fails(&push(&image, who, &address)), skopeo_fails(&pull(&house, who, &address))] {
            assert!(said.contains("The username or the token is missing or not accepted"), "{said}");
        }
    }
    for said in [skopeo_fails(&push(&image, &other, &address)), skopeo_fails(&pull(&house, &other, &address))] {
        assert!(said.contains("denied"), "another repository's is good, but not here: {said}");
    }
    let anonymous = format!("dir:{}", house.folder("anonymous").display());
    skopeo_fails(&["copy", "--src-tls-verify=false", &address, &anonymous]);
    for who in [&after, &new] {
        skopeo_does(&pull(&house, who, &address));
    }
}

fn layers_are_mounted_from_one_repository_into_another(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    for name in ["payments", "reports"] {
        ada.repository(name);
    }
    let writes = format!("ada:{}", ada.token("writes", "write").secret);
    let (registry, image) = (registry(&house), image(&house));
    let (from, to) =
        (format!("docker://{}/payments/api:1", registry.host), format!("docker://{}/reports:1", registry.host));
    skopeo_does(&push(&image, &writes, &from));
    let both = ["--src-tls-verify=false", "--dest-tls-verify=false", "--src-creds", &writes, "--dest-creds", &writes];
    skopeo_does(&[&["copy"], &both[..], &[&from, &to]].concat());
    let log = registry.log();
    let mount = "\"POST /v2/reports/blobs/uploads/?from=payments%2Fapi&mount=";
    assert!(log.lines().any(|line| line.contains(mount) && line.contains("HTTP/1.1\" 201 ")), "{log}");
    skopeo_does(&pull(&house, &writes, &to));
}

fn an_administrator_reads_the_catalog_and_a_writer_deletes(house: House) {
    let mut root = house.user("root", "administrator");
    root.repository("payments");
    let administration = ("administration_permission", "read");
    let administers = root.token_with("catalog", &[administration]);
    let (reads, writes) = (root.token("reads", "read"), root.token("writes", "write"));
    let [administers, reads, writes] = [administers, reads, writes].map(|token| format!("root:{}", token.secret));
    let (registry, image) = (registry(&house), image(&house));
    let address = format!("docker://{}/payments/api:1.0", registry.host);
    skopeo_does(&push(&image, &writes, &address));

    let catalog = |who: &str| show(&registry, "/v2/_catalog", &signed(&house, who, "registry:catalog:*"));
    let answer = catalog(&administers);
    assert_eq!((answer.status, answer.body.trim()), (200, r#"{"repositories":["payments/api"]}"#));
    for who in [&reads, &writes] {
        assert_eq!(catalog(who).status, 401);
    }

    let delete = |who: &str| ["delete", "--tls-verify=false", "--creds", who, &address].map(str::to_owned);
    let said = skopeo_fails(&delete(&reads));
    assert!(said.contains("UNAUTHORIZED") && said.contains("delete"), "{said}");
    skopeo_does(&pull(&house, &reads, &address));
    skopeo_does(&delete(&writes));
    skopeo_fails(&pull(&house, &reads, &address));
}

fn after_a_rotation_nothing_breaks(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let own = format!("payments:{}", ada.repository("payments"));
    let image = image(&house);
    let started_before = registry(&house);
    let address = format!("docker://{}/payments/api:1.0", started_before.host);
    let (tags, scope) = ("/v2/payments/api/tags/list", "repository:payments/api:pull");
    skopeo_does(&push(&image, &own, &address));
    let old = signed(&house, &own, scope);

    // This registry was started with the bundle of before.
    house.run(&["key", "rotate"], "");
    let new = signed_with_another_key(&house, &own, scope, &key_id(&old));
    for token in [&old, &new] {
        assert_eq!(show(&started_before, tags, token).status, 200);
    }
    skopeo_does(&push(&image, &own, &address));
    skopeo_does(&pull(&house, &own, &address));

    // What the command told to do before the next rotation; then the next rotation.
    let started_after = registry(&house);
    house.run(&["key", "rotate"], "");
    let newest = signed_with_another_key(&house, &own, scope, &key_id(&new));
    skopeo_does(&push(&image, &own, &format!("docker://{}/payments/api:1.0", started_after.host)));
    for token in [&old, &new, &newest] {
        assert_eq!(show(&started_after, tags, token).status, 200);
    }
    let answer = show(&started_before, tags, &newest);
    assert_eq!(answer.status, 401, "a registry that was not restarted does not know that key");
}

fn unknown_repository_is_denied_to_skopeo_and_podman(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    ada.repository("payments");
    let writes = format!("ada:{}", ada.token("writes", "write").secret);
    let (registry, image) = (registry(&house), image(&house));
    let home = house.folder("home").display().to_string();
    let podman = |arguments: &[&str]| {
        let store = ["--root", "root", "--runroot", "run", "--tmpdir", "tmp", "--storage-driver", "vfs"];
        let mut command = Command::new("podman");
        command.args(store).args(["--events-backend", "none", "--cgroup-manager", "cgroupfs"]).args(arguments);
        let command = command.current_dir(&home).env("HOME", &home).env("XDG_RUNTIME_DIR", &home);
        let output = command.env_remove("REGISTRY_AUTH_FILE").output().expect("podman runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let known = format!("{}/payments:1", registry.host);
    skopeo_does(&push(&image, &writes, &format!("docker://{known}")));
    let (succeeded, said) = podman(&["pull", "--tls-verify=false", "--creds", &writes, &known]);
    assert!(succeeded, "{said}");
    for name in ["nowhere", "nowhere/api"] {
        let host_and_name = format!("{}/{name}:1", registry.host);
        let address = format!("docker://{host_and_name}");
        let inspect = ["inspect", "--tls-verify=false", "--creds", &writes, &address].map(str::to_owned);
        for said in [
            skopeo_fails(&push(&image, &writes, &address)),
            skopeo_fails(&pull(&house, &writes, &address)),
            skopeo_fails(&inspect),
        ] {
            assert!(said.contains("denied"), "{said}");
        }
        let (succeeded, said) = podman(&["pull", "--tls-verify=false", "--creds", &writes, &host_and_name]);
        assert!(!succeeded && said.contains("denied"), "{said}");
        let (succeeded, said) = podman(&["push", "--tls-verify=false", "--creds", &writes, &known, &address]);
        assert!(!succeeded && said.contains("denied"), "{said}");
    }
}

/// Asks until the server has taken up the key that follows this one.
fn signed_with_another_key(house: &House, who: &str, scope: &str, than: &str) -> String {
    loop {
        let token = signed(house, who, scope);
        if key_id(&token) != than {
            return token;
        }
    }
}
