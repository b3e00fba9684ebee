//! Headers that every answer carries, errors too, but for the good ones of forward-auth, which reach no browser.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

static ALWAYS: [(HeaderName, HeaderValue); 9] = [
    pair(
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'",
    ),
    pair("x-content-type-options", "nosniff"),
    // Not `no-referrer`: browsers would send `Origin: null` with the forms of our own pages.
    pair("referrer-policy", "same-origin"),
    pair("x-frame-options", "DENY"),
    pair("cross-origin-opener-policy", "same-origin"),
    pair("cross-origin-resource-policy", "same-origin"),
    pair("permissions-policy", "camera=(), microphone=(), geolocation=(), clipboard-read=()"),
    pair("x-robots-tag", "noindex"),
    pair("x-permitted-cross-domain-policies", "none"),
];

/// Checked when the program is built, and not at every answer.
const fn pair(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

/// Adds them. What is not marked otherwise is never stored by anybody.
pub fn apply(headers: &mut HeaderMap, https: bool) {
    for (name, value) in &ALWAYS {
        headers.insert(name.clone(), value.clone());
    }
    if https {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// What a proxy must heed of an answer that no browser ever sees.
pub fn apply_for_a_proxy(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
