//! Names of all kinds: a page shows them as the text that they are.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokenhouse::domain::name::TokenName;

use crate::support::{Portal, on_both};

on_both![a_hundred_nasty_names_are_shown_as_text];

const CHOSEN: [&str; 24] = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "&lt;b&gt; &amp;amp; &#60; &nbsp",
    "{{ 7 * 7 }} {% include \"x\" %} ${7*7} #{7*7}",
    "<!-- comment",
    "]]> <![CDATA[ x",
    "javascript:alert(1)",
    "../../etc/passwd",
    "'; DROP TABLE users; --",
    "1 OR 1=1",
    "%3Cscript%3E %00 %ff",
    "%s %n %d {0} {}",
    "مرحبا بالعالم",
    "שלום עולם",
    "日本語の名前",
    "👩🏽‍🚀",
    "e\u{301} é Å Å ﬁ ß ẞ İ ı ſ",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A",
    "\u{fffd}\u{fffc}\u{10ffff}",
    "a\\b\\n\\u0041",
    "=cmd|' /C calc'!A0",
    "-x --help",
];

/// A hundred names: those chosen above, and others by chance, the same ones each time.
fn names() -> Vec<String> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let nasty = prop_oneof![
        "[<>\"'&/=;%{}#\\\\ a-z0-9\u{e4}]{1,100}",
        "\\PC{1,100}",
        "[\u{5d0}-\u{5ea}\u{627}-\u{64a} !]{1,60}",
        "[\u{1f300}-\u{1f5ff}<&]{1,40}",
    ];
    let mut names: Vec<String> = CHOSEN.iter().map(|name| (*name).to_owned()).collect();
    while names.len() < 100 {
        names.push(nasty.new_tree(&mut runner).expect("a name").current());
    }
    names
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn a_hundred_nasty_names_are_shown_as_text(portal: Portal) {
    portal.sql("UPDATE policies SET max_api_tokens = 100");
    let ada = portal.user("ada");
    let mut made = Vec::new();
    for name in names() {
        let taken = |other: &(String, _)| other.0.to_lowercase() == name.trim().to_lowercase();
        if TokenName::parse(&name).is_ok() && !made.iter().any(taken) {
            made.push((name.trim().to_owned(), portal.token_named(&ada, &name)));
        }
    }
    assert!(made.len() >= 80, "most of them are names: {}", made.len());
    let browser = ada.sign_in();
    let list = browser.page("/profile/api-tokens");
    assert_eq!(list.all("script").len(), 1, "the page's own");
    assert!(list.all("img, iframe, b").is_empty());
    let mut shown: Vec<String> = list.rows().iter().map(|row| row.cell("Name").to_owned()).collect();
    let mut expected: Vec<String> = made.iter().map(|(name, _)| squeezed(name)).collect();
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    for (name, token) in &made {
        let page = browser.page(&token.path());
        assert_eq!(page.heading(), squeezed(name));
        assert_eq!(page.title(), squeezed(&format!("{name} · Tokenhouse")));
        assert_eq!(page.all("script").len(), 1, "the page's own: {name}");
        assert_eq!(page.all("main a, main svg[role=img], main h1").len(), 6, "no more than there should be: {name}");
        let form = browser.page(&token.page("name")).form("Rename");
        assert_eq!(form.value("name"), *name, "to the last character");
        assert_eq!(portal.api(&token.secret, "/api/v1/me").json()["name"], **name);
    }
}
