//! The same pages in WebKit, the engine of Safari: what it does otherwise than Chromium.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::runtime::Runtime;

use crate::browser::Browser;
use crate::person::{self, NAME, PASSWORD, USERNAME};
use crate::support::process::Process;
use crate::support::server::Server;

/// How long the driver may take to answer. Long, since a busy machine is not a broken program.
const PATIENCE: Duration = Duration::from_secs(60);

/// WebKit on a screen that nobody sees, with `home` for its own files. Returns the processes it needs.
fn start(runtime: &Runtime, home: &Path) -> (Client, Vec<Process>) {
    // Standard output is its number alone; it complains on standard error.
    let screen = "exec Xvfb -displayfd 1 -screen 0 1280x900x24 -nolisten tcp 2>/dev/null";
    let screen = Process::start(Command::new("sh").args(["-c", screen]));
    let display = format!(":{}", screen.line(""));
    let port = free_port();
    let driver = Process::start(
        Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("DISPLAY", display)
            .env("GDK_BACKEND", "x11")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .envs(["HOME", "XDG_RUNTIME_DIR"].map(|name| (name, home))),
    );
    let webdriver = format!("http://127.0.0.1:{port}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let connected = runtime
            .block_on(ClientBuilder::new(HttpConnector::new()).capabilities(Capabilities::new()).connect(&webdriver));
        match connected {
            Ok(client) => return (client, vec![driver, screen]),
            // It says nothing when it listens.
            Err(error) if Instant::now() >= deadline => panic!("WebKit does not start: {error}\n{}", driver.log()),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

#[test]
fn sign_in_on_http_loopback_lasts_in_webkit() {
    let server = Server::start();
    let browser = Browser::other(&server, start);
    browser.go(&server.setup_address());
    person::fill_in_setup(&browser);
    browser.press(NAME);
    browser.press("Sign out");
    browser.expect_heading("Sign in");
    person::sign_in(&browser, USERNAME, PASSWORD, NAME);
    browser.reload();
    browser.until("the user menu after a reload", || browser.offers(NAME).then_some(()));
    person::go_to_tokens(&browser);
    person::generate_token(&browser, "ci");
}
