//! One Chromium, or WebKit, with a profile of its own, as the tests drive it: by labels, waiting for what must come.
//!
//! It goes through chromedriver, and through Chromium's own protocol for what WebDriver cannot do. Nothing sleeps to
//! let something happen: every look is repeated until it succeeds or `PATIENCE` is over.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::process::Command;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use ureq::http::Method;
use url::{ParseError, Url};

use crate::support::process::Process;
use crate::support::server::Server;

/// How long something may take to show up.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one command may take; then the browser hangs.
const COMMAND: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// A page to write on.
const SHEET: &str = "data:text/html,<textarea autofocus></textarea>";

pub struct Browser {
    runtime: Runtime,
    client: Client,
    origin: String,
    javascript: Cell<bool>,
    _processes: Vec<Process>,
    _profile: TempDir,
    _seat: Option<Seat>,
}

impl Browser {
    pub fn open(server: &Server) -> Self {
        Self::start(server.address(""), Some(Seat::take()))
    }

    /// Another person's browser at the same server. The two take turns, so it needs no seat; and tests that each waited
    /// for their second one would wait for ever.
    pub fn another(&self) -> Self {
        Self::start(self.origin.clone(), None)
    }

    /// Another browser than Chromium: no call that needs Chromium's own protocol works. `start` gets a folder for its
    /// files and returns the processes that must live as long.
    pub fn other(server: &Server, start: impl FnOnce(&Runtime, &Path) -> (Client, Vec<Process>)) -> Self {
        let seat = Some(Seat::take());
        let profile = profile();
        let runtime = runtime();
        let (client, processes) = start(&runtime, profile.path());
        let origin = server.address("");
        Self {
            runtime,
            client,
            origin,
            javascript: Cell::new(true),
            _processes: processes,
            _profile: profile,
            _seat: seat,
        }
    }

