//! Takes the pictures of the README: serves the demonstration, signs in with Chromium and writes docs/screenshots.
//!
//! ```sh
//! cargo run --example screenshots
//! ```

#[path = "../tests/browser/browser.rs"]
#[allow(dead_code, reason = "the tests do more than look")]
mod browser;
#[path = "../tests/support/process.rs"]
#[allow(dead_code, reason = "the tests do more than look")]
mod process;

/// What `browser` expects to find by these names.
mod support {
    pub(crate) use crate::process;
    pub mod server {
        pub(crate) use crate::Server;
    }
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use browser::Browser;
use process::Process;

const MANAGER: &str = "mira";
const ADMINISTRATOR: &str = "ada";
const NARROW: u32 = 360;
const WIDE: u32 = 1280;

fn main() {
    let server = Server::start();
    let browser = Browser::open(&server);

    sign_in(&browser, &server, MANAGER);
    browser.go("/repositories");
    take(&browser, "repositories", "light", (WIDE, 720));
    browser.go("/repositories/payments");
    take(&browser, "repository-dark", "dark", (WIDE, 690));
    browser.go("/profile/api-tokens");
    take(&browser, "api-tokens", "light", (WIDE, 780));
    take(&browser, "api-tokens-narrow", "light", (NARROW, 780));
    browser.go("/repositories/payments/configure");
    take(&browser, "configure", "light", (WIDE, 800));
    browser.press("Generate New");
    browser.until("the dialog", || browser.offers("OK").then_some(()));
    take(&browser, "generate-new", "light", (WIDE, 840));

    sign_in(&browser, &server, ADMINISTRATOR);
    browser.go("/admin/users");
    take(&browser, "users", "light", (WIDE, 720));
}

/// In the place of whoever was signed in.
fn sign_in(browser: &Browser, server: &Server, username: &str) {
    browser.devtools("Network.clearBrowserCookies", json!({}));
    browser.go("/login");
    browser.fill("Username", username);
    browser.fill("Password", &server.password);
    browser.press("Sign in");
    browser.expect_path("/repositories");
}

/// Writes what stands in a window of this size; what is longer is cut off.
fn take(browser: &Browser, name: &str, scheme: &str, (width, height): (u32, u32)) {
    let features = json!([
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]);
    browser.devtools("Emulation.setEmulatedMedia", json!({"features": features}));
    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == NARROW}),
    );
    browser.devtools("Emulation.setScrollbarsHidden", json!({"hidden": true}));
    let answer = browser.devtools("Page.captureScreenshot", json!({}));
    let picture = STANDARD.decode(answer["data"].as_str().expect("a picture")).expect("Base64");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots");
    fs::create_dir_all(&folder).expect("the folder for pictures can be made");
    fs::write(folder.join(format!("{name}.png")), &picture).expect("a picture can be written");
    println!("docs/screenshots/{name}.png: {} kB", picture.len().div_ceil(1024));
}

/// The demonstration.
pub struct Server {
    process: Process,
    address: String,
    password: String,
}

impl Server {
    fn start() -> Self {
        let process = Process::start(Command::new(tokenhouse()).args(["--demo", "--listen", "127.0.0.1:0"]));
        let address = process.line("Tokenhouse is listening on ");
        let line = process.line("Sign in with the password ");
        let password = line.split(' ').next().unwrap_or_default().to_owned();
        Self { process, address, password }
    }

    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // In order, so that it removes its data.
        self.process.signal("TERM");
        self.process.wait();
    }
}

/// The program, built if it is not up to date. It lies beside the folder of the examples.
fn tokenhouse() -> PathBuf {
    let built = Command::new(env!("CARGO")).args(["build", "--bin", "tokenhouse"]).status();
    assert!(built.is_ok_and(|status| status.success()), "the program does not compile");
    let example = std::env::current_exe().expect("this program lies somewhere");
    example.parent().and_then(Path::parent).expect("examples lie in a folder of their own").join("tokenhouse")
}
