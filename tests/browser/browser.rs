//! One Chromium with a profile of its own, as the tests drive it: by labels, waiting for what must come.
//!
//! It goes through chromedriver, and through Chromium's own protocol for what WebDriver cannot do. Nothing sleeps to
//! let something happen: every look is repeated until it succeeds or `PATIENCE` is over.

use std::cell::Cell;
use std::future::Future;
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

pub struct Browser {
    runtime: Runtime,
    client: Client,
    origin: String,
    javascript: Cell<bool>,
    _driver: Process,
    _profile: TempDir,
    _seat: Seat,
}

impl Browser {
    /// Starts one that may use the clipboard on this server's pages.
    pub fn open(server: &Server) -> Self {
        let seat = Seat::take();
        let profile = TempDir::new().expect("a temporary folder can be made");
        let driver = Process::start(Command::new("chromedriver").args(["--port=0", "--allowed-ips=127.0.0.1"]));
        let port = driver.line("ChromeDriver was started successfully on port ");
        let webdriver = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));

        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let client = runtime
            .block_on(ClientBuilder::new(HttpConnector::new()).capabilities(capabilities(&profile)).connect(&webdriver))
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}\n{}", driver.log()));
        let browser = Self {
            runtime,
            client,
            origin: server.address(""),
            javascript: Cell::new(true),
            _driver: driver,
            _profile: profile,
            _seat: seat,
        };
        browser.devtools(
            "Browser.grantPermissions",
            json!({"origin": browser.origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}),
        );
        browser
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

    pub fn reload(&self) {
        self.run(self.client.refresh());
    }

    /// Opens a second tab and goes on there.
    pub fn new_tab(&self) {
        let tab = self.run(self.client.new_window(true));
        self.run(self.client.switch_to_window(tab.handle));
        self.allow_javascript(self.javascript.get());
    }

    /// Closes this tab and goes on in the first one.
    pub fn close_tab(&self) {
        self.run(self.client.close_window());
        let first = self.run(self.client.windows()).into_iter().next().expect("a tab is left");
        self.run(self.client.switch_to_window(first));
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
        let field = self.until(selector, || self.attempt(self.client.find(Locator::Css(selector))));
        self.run(field.prop("value")).unwrap_or_default()
    }

    /// The text of all that a CSS selector finds.
    #[track_caller]
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let elements = self.run(self.client.find_all(Locator::Css(selector)));
        elements.iter().map(|element| self.run(element.text())).collect()
    }

    // ---- What a person does.

    /// Presses the button, link or menu with exactly this name.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.until(&format!("control “{name}”"), || {
            let control = self.visible(&control(name))?;
            self.attempt(control.click())
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
            "//fieldset[legend[normalize-space(.)={}]]//label[span[normalize-space(.)={}]]",
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

    // ---- The clipboard.

    pub fn clipboard(&self) -> String {
        let script = "navigator.clipboard.readText().then(arguments[0], error => arguments[0](`refused: ${error}`))";
        self.script_async(script, vec![]).as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn put_into_clipboard(&self, text: &str) {
        let script = "navigator.clipboard.writeText(arguments[0]).then(() => arguments[1](''), arguments[1])";
        assert_eq!(self.script_async(script, vec![json!(text)]), json!(""), "the clipboard refused");
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
        self.attempt(async {
            for element in self.client.find_all(Locator::XPath(xpath)).await? {
                if element.is_displayed().await? {
                    return Ok(Some(element));
                }
            }
            Ok(None)
        })?
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

fn capabilities(profile: &TempDir) -> Capabilities {
    let options = json!({
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
            "--window-size=1280,900",
            format!("--user-data-dir={}", profile.path().display()),
        ],
    });
    Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)])
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