    fn start(origin: String, seat: Option<Seat>) -> Self {
        let profile = profile();
        let driver = Process::start(Command::new("chromedriver").args(["--port=0", "--allowed-ips=127.0.0.1"]));
        let port = driver.line("ChromeDriver was started successfully on port ");
        let webdriver = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));

        let runtime = runtime();
        let client = runtime
            .block_on(ClientBuilder::new(HttpConnector::new()).capabilities(capabilities(&profile)).connect(&webdriver))
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}\n{}", driver.log()));
        let processes = vec![driver];
        Self {
            runtime,
            client,
            origin,
            javascript: Cell::new(true),
            _processes: processes,
            _profile: profile,
            _seat: seat,
        }
    }

    // ---- Where it is.

    /// Goes to a path of the server, or to a whole address.
    #[track_caller]
    pub fn go(&self, path: &str) {
        let address = if path.starts_with('/') { format!("{}{path}", self.origin) } else { path.to_owned() };
        self.run(self.client.goto(&address));
    }

    #[track_caller]
    pub fn path(&self) -> String {
        self.run(self.client.current_url()).path().to_owned()
    }

    #[track_caller]
    pub fn title(&self) -> String {
        self.run(self.client.title())
    }

    pub fn back(&self) {
        self.run(self.client.back());
    }

    pub fn forward(&self) {
        self.run(self.client.forward());
    }

    pub fn reload(&self) {
        self.run(self.client.refresh());
    }

    /// Does something in a second tab, closes that and comes back to this one.
    pub fn in_a_new_tab<T>(&self, what: impl FnOnce() -> T) -> T {
        let here = self.run(self.client.window());
        let tab = self.run(self.client.new_window(true));
        self.run(self.client.switch_to_window(tab.handle));
        self.allow_javascript(self.javascript.get());
        let done = what();
        self.run(self.client.close_window());
        self.run(self.client.switch_to_window(here));
        done
    }

    // ---- What it shows.

    /// The text a person sees.
    pub fn text(&self) -> String {
        self.attempt(async { self.client.find(Locator::Css("body")).await?.text().await }).unwrap_or_default()
    }

    /// The page's only `h1`.
    pub fn heading(&self) -> String {
        self.attempt(async { self.client.find(Locator::Css("h1")).await?.text().await }).unwrap_or_default()
    }

    #[track_caller]
    pub fn expect_path(&self, path: &str) {
        self.until(&format!("arrival at {path}"), || (self.path() == path).then_some(()));
    }

    #[track_caller]
    pub fn expect_heading(&self, heading: &str) {
        self.until(&format!("heading “{heading}”"), || (self.heading() == heading).then_some(()));
    }

    #[track_caller]
    pub fn expect_text(&self, text: &str) {
        self.until(&format!("text “{text}”"), || self.text().contains(text).then_some(()));
    }

    /// Whether the text is anywhere in the page, seen or not: in the markup, or in a field's present value.
    pub fn holds(&self, text: &str) -> bool {
        let script = "return document.documentElement.outerHTML.includes(arguments[0])
            || [...document.querySelectorAll('input, textarea')].some(field => field.value.includes(arguments[0]))";
        self.script(script, vec![json!(text)]) == json!(true)
    }

    /// Whether a link or button of this name is to be seen.
    pub fn offers(&self, name: &str) -> bool {
        self.visible(&control(name)).is_some()
    }

    /// The value of the field with this label.
    #[track_caller]
    pub fn value(&self, label: &str) -> String {
        let field = self.until(&format!("field “{label}”"), || self.visible(&field(label)));
        self.run(field.prop("value")).unwrap_or_default()
    }

    /// The value of what a CSS selector finds.
    #[track_caller]
    pub fn value_of(&self, selector: &str) -> String {
        let value = || self.attempt(async { self.client.find(Locator::Css(selector)).await?.prop("value").await });
        self.until(selector, value).unwrap_or_default()
    }

    /// The text of all that a CSS selector finds.
    #[track_caller]
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let texts = || {
            self.attempt(async {
                let mut texts = Vec::new();
                for element in self.client.find_all(Locator::Css(selector)).await? {
                    texts.push(element.text().await?);
                }
                Ok(texts)
            })
        };
        self.until(selector, texts)
    }

    // ---- What a person does.

    /// Presses the button, link or menu with exactly this name: the first that nothing, like a dialog, lies over.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.until(&format!("control “{name}”"), || {
            self.displayed(&control(name)).into_iter().find_map(|control| self.attempt(control.click()))
        });
    }

    /// Replaces what stands in the field with this label.
    #[track_caller]
    pub fn fill(&self, label: &str, value: &str) {
        let field = self.until(&format!("field “{label}”"), || self.visible(&field(label)));
        self.run(field.clear());
        self.run(field.send_keys(value));
    }

    /// Chooses an option by the legend of its group and its own label.
    #[track_caller]
    pub fn choose(&self, group: &str, option: &str) {
        let label = format!(
            "//fieldset[legend[normalize-space(.)={}]]//label[normalize-space(.)={}]",
            quoted(group),
            quoted(option)
        );
        let label = self.until(&format!("option “{option}” of “{group}”"), || self.visible(&label));
        self.run(label.click());
    }

    pub fn key(&self, key: Key) {
        self.keys(&[key.into()]);
    }

    pub fn type_text(&self, text: &str) {
        self.keys(&text.chars().collect::<Vec<_>>());
    }

    fn keys(&self, keys: &[char]) {
        let mut keyboard = KeyActions::new("keyboard".to_owned());
        for key in keys {
            keyboard = keyboard.then(KeyAction::Down { value: *key }).then(KeyAction::Up { value: *key });
        }
        self.run(self.client.perform_actions(keyboard));
    }

    /// The name of what has the focus: its label, or its text; empty when nothing has.
    pub fn focused(&self) -> String {
        let script = "const focused = document.activeElement;
            if (!focused || focused === document.body) return '';
            const name = focused.labels?.[0]?.textContent ?? focused.getAttribute('aria-label') ?? focused.textContent;
            return name.replace(/\\s+/g, ' ').trim()";
        self.script(script, vec![]).as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn expect_focus(&self, name: &str) {
        self.until(&format!("focus on “{name}”"), || (self.focused() == name).then_some(()));
    }

    // ---- The clipboard, which our own pages may not read: what is in it shows when it is pasted elsewhere.

    #[track_caller]
    pub fn clipboard(&self) -> String {
        self.in_a_new_tab(|| {
            self.take_a_sheet();
            self.with_control('v');
            // The browser fetches it from another process.
            self.until("what is pasted", || Some(self.value_of("textarea")).filter(|text| !text.is_empty()))
        })
    }

    #[track_caller]
    pub fn put_into_clipboard(&self, text: &str) {
        self.in_a_new_tab(|| {
            self.take_a_sheet();
            self.type_text(text);
            self.with_control('a');
            self.with_control('x');
        });
    }

    /// Goes to it, and waits until keys arrive there.
    fn take_a_sheet(&self) {
        self.go(SHEET);
        self.until("the focus", || {
            let tag = self.attempt(async { self.client.active_element().await?.tag_name().await });
            tag.filter(|tag| tag == "textarea")
        });
    }

    fn with_control(&self, key: char) {
        let control = Key::Control.into();
        let keyboard = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: control })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: control });
        self.run(self.client.perform_actions(keyboard));
    }

    // ---- What only a tool does.

    /// From the next page on.
    pub fn allow_javascript(&self, allowed: bool) {
        self.javascript.set(allowed);
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": !allowed}));
    }

    #[track_caller]
    pub fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.run(self.client.execute(script, arguments))
    }

    /// Runs a script that calls its last argument with the result.
    #[track_caller]
    pub fn script_async(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.run(self.client.execute_async(script, arguments))
    }

    /// A command of the Chrome DevTools Protocol.
    pub fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        self.run(self.client.issue_cmd(DevTools { command, parameters }))
    }

    /// What went over the wire since the last call: each address with the bytes it took, headers and all. What came
    /// from the cache took none.
    pub fn traffic(&self) -> Vec<(String, u64)> {
        let mut open = HashMap::new();
        let mut traffic = Vec::new();
        for Event { method, params } in self.events() {
            let bytes = |answer: &Value| answer["encodedDataLength"].as_f64().unwrap_or_default() as u64;
            match method.as_str() {
                "Network.requestWillBeSent" => {
                    let address = params["request"]["url"].as_str().unwrap_or_default().to_owned();
                    // A redirect goes on under the same number.
                    if let Some(from) = open.insert(params["requestId"].to_string(), address) {
                        traffic.push((from, bytes(&params["redirectResponse"])));
                    }
                }
                "Network.loadingFinished" => {
                    if let Some(address) = open.remove(&params["requestId"].to_string()) {
                        traffic.push((address, bytes(&params)));
                    }
                }
                _ => {}
            }
        }
        traffic
    }

    /// The `Origin` headers of the POSTs since the last look at the wire.
    pub fn origins_of_posts(&self) -> Vec<String> {
        let mut posts = Vec::new();
        let mut origins = Vec::new();
        for Event { method, params } in self.events() {
            match method.as_str() {
                "Network.requestWillBeSent" if params["request"]["method"] == "POST" => {
                    posts.push(params["requestId"].clone());
                }
                "Network.requestWillBeSentExtraInfo" => {
                    let headers = params["headers"].as_object().into_iter().flatten();
                    let origin = headers.clone().find(|(name, _)| name.eq_ignore_ascii_case("origin"));
                    origins.push((params["requestId"].clone(), origin.map(|(_, value)| value.clone())));
                }
                _ => {}
            }
        }
        let of_post = |(id, origin): &(Value, Option<Value>)| posts.contains(id).then(|| origin.clone()).flatten();
        origins.iter().filter_map(of_post).filter_map(|origin| origin.as_str().map(str::to_owned)).collect()
    }

    /// What happened on the wire since the last call.
    fn events(&self) -> Vec<Event> {
        let entries = self.run(self.client.issue_cmd(PerformanceLog));
        let events = entries.as_array().expect("a list of events").iter().map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str().expect("a message")).expect("JSON");
            message["message"].clone()
        });
        events.map(|event| serde_json::from_value(event).expect("an event")).collect()
    }

    /// Looks again and again until there is something.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            if Instant::now() >= deadline {
                panic!("waited in vain for {what} on {}, “{}”:\n{}", self.path(), self.title(), self.text());
            }
            thread::sleep(POLL);
        }
    }

    fn visible(&self, xpath: &str) -> Option<Element> {
        self.displayed(xpath).into_iter().next()
    }

    fn displayed(&self, xpath: &str) -> Vec<Element> {
        let displayed = self.attempt(async {
            let mut displayed = Vec::new();
            for element in self.client.find_all(Locator::XPath(xpath)).await? {
                if element.is_displayed().await? {
                    displayed.push(element);
                }
            }
            Ok(displayed)
        });
        displayed.unwrap_or_default()
    }

    /// What fails while a page comes or goes is looked for again.
    fn attempt<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> Option<T> {
        self.runtime.block_on(async { timeout(COMMAND, command).await.expect("the browser answers").ok() })
    }

    #[track_caller]
    fn run<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> T {
        let result = self.runtime.block_on(async { timeout(COMMAND, command).await.expect("the browser answers") });
        result.unwrap_or_else(|error| panic!("the browser refused: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session ends Chromium; chromedriver, the profile and the seat follow as fields.
        let client = self.client.clone();
        self.runtime.block_on(async { timeout(COMMAND, client.close()).await }).ok();
    }
}

fn profile() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}

