//! Once through the portal, with every secret put where it belongs and where it does not.

#[path = "programs.rs"]
mod programs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::randomness;

use crate::canaries::{Canaries, Kind};
use crate::house::House;
use crate::support::http::{Answer, Browser, send};

const TOKENS: &str = "/profile/api-tokens";
const CONFIGURE: &str = "/repositories/alpha/configure";
const USERNAME: &str = "ada";

/// An answer, and what was asked.
pub struct Seen {
    pub question: String,
    pub answer: Answer,
}

impl Seen {
    /// The form that a set-password link leads to, which has the code of the link in it.
    pub fn is_form_of_a_link(&self) -> bool {
        self.question.contains("/set-password") && [200, 422].contains(&self.answer.status)
    }

    /// Every answer forbids to tell where one came from, no address in it holds a secret, and no page repeats a password.
    #[track_caller]
    pub fn assert_leads_nowhere_with(&self, canaries: &Canaries) {
        let Self { question, answer } = self;
        // What is no HTTP at all is refused before it is looked at, and what a proxy reads is shown to nobody.
        let bare = answer.status == 400 || answer.status == 200 && question.contains(" /auth/");
        if !bare || answer.header("referrer-policy").is_some() {
            assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{question}: {}", answer.head);
        }
        canaries
            .assert_absent(&format!("the Location of {question}"), answer.header("location").unwrap_or("").as_bytes());
        for attribute in ["href=\"", "action=\"", "src=\"", "formaction=\"", "content=\""] {
            for address in answer.body.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                canaries.assert_absent(&format!("an address on the page {question}"), address.as_bytes());
            }
        }
        let never = [Kind::Password, Kind::Other];
        canaries.assert_kinds_absent(&never, &format!("the answer to {question}"), answer.body.as_bytes());
    }
}

/// What was used and seen on the way.
pub struct Tour<'a> {
    house: &'a House,
    browser: Browser,
    pub canaries: Canaries,
    pub answers: Vec<Seen>,
    /// What the commands in the shell said.
    pub commands: Vec<(String, String)>,
}

impl<'a> Tour<'a> {
    pub fn take(house: &'a House) -> Self {
        let mut tour = Self {
            house,
            browser: Browser::new(&house.address),
            canaries: Canaries::default(),
            answers: Vec::new(),
            commands: Vec::new(),
        };
        tour.set_up();
        tour.sign_in();
        let tokens = [tour.create("first"), tour.create("second")];
        tour.rotate();
        tour.confirm_with_a_password();
        tour.manage_a_repository();
        tour.run_a_service(&tokens[0]);
        tour.invite_a_user();
        tour.let_programs_in();
        tour.change_the_password();
        tour.look_around();
        tour.knock_at_the_doors(&tokens[0]);
        tour.send_what_is_refused();
        tour.run_commands(&tokens[1]);
        tour.sign_out();
        tour
    }

