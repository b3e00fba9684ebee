//! A small browser: it keeps cookies, says where a request comes from, reads forms and submits them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::answer::Answer;
use super::form::Form;
use super::page::Page;
use super::people::PASSWORD;
use super::portal::Portal;
use super::request::Request;

/// Its clone is another browser that begins with a copy of the cookies.
pub struct Browser<'p> {
    pub portal: &'p Portal,
    cookies: Mutex<BTreeMap<String, String>>,
    /// What a proxy tells the portal of where it sits; nothing for the same machine.
    address: Option<String>,
}

impl Clone for Browser<'_> {
    fn clone(&self) -> Self {
        let cookies = Mutex::new(self.cookies.lock().expect("no holder panics").clone());
        Self { portal: self.portal, cookies, address: self.address.clone() }
    }
}

impl<'p> Browser<'p> {
    pub fn new(portal: &'p Portal) -> Self {
        Self { portal, cookies: Mutex::default(), address: None }
    }

    /// The same browser in another place.
    pub fn at(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// A request with its cookies, as a page of the portal makes it.
    pub fn request(&self, method: &str, path: &str) -> Request<'p> {
        self.foreign_request(method, path).by_own_page()
    }

    /// The same without a word of where it comes from.
    pub fn foreign_request(&self, method: &str, path: &str) -> Request<'p> {
        let mut request = self.portal.request(method, path);
        let cookies = self.cookies.lock().expect("no holder panics");
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some(address) = &self.address {
            request = request.at(address);
        }
        request
    }

    /// Sends it and keeps the cookies that come back.
    #[track_caller]
    pub fn send(&self, request: Request<'_>) -> Answer {
        let answer = request.send();
        let mut cookies = self.cookies.lock().expect("no holder panics");
        for set in answer.headers_named("set-cookie") {
            let (name, value) = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if set.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
        answer
    }

    #[track_caller]
    pub fn open(&self, path: &str) -> Answer {
        self.send(self.request("GET", path))
    }

    /// A page that is there.
    #[track_caller]
    pub fn page(&self, path: &str) -> Page {
        self.open(path).with(200).page()
    }

    #[track_caller]
    pub fn submit(&self, form: &Form) -> Answer {
        self.post(&form.action, &form.fields())
    }

    /// A refused form, with what was typed.
    #[track_caller]
    pub fn refused(&self, form: &Form) -> Page {
        self.submit(form).with(422).page()
    }

    #[track_caller]
    pub fn post<N: AsRef<str>, V: AsRef<str>>(&self, path: &str, fields: &[(N, V)]) -> Answer {
        self.send(self.request("POST", path).form(fields))
    }

    /// Goes where the answer leads, until there is a page.
    #[track_caller]
    pub fn follow(&self, answer: Answer) -> Page {
        let mut answer = answer;
        for _ in 0..5 {
            if answer.status != 303 {
                return answer.page();
            }
            let location = answer.location().to_owned();
            assert!(location.starts_with('/'), "a redirection stays here: {location}");
            answer = self.open(&location);
        }
        panic!("redirected in a circle: {answer:?}")
    }

    /// The value of its session cookie.
    pub fn session(&self) -> Option<String> {
        self.cookie(&self.portal.cookies().session)
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("no holder panics").get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().expect("no holder panics").insert(name.into(), value.into());
    }

    pub fn forget_cookie(&self, name: &str) {
        self.cookies.lock().expect("no holder panics").remove(name);
    }

    /// Tries to sign in; the answer says whether it worked.
    #[track_caller]
    pub fn try_sign_in(&self, username: &str, password: &str) -> Answer {
        self.post("/login", &[("username", username), ("password", password), ("next", "/")])
    }

    /// Whether its session is alive.
    #[track_caller]
    pub fn is_signed_in(&self) -> bool {
        match self.open("/profile").status {
            200 => true,
            303 => false,
            other => panic!("/profile was answered {other}"),
        }
    }

    /// Enters the password once more.
    #[track_caller]
    pub fn reauthenticate(&self) {
        self.post("/reauthenticate", &[("password", PASSWORD), ("next", "/profile")]).with(303);
    }

    /// The filled-in form of a token with this name and the rest as it is suggested.
    #[track_caller]
    pub fn token_form(&self, name: &str) -> Form {
        self.page("/profile/api-tokens/new").form("Create Token").fill("Name", name)
    }

    /// Creates a repository and returns its token.
    #[track_caller]
    pub fn create_repository(&self, name: &str) -> String {
        let form = self.page("/repositories/new").form("Create Repository").fill("Name", name);
        let answer = self.submit(&form);
        self.follow(answer).secret().expect("the new token is shown")
    }

    /// Presses OK after *Generate New*, with this choice of when the old token stops, and returns the new one.
    #[track_caller]
    pub fn generate_new(&self, repository: &str, stops: &str) -> String {
        let confirmation = self.page(&format!("/repositories/{repository}/token/new"));
        let answer = self.submit(&confirmation.form("OK").choose("Old token stops working", stops));
        self.follow(answer).secret().expect("the new token is shown")
    }

    /// Makes a token and looks at it: its page's path, and its secret.
    #[track_caller]
    pub fn create(&self, form: &Form) -> (String, String) {
        let path = self.submit(form).location().to_owned();
        let secret = self.page(&path).secret().expect("a new token is shown");
        (path, secret)
    }
}