fn capabilities(profile: &TempDir) -> Capabilities {
    let options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
            "--window-size=1280,900",
            format!("--user-data-dir={}", profile.path().display()),
        ],
        // Chromium's own start page takes a second to load.
        "prefs": {"session.restore_on_startup": 4, "session.startup_urls": ["about:blank"]},
    });
    Capabilities::from_iter([
        ("goog:chromeOptions".to_owned(), options),
        ("goog:loggingPrefs".to_owned(), json!({"performance": "ALL"})),
    ])
}

/// A link, button or menu by its name: its text, or the label it has instead of one.
fn control(name: &str) -> String {
    let name = quoted(name);
    format!("//*[self::a or self::button or self::summary][normalize-space(.)={name} or @aria-label={name}]")
}

/// A field by its label.
fn field(label: &str) -> String {
    format!("//*[@id=//label[normalize-space(.)={}]/@for]", quoted(label))
}

/// A string of XPath, which knows no escapes.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') { '"' } else { '\'' };
    format!("{quote}{text}{quote}")
}

#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.expect("there is a session")))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"cmd": self.command, "params": self.parameters}).to_string()))
    }
}

/// What happened in the browser since this was asked last.
#[derive(Debug)]
struct PerformanceLog;

impl WebDriverCompatibleCommand for PerformanceLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.expect("there is a session")))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"type": "performance"}).to_string()))
    }
}

#[derive(Deserialize)]
struct Event {
    method: String,
    params: Value,
}

/// Leave to run a browser: more than two at once only make each other late.
struct Seat;

static FREE_SEATS: Mutex<usize> = Mutex::new(2);
static SEAT_FREED: Condvar = Condvar::new();

impl Seat {
    fn take() -> Self {
        let free = FREE_SEATS.lock().expect("nobody panics with the lock");
        let mut free = SEAT_FREED.wait_while(free, |free| *free == 0).expect("nobody panics with the lock");
        *free -= 1;
        Self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *FREE_SEATS.lock().expect("nobody panics with the lock") += 1;
        SEAT_FREED.notify_one();
    }
}
