//! A data directory on a disk that runs full: a small file system of its own, which only the program sees.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::house::House;
use crate::support::http::{Answer, Browser, ask, send};
use crate::support::server::tokenhouse;

const TOKENS: &str = "/profile/api-tokens";

/// Starts the program where its data directory is a file system of 12 MB.
fn on_a_small_disk(data: &Path) -> Command {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data).expect("the folder can be made");
    let mut command = Command::new("unshare");
    // Without root a user namespace gives the right to mount.
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    let script = r#"mount -t tmpfs -o size=12m,mode=700 none "$0" && exec "$@""#;
    command.args(["--mount", "sh", "-c", script]).arg(data);
    let program = tokenhouse();
    command.arg(program.get_program());
    for (name, _) in program.get_envs() {
        command.env_remove(name);
    }
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout == b"0\n"
}

/// The data directory as the program sees it.
fn seen_by_the_program(house: &House) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", house.server().id()));
    root.join(house.data().strip_prefix("/").expect("the path is absolute"))
}

/// Writes to a file until there is no room.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("the disk can be reached");
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

fn create(house: &mut House, number: u32) -> Answer {
    let (name, nonce) = (format!("token {number}"), format!("{number:022}"));
    house.browser.post(TOKENS, &[("name", name.as_str()), ("expiry", "90"), ("nonce", &nonce)]).expect("it answers")
}

fn get(house: &House, path: &str) -> (u16, String) {
    let answer = ask(house.address(), path, None).expect("it answers");
    (answer.status, answer.body)
}

#[test]
fn full_disk_refuses_new_tokens_and_revokes_old_ones() {
    let mut house = House::set_up_with(on_a_small_disk);
    let page = create(&mut house, 1).location().to_owned();
    let shown = house.browser.get(&page).expect("it answers");
    let authorization = format!("Bearer {}", shown.secret().expect("the token is shown"));
    let status = |house: &House| ask(house.address(), "/api/v1/me", Some(&authorization)).expect("it answers").status;
    let repository = [("nonce", "9999999999999999999999"), ("name", "payments")];
    house.browser.post("/repositories", &repository).expect("it answers").location();
    let data = seen_by_the_program(&house);
    assert_eq!(fs::metadata(data.join("reserve")).expect("room is reserved").len(), 1 << 20);

    fill(&data.join("filler"));
    house.server().line_with("the disk of");
    assert!(!data.join("reserve").exists(), "the reserve was given up");
    assert_eq!(status(&house), 200);
    let refused = create(&mut house, 2);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("60")));
    assert!(refused.body.contains("The disk of this portal is full"), "{}", refused.body);
    let reported = (200, "ready, but the disk is full: nothing new can be stored\n".to_owned());
    assert_eq!(get(&house, "/readyz"), reported);
    let revoked = house.browser.post(&format!("{page}/revocation"), &[]).expect("it answers");
    assert_eq!(revoked.status, 303, "{}", revoked.body);
    assert_eq!(status(&house), 401);
    let deleted = house.browser.post("/repositories/payments/deletion", &[("name", "payments")]).expect("it answers");
    assert_eq!(deleted.location(), "/repositories", "{}", deleted.body);

    fs::remove_file(data.join("filler")).expect("it can be deleted");
    house.server().line_with("there is room on the disk again");
    assert_eq!(get(&house, "/readyz"), (200, "ready\n".to_owned()));
    assert_eq!(create(&mut house, 3).status, 303);
    assert_eq!(fs::metadata(data.join("reserve")).expect("room is reserved again").len(), 1 << 20);
}

#[test]
fn full_disk_leaves_room_to_revoke_and_disable_many_tokens_among_wrong_passwords() {
    let tokens = if std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 100 } else { 50 };
    let mut house = House::set_up_with(|data| {
        let mut command = on_a_small_disk(data);
        command.env("TOKENHOUSE_TRUSTED_PROXIES", "127.0.0.1");
        command
    });
    let policies = [
        ("max_lifetime_days", "365"),
        ("no_expiry_allowed", "no"),
        ("max_api_tokens", "100"),
        ("graces", "now"),
        ("repository_tokens", "again"),
    ];
    let saved = house.browser.post("/admin/policies", &policies).expect("it answers");
    assert_eq!(saved.status, 303, "{}", saved.body);
    let pages: Vec<String> = (0..tokens).map(|number| create(&mut house, number).location().to_owned()).collect();
    let secrets: Vec<String> = pages.iter().map(|page| secret(&mut house, page)).collect();
    fill(&seen_by_the_program(&house).join("filler"));
    house.server().line_with("the disk of");
    let stranger = Browser::new(house.address());
    for (number, page) in pages.iter().enumerate() {
        for (attempt, action) in ["disablement", "revocation"].into_iter().enumerate() {
            sign_in_with_wrong_password(&stranger, house.address(), 2 * number + attempt);
            let answer = house.browser.post(&format!("{page}/{action}"), &[]).expect("it answers");
            assert_eq!(answer.status, 303, "{number}: {action}: {}", answer.body);
        }
    }
    house.kill();
    house.serve();
    for secret in secrets {
        let authorization = format!("Bearer {secret}");
        assert_eq!(ask(house.address(), "/api/v1/me", Some(&authorization)).expect("it answers").status, 401);
    }
}

fn secret(house: &mut House, page: &str) -> String {
    let shown = house.browser.get(page).expect("it answers");
    shown.secret().expect("the token is shown").to_owned()
}

/// As one of many clients behind a proxy, each with an address of its own.
fn sign_in_with_wrong_password(browser: &Browser, address: &str, client: usize) {
    let name = format!("stranger{client}");
    let (head, body) = browser.form("/login", &[("username", &name), ("password", "wrong, as always")]);
    let request = format!("{head}X-Forwarded-For: 127.0.1.{client}\r\nX-Forwarded-Proto: http\r\n\r\n{body}");
    let answer = send(address.trim_start_matches("http://"), &request).expect("it answers");
    assert_eq!(answer.status, 401, "{}", answer.body);
}