    fn get(&mut self, path: &str) -> usize {
        let answer = self.browser.get(path).expect("the server answers");
        self.note(format!("GET {path}"), answer)
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> usize {
        let answer = self.browser.post(path, fields).expect("the server answers");
        if let Some(value) = self.browser.session() {
            self.canaries.session(value);
        }
        self.note(format!("POST {path}"), answer)
    }

    /// Sends head and body as they are; `{host}` stands for the host.
    fn raw(&mut self, request: &str) -> u16 {
        let host = self.house.address.trim_start_matches("http://");
        let answer = send(host, &request.replace("{host}", host)).expect("the server answers");
        let status = answer.status;
        self.note(request.lines().next().unwrap_or_default().to_owned(), answer);
        status
    }

    fn note(&mut self, question: String, answer: Answer) -> usize {
        self.answers.push(Seen { question, answer });
        self.answers.len() - 1
    }

    #[track_caller]
    fn expect(&self, number: usize, status: u16) -> &Answer {
        let Seen { question, answer } = &self.answers[number];
        assert_eq!(answer.status, status, "{question}: {}{}", answer.head, answer.body);
        answer
    }

    fn set_up(&mut self) {
        let code = self.house.setup_code();
        let page = self.get(&format!("/setup?code={code}"));
        self.expect(page, 200);
        let short = self.canaries.password("short-one 1");
        let common = self.canaries.password("password1234");
        let good = self.canaries.password(PASSWORDS[0]);
        for (password, status) in [(short, 422), (common, 422), (good, 303)] {
            let fields = [
                ("code", code.as_str()),
                ("username", USERNAME),
                ("display_name", "Ada Lovelace"),
                ("email", "ada@example.org"),
                ("password", password),
            ];
            let answer = self.post("/setup", &fields);
            self.expect(answer, status);
        }
        let again = self.get(&format!("/setup?code={code}"));
        self.expect(again, 404);
        // From here on it is as secret as anything: whoever reads it in a log learns what once opened the door.
        // The pages before carried it in their form, by design.
        self.answers.clear();
        self.canaries.other("the set-up code", &code);
    }

    fn sign_in(&mut self) {
        let wrong = self.canaries.password("wrong horse & battery=1");
        let as_name = self.canaries.password("typed into the wrong field");
        let without_user = self.canaries.password("nobody has this one");
        for (name, password, status) in [
            (USERNAME, wrong, 401),
            ("nobody", without_user, 401),
            (as_name, as_name, 401),
            (USERNAME, PASSWORDS[0], 303),
        ] {
            self.browser = Browser::new(&self.house.address);
            let answer = self.post("/login", &[("username", name), ("password", password), ("next", TOKENS)]);
            self.expect(answer, status);
        }
        // The form of the first refused sign-in shows again what was typed as a name, to whoever typed it.
        self.answers.retain(|seen| !seen.answer.body.contains(as_name));
        for path in ["/", "/profile", TOKENS] {
            self.get(path);
        }
    }

    /// Makes a token, looks at it once, and looks in vain a second time.
    fn create(&mut self, name: &str) -> String {
        let form = self.get("/profile/api-tokens/new");
        let nonce = self.expect(form, 200).value_of("name=\"nonce\"").expect("the form has a nonce").to_owned();
        let fields = [("name", name), ("expiry", "90"), ("repositories_permission", "read"), ("nonce", &nonce)];
        let made = self.post(TOKENS, &fields);
        let address = self.expect(made, 303).location().to_owned();
        self.see(&address)
    }

    fn see(&mut self, address: &str) -> String {
        let page = self.get(address);
        let secret = self.expect(page, 200).secret().expect("the token is shown").to_owned();
        self.canaries.token(&secret);
        let again = self.get(address);
        assert_eq!(self.expect(again, 200).secret(), None);
        secret
    }

    fn rotate(&mut self) {
        let list = self.get(TOKENS);
        let address = first_token(self.expect(list, 200));
        let form = self.get(&format!("{address}/rotation"));
        let form = self.expect(form, 200);
        let value = |name: &str| form.value_of(&format!("name=\"{name}\"")).expect("the form has it").to_owned();
        let (nonce, replaces) = (value("nonce"), value("replaces"));
        let fields = [("nonce", nonce.as_str()), ("replaces", &replaces), ("grace", "1h")];
        let made = self.post(&format!("{address}/rotation"), &fields);
        self.expect(made, 303);
        self.see(&address);
    }

    /// The password inside of other forms, and before them.
    fn confirm_with_a_password(&mut self) {
        let wrong = self.canaries.password("not what I chose (1)");
        self.house.let_the_password_grow_old();
        let led = self.get("/profile/api-tokens/new");
        assert!(self.expect(led, 303).location().starts_with("/reauthenticate?next="));
        for (name, password, status) in [("third", wrong, 422), ("", PASSWORDS[0], 422), ("third", PASSWORDS[0], 303)] {
            let fields =
                [("name", name), ("expiry", "30"), ("nonce", "3333333333333333333333"), ("password", password)];
            let answer = self.post(TOKENS, &fields);
            self.expect(answer, status);
        }
        let made = self.answers.len() - 1;
        let address = self.expect(made, 303).location().to_owned();
        self.see(&address);
        self.house.let_the_password_grow_old();
        for (password, status) in [(wrong, 422), (PASSWORDS[0], 303)] {
            let answer = self.post("/reauthenticate", &[("password", password), ("next", TOKENS)]);
            self.expect(answer, status);
        }
    }

    /// A repository's token as it is created, shown again, used, and generated anew.
    fn manage_a_repository(&mut self) {
        let form = self.get("/repositories/new");
        let nonce = self.expect(form, 200).value_of("name=\"nonce\"").expect("the form has a nonce").to_owned();
        let made = self.post("/repositories", &[("name", "alpha"), ("nonce", &nonce)]);
        assert_eq!(self.expect(made, 303).location(), CONFIGURE);
        let first = self.see(CONFIGURE);
        let shown = self.post("/repositories/alpha/token/reveal", &[]);
        self.expect(shown, 303);
        assert_eq!(self.see(CONFIGURE), first);
        self.use_on_repositories(&first, 200);

        let form = self.get("/repositories/alpha/token/new");
        let form = self.expect(form, 200);
        let value = |name: &str| form.value_of(&format!("name=\"{name}\"")).expect("the form has it").to_owned();
        let (nonce, replaces) = (value("nonce"), value("replaces"));
        let wrong = self.canaries.password("no one's: 4 ever & ever");
        self.house.let_the_password_grow_old();
        for (password, status) in [(wrong, 422), (PASSWORDS[0], 303)] {
            let fields = [("nonce", nonce.as_str()), ("replaces", &replaces), ("grace", "now"), ("password", password)];
            let made = self.post("/repositories/alpha/token", &fields);
            self.expect(made, status);
        }
        let second = self.see(CONFIGURE);
        self.use_on_repositories(&first, 401);
        self.use_on_repositories(&second, 200);
        self.house.let_the_password_grow_old();
        for (password, status) in [(wrong, 422), (PASSWORDS[0], 303)] {
            let shown = self.post("/repositories/alpha/token/reveal", &[("password", password)]);
            self.expect(shown, status);
        }
        assert_eq!(self.see(CONFIGURE), second);
    }

    /// As Bearer, as Basic, with a wrong name, on another repository, and in the address.
    fn use_on_repositories(&mut self, token: &str, status: u16) {
        let basic = |name: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
        for (name, authorization, status) in [
            ("alpha", format!("Bearer {token}"), status),
            ("alpha", basic("alpha", token), status),
            ("alpha", basic("beta", token), 401),
            ("alpha", basic(token, "alpha"), 401),
            ("beta", format!("Bearer {token}"), if status == 200 { 404 } else { status }),
            (token, format!("Bearer {token}"), 400),
        ] {
            let head = format!(
                "GET /api/v1/repositories/{name} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n"
            );
            assert_eq!(self.raw(&head), status, "{name} with {authorization}");
        }
    }

    /// A service's token as it is created, used to ask about others, rotated, and revoked by whoever holds it.
    fn run_a_service(&mut self, about: &str) {
        let form = self.get("/admin/services/new");
        let nonce = self.expect(form, 200).value_of("name=\"nonce\"").expect("the form has a nonce").to_owned();
        let made = self.post("/admin/services", &[("name", "wiki"), ("nonce", &nonce)]);
        let address = self.expect(made, 303).location().to_owned();
        let first = self.see(&address);
        self.introspect(&first, about, 200);
        let form = self.get(&format!("{address}/rotation"));
        let form = self.expect(form, 200);
        let value = |name: &str| form.value_of(&format!("name=\"{name}\"")).expect("the form has it").to_owned();
        let (nonce, replaces) = (value("nonce"), value("replaces"));
        let made = self.post(&format!("{address}/rotation"), &[("nonce", nonce.as_str()), ("replaces", &replaces)]);
        self.expect(made, 303);
        let second = self.see(&address);
        self.introspect(&first, about, 401);
        self.introspect(&second, &first, 200);
        self.introspect(about, &second, 401);
        for (body, status) in [
            (format!("token={second}&token={second}"), 400),
            (format!("{second}={second}&{second}={second}"), 400),
            (format!("token={second}%ff"), 400),
            (format!("token={second}"), 200),
            (format!("token={second}"), 200),
        ] {
            let length = body.len();
            let status_line = self.raw(&format!(
                "POST /oauth/revoke HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nContent-Length: {length}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
            ));
            assert_eq!(status_line, status, "{body}");
        }
        self.introspect(&second, about, 401);
        let page = self.get(&address);
        self.expect(page, 200);
    }

    /// As Bearer and as Basic, and with the tokens in the address.
    fn introspect(&mut self, own: &str, about: &str, status: u16) {
        let basic = format!("Basic {}", STANDARD.encode(format!("wiki:{own}")));
        for (path, authorization, status) in [
            ("/oauth/introspect".to_owned(), format!("Bearer {own}"), status),
            ("/oauth/introspect".to_owned(), basic, status),
            (format!("/oauth/introspect?token={about}"), format!("Bearer {own}"), 400),
        ] {
            let body = format!("token={about}");
            let length = body.len();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nContent-Length: {length}\r\nContent-Type: application/x-www-form-urlencoded\r\nAuthorization: {authorization}\r\n\r\n{body}"
            );
            assert_eq!(self.raw(&head), status, "{path} with {authorization}");
        }
    }

