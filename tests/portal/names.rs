//! Names of all kinds: a page shows them as the text that they are.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokenhouse::domain::name::TokenName;

use crate::support::{PASSWORD, Portal, on_both};

on_both![
    a_hundred_nasty_names_are_shown_as_text,
    token_name_with_joiners_in_place_is_accepted_and_elsewhere_refused,
    token_name_in_another_unicode_form_is_taken,
    names_are_found_and_confirmed_in_any_unicode_form,
];

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
    portal.set_policy("max_api_tokens", "100");
    let ada = portal.user("ada");
    let mut made = Vec::new();
    for name in names() {
        let Ok(parsed) = TokenName::parse(&name) else { continue };
        if !made.iter().any(|(other, _): &(TokenName, _)| other.key() == parsed.key()) {
            made.push((parsed, portal.token_named(&ada, &name)));
        }
    }
    let made: Vec<(String, _)> = made.into_iter().map(|(name, token)| (name.as_str().to_owned(), token)).collect();
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

fn token_name_with_joiners_in_place_is_accepted_and_elsewhere_refused(portal: Portal) {
    let browser = portal.user("ada").sign_in();
    for name in ["می\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}💻"] {
        let (path, _) = browser.create(&browser.token_form(name));
        assert_eq!(browser.page(&path).heading(), name);
    }
    for name in ["ci\u{200d}", "\u{200c}ci", "1\u{200d}2", "👩\u{200d}x"] {
        let error = browser.refused(&browser.token_form(name)).error_at("Name");
        assert!(error.starts_with("Name holds a control or invisible character."), "{name:?}: {error}");
    }
}

fn token_name_in_another_unicode_form_is_taken(portal: Portal) {
    let ada = portal.user("ada");
    portal.token_named(&ada, "Größe 2");
    let browser = ada.sign_in();
    for name in ["Gro\u{308}ße 2", "größe \u{a0} 2", "Grö\u{200d}ße 2"] {
        let error = browser.refused(&browser.token_form(name)).error_at("Name");
        assert!(error.contains("already"), "{name:?}: {error}");
    }
    // 200 characters as they are typed, 100 after NFC.
    browser.create(&browser.token_form(&"o\u{308}".repeat(100)));
}

fn names_are_found_and_confirmed_in_any_unicode_form(portal: Portal) {
    let admin = portal.user_with("ada", "administrator").sign_in();
    portal.repository("payments");
    let form = admin.page(&format!("/admin/users/{}/edit", portal.user("eve").id)).form("Save");
    admin.submit(&form.fill("Display name", "Eve  Gro\u{308}ße")).with(303);
    for search in ["gr%C3%B6%C3%9Fe", "gro%CC%88%C3%9Fe"] {
        let rows = admin.page(&format!("/admin/users?q={search}")).rows().len();
        assert_eq!(rows, 1, "{search}");
    }
    let fields = [("name", " payments \u{a0}"), ("password", PASSWORD)];
    admin.post("/repositories/payments/deletion", &fields).with(303);
}
