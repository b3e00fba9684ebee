//! Tokenhouse as a person meets it: the real binary, driven through real Chromium, and WebKit.
//!
//! The flows find controls by their documented labels. `./test` installs Chromium and what else is needed; with
//! `TOKENHOUSE_TEST_SCREENSHOTS=folder` the pages are left there as pictures.

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod person;
mod rendering;

mod accessibility;
mod dialogs;
mod keyboard;
mod leaving;
mod new_api_token;
mod reauthentication;
mod reference;
mod repositories;
mod services;
mod users;
mod webkit;
mod weight;
mod without_javascript;
