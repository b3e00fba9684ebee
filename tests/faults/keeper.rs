//! What the manager of repositories knows: which tokens were shown, and what the portal told would become of each.

use std::io;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::owner::{Done, Due, code, knock};
use crate::support::http::Browser;

/// A repository, as far as its manager was told.
struct Kept {
    name: String,
    /// Whether its creation was answered.
    created: bool,
    /// The tokens that were shown, oldest first.
    tokens: Vec<(String, Due)>,
}

impl Kept {
    fn address(&self, tail: &str) -> String {
        format!("/repositories/{}/{tail}", self.name)
    }

    fn turn(&mut self, due: Due) {
        for (_, own) in self.tokens.iter_mut().filter(|(_, own)| *own != Due::Dead) {
            *own = due;
        }
    }
}

/// A manager at work, with repositories of its own.
pub struct Keeper {
    browser: Browser,
    rng: StdRng,
    repositories: Vec<Kept>,
}

impl Keeper {
    pub const fn new(browser: Browser, rng: StdRng) -> Self {
        Self { browser, rng, repositories: Vec::new() }
    }

    /// Creates a repository or renews the token of one. An error means that the server went away, before or after it was done.
    pub fn act(&mut self) -> io::Result<Done> {
        let choice = self.rng.random_range(0..100);
        if self.repositories.is_empty() || choice < 30 { self.create() } else { self.renew() }
    }

    fn create(&mut self) -> io::Result<Done> {
        let nonce = code(&mut self.rng);
        let name = format!("r{}", nonce.to_lowercase());
        self.repositories.push(Kept { name: name.clone(), created: false, tokens: Vec::new() });
        self.browser.post("/repositories", &[("nonce", nonce.as_str()), ("name", &name)])?.location();
        let index = self.repositories.len() - 1;
        self.repositories[index].created = true;
        self.see(index)?;
        Ok(Done::Created)
    }

    fn renew(&mut self) -> io::Result<Done> {
        let (nonce, at_once) = (code(&mut self.rng), self.rng.random());
        let index = self.rng.random_range(0..self.repositories.len());
        let kept = &mut self.repositories[index];
        let form = self.browser.get(&kept.address("token/new"))?;
        let replaces = form.value_of("name=\"replaces\"").expect("the form says what it replaces").to_owned();
        let grace = if at_once { "now" } else { "1h" };
        let fields = [("nonce", nonce.as_str()), ("replaces", &replaces), ("grace", grace)];
        if at_once {
            kept.turn(Due::Unanswered);
        }
        self.browser.post(&kept.address("token"), &fields)?.location();
        if at_once {
            kept.turn(Due::Dead);
        }
        self.see(index)?;
        Ok(Done::Rotated)
    }

    /// Looks at the page that may show a token.
    fn see(&mut self, index: usize) -> io::Result<()> {
        let kept = &mut self.repositories[index];
        let page = self.browser.get(&kept.address("configure"))?;
        if let Some(token) = page.secret() {
            kept.tokens.push((token.to_owned(), Due::Works));
        }
        Ok(())
    }

    /// After a crash: each repository that was told of is there with one token that can be shown and works, and every token
    /// that was shown has become what was told.
    pub fn return_to(&mut self, address: &str) {
        self.browser.move_to(address);
        for mut kept in std::mem::take(&mut self.repositories) {
            let page = self.browser.get(&kept.address("configure")).expect("the server answers");
            if page.status == 404 {
                assert!(!kept.created, "the repository {} is lost", kept.name);
                continue;
            }
            kept.created = true;
            self.browser.post(&kept.address("token/reveal"), &[]).expect("the server answers").location();
            let shown = self.browser.get(&kept.address("configure")).expect("the server answers");
            let current = shown.secret().expect("the token can be shown").to_owned();
            assert_eq!(knock(address, &current), Due::Works, "the token of {} works", kept.name);
            for (token, due) in &mut kept.tokens {
                let found = knock(address, token);
                assert!(*due == Due::Unanswered || *due == found, "{}: {due:?} was told, it is {found:?}", kept.name);
                *due = found;
            }
            if kept.tokens.iter().all(|(token, _)| *token != current) {
                kept.tokens.push((current, Due::Works));
            }
            // What is long dead is not asked again and again.
            kept.tokens.retain(|(_, due)| *due != Due::Dead);
            self.repositories.push(kept);
        }
        let surplus = self.repositories.len().saturating_sub(6);
        self.repositories.drain(..surplus);
    }
}