    /// A user sets a password with a link, and another with the link of a reset.
    fn invite_a_user(&mut self) {
        let form = self.get("/admin/users/new");
        let nonce = self.expect(form, 200).value_of("name=\"nonce\"").expect("the form has a nonce").to_owned();
        let fields = [
            ("nonce", nonce.as_str()),
            ("username", "carol"),
            ("display_name", "Carol"),
            ("email", "carol@example.org"),
        ];
        let made = self.post("/admin/users", &fields);
        let address = self.expect(made, 303).location().to_owned();
        let first = self.see_link(&address);
        let (short, chosen) = (self.canaries.password("tiny = 1 !"), self.canaries.password("Kreide/Dampf & 7 Seile"));
        self.follow(&first, &[(short, 422), (chosen, 303), (chosen, 404)]);

        let made = self.post(&format!("{address}/password-link"), &[]);
        assert_eq!(self.expect(made, 303).location(), address);
        let second = self.see_link(&address);
        let chosen = self.canaries.password("eleven; pewter <gulls>");
        self.follow(&second, &[(chosen, 303)]);
        self.get(&address);
    }

    /// The code of the link that a page shows once.
    fn see_link(&mut self, address: &str) -> String {
        let page = self.get(address);
        let link = self.expect(page, 200).value_of("id=\"password-link\"").expect("the link is shown");
        let code = link.rsplit('=').next().expect("the link has a code").to_owned();
        self.canaries.link(&code);
        let again = self.get(address);
        assert_eq!(self.expect(again, 200).value_of("id=\"password-link\""), None);
        code
    }

