//! What the owner of tokens knows: which secrets were shown, and what the portal told would become of each.

use std::io;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::support::http::{Browser, ask};

const TOKENS: &str = "/profile/api-tokens";

/// What must become of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Works,
    Dead,
    /// Asked for, and not answered: either is right.
    Unanswered,
}

/// A token, as far as its owner was told.
#[derive(Debug)]
pub struct Token {
    id: String,
    /// Those that were shown, oldest first.
    secrets: Vec<(String, Due)>,
    /// What was asked for and not answered, if anything.
    asked: Option<Done>,
    /// Whether a look was not answered: the only one may have been used up by it.
    looked: bool,
}

impl Token {
    fn new(id: &str) -> Self {
        Self { id: id.to_owned(), secrets: Vec::new(), asked: None, looked: false }
    }

    fn address(&self) -> String {
        format!("{TOKENS}/{}", self.id)
    }

    fn turn(&mut self, due: Due) {
        for (_, own) in self.secrets.iter_mut().filter(|(_, own)| *own != Due::Dead) {
            *own = due;
        }
    }

    fn try_at(&mut self, address: &str) {
        for (secret, due) in &mut self.secrets {
            let (id, found) = (&self.id, knock(address, secret));
            assert!(*due == Due::Unanswered || *due == found, "token {id}: {due:?} was told, it is {found:?}");
            *due = found;
        }
    }
}

/// What was done, so that it can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Done {
    Created,
    Rotated,
    Revoked,
    /// There was no room for another token.
    Refused,
}

/// An owner at work. Each works on tokens of its own, all of them on the same account.
pub struct Owner {
    browser: Browser,
    rng: StdRng,
    tokens: Vec<Token>,
    /// Since the server was last started.
    revoked: Vec<Token>,
    /// Before.
    long_revoked: Vec<Token>,
}

impl Owner {
    pub fn new(browser: Browser, rng: StdRng) -> Self {
        Self { browser, rng, tokens: Vec::new(), revoked: Vec::new(), long_revoked: Vec::new() }
    }

    /// Does one thing with a token. An error means that the server went away, before or after it was done.
    pub fn act(&mut self) -> io::Result<Done> {
        let choice = self.rng.random_range(0..100);
        match self.tokens.len() {
            0 => self.create(),
            1 if choice < 40 => self.create(),
            count if choice < 70 => {
                let index = self.rng.random_range(0..count);
                self.rotate(index)
            }
            count => {
                let index = self.rng.random_range(0..count);
                self.revoke(index)
            }
        }
    }

    fn create(&mut self) -> io::Result<Done> {
        let nonce = code(&mut self.rng);
        let fields = [
            ("name", nonce.as_str()),
            ("expiry", "90"),
            ("repositories_permission", "read"),
            ("repository_selection", "all"),
            ("nonce", &nonce),
        ];
        let answer = self.browser.post(TOKENS, &fields)?;
        if answer.status == 422 && answer.body.contains("You have 5 of 5 tokens") {
            return Ok(Done::Refused);
        }
        let id = answer.location().rsplit('/').next().expect("an address has parts");
        self.tokens.push(Token::new(id));
        self.see(self.tokens.len() - 1)?;
        Ok(Done::Created)
    }

    fn rotate(&mut self, index: usize) -> io::Result<Done> {
        let (nonce, at_once) = (code(&mut self.rng), self.rng.random());
        let address = format!("{}/rotation", self.tokens[index].address());
        let form = self.browser.get(&address)?;
        let replaces = form.value_of("name=\"replaces\"").expect("the form says what it replaces").to_owned();
        let grace = if at_once { "now" } else { "1h" };
        let fields = [("nonce", nonce.as_str()), ("replaces", &replaces), ("grace", grace)];
        let token = &mut self.tokens[index];
        token.asked = Some(Done::Rotated);
        if at_once {
            token.turn(Due::Unanswered);
        }
        self.browser.post(&address, &fields)?.location();
        token.asked = None;
        if at_once {
            token.turn(Due::Dead);
        }
        self.see(index)?;
        Ok(Done::Rotated)
    }

