//! Clients that rotate their own token at once, each with an `Idempotency-Key`, while the server is killed and while answers
//! are lost: every client ends with a token that works.

use std::io::{self, Write as _};
use std::net::TcpStream;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::house::{House, randomness};
use crate::killed::work_until_killed;
use crate::owner::{Done, Due, code, knock};
use crate::support::http::send;

const ROTATION: &str = "/api/v1/tokens/current/rotation";

/// A client with a token of its own. What it has is what a script keeps on its disk.
struct Client {
    /// Of the server, without the scheme.
    host: String,
    path: &'static str,
    secret: String,
    /// Written before the request, and removed when the new token was written.
    key: Option<String>,
    rng: StdRng,
}

impl Client {
    fn request(&mut self) -> String {
        let key = self.key.get_or_insert_with(|| code(&mut self.rng));
        let body = r#"{"grace":"now"}"#;
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {}\r\nIdempotency-Key: \"{key}\"\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.path,
            self.host,
            self.secret,
            body.len()
        )
    }

    /// Rotates, or goes on with the rotation whose answer did not arrive. An error means that the server went away.
    fn rotate(&mut self) -> io::Result<Done> {
        let request = self.request();
        let answer = loop {
            let answer = send(&self.host, &request)?;
            // The first request may still be running.
            if answer.status != 409 || !answer.body.contains("still running") {
                break answer;
            }
        };
        assert_eq!(answer.status, 201, "{}{}", answer.head, answer.body);
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        self.secret = body["token"].as_str().expect("a token").to_owned();
        self.key = None;
        Ok(Done::Rotated)
    }

    fn assert_works(&self, address: &str) {
        assert_eq!(knock(address, &self.secret), Due::Works);
    }
}

/// Two API tokens and a repository's token.
fn clients(house: &mut House, rng: &mut StdRng) -> Vec<Client> {
    let mut secrets = Vec::new();
    for name in ["one", "two"] {
        let nonce = code(rng);
        let fields = [
            ("nonce", nonce.as_str()),
            ("name", name),
            ("expiry", "90"),
            ("repositories_permission", "read"),
            ("account_permission", "write"),
            ("repository_selection", "all"),
        ];
        let location = house.browser.post("/profile/api-tokens", &fields).expect("it answers").location().to_owned();
        let page = house.browser.get(&location).expect("it answers");
        secrets.push((ROTATION, page.secret().expect("the token is shown").to_owned()));
    }
    let nonce = code(rng);
    let fields = [("nonce", nonce.as_str()), ("name", "alpha")];
    let location = house.browser.post("/repositories", &fields).expect("it answers").location().to_owned();
    let page = house.browser.get(&location).expect("it answers");
    secrets.push(("/api/v1/repositories/alpha/token", page.secret().expect("the token is shown").to_owned()));
    let host = host(house);
    let client =
        |(path, secret)| Client { host: host.clone(), path, secret, key: None, rng: StdRng::from_rng(&mut *rng) };
    secrets.into_iter().map(client).collect()
}

fn host(house: &House) -> String {
    house.address().trim_start_matches("http://").to_owned()
}

fn soak(many: usize, few: usize) -> usize {
    if std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { many } else { few }
}

#[test]
fn client_that_rotates_with_a_key_has_a_working_token_whenever_the_server_is_killed() {
    let mut rng = randomness();
    let mut house = House::set_up();
    let mut clients = clients(&mut house, &mut rng);
    let mut recovered = 0;
    let kills = soak(300, 10);
    for _ in 0..kills {
        work_until_killed(&mut house, &mut clients, Client::rotate, &mut rng);
        house.serve();
        let host = host(&house);
        for client in &mut clients {
            client.host.clone_from(&host);
            if client.key.is_some() {
                // The rotation was made and its answer lost, or it was not made.
                recovered += usize::from(knock(house.address(), &client.secret) == Due::Dead);
                client.rotate().expect("the server answers");
            }
            client.assert_works(house.address());
        }
        house.database().assert_whole();
    }
    println!("{kills} kills, {recovered} lost answers were fetched with a replaced secret");
}

#[test]
fn client_whose_answers_are_lost_fetches_them_with_the_replaced_secret() {
    let mut rng = randomness();
    let mut house = House::set_up();
    let mut clients = clients(&mut house, &mut rng);
    let lost = soak(200, 12);
    for number in 0..lost {
        let index = number % clients.len();
        let client = &mut clients[index];
        let request = client.request();
        let mut stream = TcpStream::connect(&client.host).expect("the server answers");
        stream.write_all(request.as_bytes()).expect("the server reads");
        // Every other time the client is gone at once, else when the rotation is made: then only its answer is lost.
        while number % 2 == 0 && knock(house.address(), &client.secret) == Due::Works {}
        drop(stream);
        client.rotate().expect("the server answers");
        client.assert_works(house.address());
    }
    house.database().assert_whole();
}