    /// Sends passwords with the code of a link, from a browser without a session.
    fn follow(&mut self, code: &str, passwords: &[(&str, u16)]) {
        let own = std::mem::replace(&mut self.browser, Browser::new(&self.house.address));
        let form = self.get(&format!("/set-password?code={code}"));
        assert_eq!(self.expect(form, 200).value_of("name=\"code\""), Some(code));
        for &(password, status) in passwords {
            let answer = self.post("/set-password", &[("code", code), ("password", password)]);
            self.expect(answer, status);
        }
        let dead = self.get(&format!("/set-password?code={code}"));
        self.expect(dead, 404);
        self.browser = own;
    }

    fn change_the_password(&mut self) {
        let wrong = self.canaries.password("guessed? not quite");
        let short = self.canaries.password("brief + 22!");
        let new = self.canaries.password("harbour; slate & 19 owls");
        for (current, password, status) in [
            (wrong, new, 422),
            (PASSWORDS[0], short, 422),
            (PASSWORDS[0], new, 303),
            (PASSWORDS[0], PASSWORDS[0], 422),
            (new, PASSWORDS[0], 303),
        ] {
            let fields = [("current_password", current), ("new_password", password)];
            let answer = self.post("/profile/security/password", &fields);
            self.expect(answer, status);
        }
    }

    /// Pages that tell of all that, and were asked for no secret.
    fn look_around(&mut self) {
        for path in [
            "/repositories",
            "/repositories/alpha",
            CONFIGURE,
            "/repositories/alpha/access",
            "/repositories/alpha/activity",
            "/repositories/alpha/token/new",
            "/repositories/alpha/deletion",
            "/admin/users",
            "/admin/services",
            "/profile/security",
        ] {
            let page = self.get(path);
            self.expect(page, 200);
        }
    }

    fn knock_at_the_doors(&mut self, token: &str) {
        let unknown = Secret::generate(SecretKind::ApiToken, &mut randomness::system());
        let wrong_sum = format!("{}aaaaaa", &unknown.reveal()[..36]);
        self.canaries.token(unknown.reveal());
        let basic = |name: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
        for (authorization, status) in [
            (format!("Bearer {token}"), 200),
            (basic(USERNAME, token), 200),
            (basic("somebody-else", token), 401),
            (basic(USERNAME, PASSWORDS[0]), 401),
            (basic(token, ""), 401),
            (format!("Bearer {}", unknown.reveal()), 401),
            (format!("Bearer {wrong_sum}"), 401),
            (format!("Bearer {token} {token}"), 401),
            (format!("Digest {token}"), 401),
            (token.to_owned(), 200),
            (format!("Bearer {token}\r\nAuthorization: Bearer {token}"), 401),
        ] {
            for path in ["/api/v1/me", "/api/v1/repositories", "/api/v1/repositories/none"] {
                let status = if status == 200 && path.ends_with("none") { 404 } else { status };
                let head = format!(
                    "GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n"
                );
                assert_eq!(self.raw(&head), status, "{path} with {authorization}");
            }
        }
        for path in ["/api/v1/me", TOKENS, "/login", "/nothing", "/api/v1/nothing"] {
            let address = format!("GET {path}?token={token} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n");
            assert_eq!(self.raw(&address), 400, "{path}");
        }
        for path in [format!("/api/v1/{token}"), format!("{TOKENS}/{token}"), format!("/{token}/x")] {
            let status = self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n"));
            assert!([400, 404].contains(&status), "{status} for {path}");
        }
        // In headers that nobody asked for.
        let status = self.raw(&format!(
            "GET /login HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nReferer: http://x.example/?t={token}\r\nX-Api-Key: {token}\r\nCookie: token={token}\r\nFrom: {token}\r\n\r\n"
        ));
        assert_eq!(status, 200);
    }