    fn revoke(&mut self, index: usize) -> io::Result<Done> {
        let token = &mut self.tokens[index];
        token.asked = Some(Done::Revoked);
        token.turn(Due::Unanswered);
        self.browser.post(&format!("{}/revocation", token.address()), &[])?.location();
        let mut token = self.tokens.remove(index);
        token.turn(Due::Dead);
        self.revoked.push(token);
        Ok(Done::Revoked)
    }

    /// Looks at the page that may show a secret.
    fn see(&mut self, index: usize) -> io::Result<()> {
        let token = &mut self.tokens[index];
        let looked = std::mem::replace(&mut token.looked, true);
        let page = self.browser.get(&token.address())?;
        // What an earlier look used up stays lost until there is another secret.
        token.looked = looked && page.secret().is_none();
        if let Some(secret) = page.secret() {
            token.secrets.push((secret.to_owned(), Due::Works));
        }
        Ok(())
    }

    /// Compares what the list shows with what this owner knows of.
    fn find_again(&mut self, listed: &[String]) {
        for mut token in std::mem::take(&mut self.tokens) {
            let asked = token.asked.take();
            match (listed.contains(&token.id), asked) {
                (true, Some(Done::Revoked)) => token.turn(Due::Works),
                (true, _) => {}
                (false, Some(Done::Revoked)) => token.turn(Due::Dead),
                (false, _) => panic!("the token {} is lost", token.id),
            }
            let kept = if listed.contains(&token.id) { &mut self.tokens } else { &mut self.revoked };
            kept.push(token);
            // A new secret that was not yet looked at still waits.
            if asked == Some(Done::Rotated) {
                self.see(self.tokens.len() - 1).expect("the server answers");
                let token = &self.tokens[self.tokens.len() - 1];
                let within_reach = token.looked || token.secrets.iter().any(|(_, due)| *due != Due::Dead);
                assert!(within_reach, "token {} is out of reach", token.id);
            }
        }
    }

    /// Fails if a secret has become what its owner was not told.
    fn try_all(&mut self, address: &str) {
        for token in self.tokens.iter_mut().chain(&mut self.revoked) {
            token.try_at(address);
        }
        self.long_revoked.append(&mut self.revoked);
    }

    /// The same for all that was ever revoked.
    pub fn try_revoked(&mut self, address: &str) {
        for token in &mut self.long_revoked {
            token.try_at(address);
        }
    }
}

/// After a crash: the list shows what the owners know of, each secret has become what they were told, and what they were
/// not told turns out one way or the other. Tokens whose creation was not answered are revoked.
pub fn return_to(address: &str, owners: &mut [Owner]) {
    for owner in &mut *owners {
        owner.browser.move_to(address);
    }
    let list = owners[0].browser.get(TOKENS).expect("the server answers");
    assert_eq!(list.status, 200, "the session is still there: {}", list.head);
    let listed = ids(&list.body);
    for owner in &mut *owners {
        owner.find_again(&listed);
        owner.try_all(address);
    }
    for id in listed {
        if !owners.iter().any(|owner| owner.tokens.iter().any(|token| token.id == id)) {
            owners[0].tokens.push(Token::new(&id));
            owners[0].see(owners[0].tokens.len() - 1).expect("the server answers");
            owners[0].try_all(address);
            owners[0].revoke(owners[0].tokens.len() - 1).expect("the server answers");
        }
    }
}

/// Whether a door opens.
pub fn knock(address: &str, secret: &str) -> Due {
    match ask(address, "/api/v1/me", Some(&format!("Bearer {secret}"))).expect("the server answers").status {
        200 => Due::Works,
        401 => Due::Dead,
        other => panic!("{other} is no answer about a token"),
    }
}

/// The ids of the tokens that a list names.
fn ids(page: &str) -> Vec<String> {
    let start = format!("href=\"{TOKENS}/");
    let links = page.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
    let mut ids: Vec<String> =
        links.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned).collect();
    ids.dedup();
    ids
}

pub fn code(rng: &mut StdRng) -> String {
    (0..22).map(|_| char::from(rng.sample(rand::distr::Alphanumeric))).collect()
}
