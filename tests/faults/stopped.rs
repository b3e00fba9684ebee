//! SIGTERM in the midst of requests.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Condvar, Mutex};
use std::thread;

use crate::house::{House, PASSWORD, USERNAME};
use crate::support::http::{Answer, Browser, ask};

const TOKENS: &str = "/profile/api-tokens";
/// Threads that ask a door again and again.
const ASKING: usize = 6;

#[test]
fn a_stop_answers_what_was_accepted_and_writes_down_what_was_counted() {
    let mut house = House::set_up();
    let secret = create(&mut house.browser, "first");
    let address = house.address().to_owned();
    let mut server = house.take_server();
    let answered = Answered::default();

    let waiting = thread::scope(|scope| {
        for _ in 0..ASKING {
            scope.spawn(|| answered.ask_until_the_end(&address, &secret));
        }
        let mut waiting: Vec<Waiting> = ["second", "third", "fourth"]
            .iter()
            .map(|name| Waiting::begin(&house.browser, TOKENS, &form(name)))
            .collect();
        let sign_in = [("username", USERNAME), ("password", PASSWORD), ("next", "/")];
        waiting.push(Waiting::begin(&Browser::new(&address), "/login", &sign_in));
        answered.wait_for(50);
        server.signal("TERM");
        server.line_with("stopping");
        waiting.into_iter().map(Waiting::finish).collect::<Vec<_>>()
    });

    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(!house.data().join("control.sock").exists());
    let log = fs::metadata(house.data().join("tokenhouse.db-wal")).map_or(0, |file| file.len());
    assert_eq!(log, 0, "the file alone is whole");

    let mut database = house.database();
    database.assert_whole();
    let uses = database.number("SELECT sum(reads + writes) AS number FROM token_clients");
    assert_eq!(uses, answered.count(), "each check that was counted was answered, and the other way round");
    assert_eq!(database.number("SELECT count(DISTINCT api_token_id) AS number FROM token_usage"), 1);
    assert_eq!(database.number("SELECT count(*) AS number FROM sessions"), 2, "the sign-in was let through to its end");

    house.serve();
    for answer in &waiting[..3] {
        let page = house.browser.get(answer.location()).expect("it answers");
        let secret = page.secret().expect("the token waits to be shown");
        assert_eq!(me(house.address(), secret), 200);
    }
}

/// A form of which the server has the head, and waits for the body.
struct Waiting {
    stream: TcpStream,
    body: String,
}

impl Waiting {
    fn begin(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Self {
        const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        let (head, body) = browser.form(path, fields);
        let mut stream = browser.connect().expect("the server listens");
        stream.write_all(format!("{head}Expect: 100-continue\r\n\r\n").as_bytes()).expect("the server reads");
        let mut answer = [0; GO_ON.len()];
        stream.read_exact(&mut answer).expect("the server answers");
        assert_eq!(answer, GO_ON);
        Self { stream, body }
    }

    fn finish(mut self) -> Answer {
        self.stream.write_all(self.body.as_bytes()).expect("the server still reads");
        let answer = Answer::read(self.stream).expect("the server answers in full");
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer
    }
}

fn form(name: &str) -> [(&str, &str); 3] {
    let nonce = match name {
        "first" => "1111111111111111111111",
        "second" => "2222222222222222222222",
        "third" => "3333333333333333333333",
        _ => "4444444444444444444444",
    };
    [("name", name), ("expiry", "90"), ("nonce", nonce)]
}

pub fn create(browser: &mut Browser, name: &str) -> String {
    let answer = browser.post(TOKENS, &form(name)).expect("it answers");
    let page = browser.get(answer.location()).expect("it answers");
    page.secret().expect("the token is shown").to_owned()
}

pub fn me(address: &str, secret: &str) -> u16 {
    ask(address, "/api/v1/me", Some(&format!("Bearer {secret}"))).expect("it answers").status
}

/// How many checks were answered in full.
#[derive(Default)]
struct Answered {
    count: Mutex<i64>,
    changed: Condvar,
}

impl Answered {
    fn ask_until_the_end(&self, address: &str, secret: &str) {
        let authorization = format!("Bearer {secret}");
        while let Ok(answer) = ask(address, "/api/v1/me", Some(&authorization)) {
            assert_eq!(answer.status, 200, "{}", answer.body);
            *self.count.lock().expect("nobody panics") += 1;
            self.changed.notify_all();
        }
    }

    fn wait_for(&self, count: i64) {
        let guard = self.count.lock().expect("nobody panics");
        drop(self.changed.wait_while(guard, |now| *now < count).expect("nobody panics"));
    }

    fn count(&self) -> i64 {
        *self.count.lock().expect("nobody panics")
    }
}