    /// Bodies that are refused before, while and after they are read.
    fn send_what_is_refused(&mut self) {
        let password = self.canaries.password("in a form nobody takes");
        let encoded = password.replace(' ', "+");
        let form = "Content-Type: application/x-www-form-urlencoded";
        let same = "Sec-Fetch-Site: same-origin";
        let long = "x".repeat(70_000);
        for (path, headers, body, status) in [
            (
                "/login",
                format!("{form}\r\nSec-Fetch-Site: cross-site"),
                format!("username=ada&password={encoded}"),
                403,
            ),
            ("/login", format!("Content-Type: text/plain\r\n{same}"), format!("username=ada&password={encoded}"), 415),
            ("/login", format!("{form}\r\n{same}"), format!("username=ada&password={encoded}&password={encoded}"), 400),
            ("/login", format!("{form}\r\n{same}"), format!("username=ada&{encoded}={encoded}"), 400),
            ("/login", format!("{form}\r\n{same}"), format!("username=ada&password={encoded}%ff"), 400),
            ("/login", format!("{form}\r\n{same}"), format!("password={encoded}&username={long}"), 413),
            ("/nothing", format!("{form}\r\n{same}"), format!("password={encoded}"), 404),
            ("/profile", format!("{form}\r\n{same}"), format!("password={encoded}"), 405),
            ("/api/v1/me", format!("{form}\r\n{same}"), format!("password={encoded}"), 405),
        ] {
            let length = body.len();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n\r\n"
            );
            assert_eq!(self.raw(&(head + &body)), status, "{path}");
        }
        // A form that was sent as GET, and what is no HTTP.
        let path = format!("/login?username=ada&password={encoded}&next=%2F");
        assert_eq!(self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n\r\n")), 200);
        assert_eq!(self.raw(&format!("GET /login HTTP/1.1\r\nHost: {{host}}\r\nPassword {encoded}\0\r\n\r\n")), 400);
    }

    fn run_commands(&mut self, token: &str) {
        let (first, second) = (self.canaries.password(PASSWORDS[1]), self.canaries.password(PASSWORDS[2]));
        let short = self.canaries.password("too short!");
        let create = ["user", "create", "bob", "--role", "developer", "--password-stdin"];
        self.command(&create, short);
        self.command(&create, first);
        self.command(&create, first);
        self.command(&["user", "reset-password", "bob", "--password-stdin"], second);
        let said = self.house.run(&["user", "reset-password", "bob"], "");
        let generated = said.trim().rsplit(' ').next().expect("it says a password").to_owned();
        assert!(said.contains("shown this once") && generated.len() > 12, "{said}");
        self.canaries.other("a generated password", &generated);
        let answer = self.post("/login", &[("username", "bob"), ("password", &generated), ("next", "/")]);
        self.expect(answer, 303);
        self.rotate_signing_keys();
        let said = self.command(&["token", "revoke"], token);
        assert!(said.contains("was revoked"), "{said}");
        self.command(&["token", "revoke"], &token[..41]);
        self.command(&["token", "revoke"], first);
    }

    fn command(&mut self, arguments: &[&str], input: &str) -> String {
        let said = self.house.run(arguments, input);
        self.commands.push((format!("what {arguments:?} said"), said.clone()));
        said
    }

    fn sign_out(&mut self) {
        let answer = self.post("/logout", &[]);
        self.expect(answer, 303);
        let answer = self.get("/profile");
        self.expect(answer, 303);
    }
}

const PASSWORDS: [&str; 3] = ["lantern/orbit+sixteen quiet", "kupfer Wal Ofen 9 & more", "second_try: marble <tunnel>"];

/// The address of the first token on a list.
fn first_token(list: &Answer) -> String {
    let start = format!("href=\"{TOKENS}/");
    let mut links = list.body.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
    format!("{TOKENS}/{}", links.find(|id| id.bytes().all(|byte| byte.is_ascii_digit())).expect("the list has a token"))
}
