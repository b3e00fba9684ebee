//! How forwarding headers are read.

use super::*;
use actix_web::http::header::{HeaderName, HeaderValue};

fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

#[test]
fn every_form_of_a_node_is_read() {
    for (text, address) in [
        ("203.0.113.66", "203.0.113.66"),
        ("203.0.113.66:40001", "203.0.113.66"),
        ("\"203.0.113.66:40001\"", "203.0.113.66"),
        ("203.0.113.66:_port", "203.0.113.66"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8:0::1]:443", "2001:db8::1"),
        ("\"[2001:db8::1]:443\"", "2001:db8::1"),
        ("[2001:db8::1]:_x.y-z", "2001:db8::1"),
        ("[fe80::1%eth0]:443", "fe80::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:203.0.113.66", "203.0.113.66"),
        ("[::ffff:203.0.113.66]:1", "203.0.113.66"),
    ] {
        assert_eq!(Hop::parse(text), Hop::Address(address.parse().unwrap()), "{text}");
    }
    for text in ["unknown", "UNKNOWN", "unknown:443", "_hidden", "_SEVKISEK:_p", "\"_gazonk\"", "_a.b-c_d"] {
        assert_eq!(Hop::parse(text), Hop::Hidden, "{text}");
    }
    for text in [
        "nonsense",
        "_",
        "203.0.113",
        "203.0.113.66:",
        "203.0.113.66:123456",
        "203.0.113.66:x",
        "[2001:db8::1",
        "[2001:db8::1]443",
        "[203.0.113.66]",
        "\"203.0.113.66",
        "_a b",
        "?",
        "thp_AbCdEf",
    ] {
        assert_eq!(Hop::parse(text), Hop::Unreadable, "{text}");
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_writes_it() {
    let value: &[u8] =
        b"For=\"[2001:db8:cafe::17]:4711\" ; PROTO=http;by=203.0.113.43, ,for=192.0.2.43;proto=\"HTTPS\"";
    let forwarded = Forwarded::of(&headers(&[("forwarded", value), ("forwarded", b"for=_secret;proto=wss, by=_x")]));
    let addresses = ["2001:db8:cafe::17", "192.0.2.43"].map(|text| Hop::Address(text.parse().unwrap()));
    assert_eq!(forwarded.hops, [&addresses[..], &[Hop::Hidden, Hop::Hidden]].concat());
    assert_eq!((forwarded.https, forwarded.announced), (None, true), "the last proxy does not say");
    let one = |value: &[u8]| Forwarded::of(&headers(&[("forwarded", value)]));
    assert_eq!(one(b"for=192.0.2.1;proto=wss").https, Some(true));
    assert_eq!(one(b"for=192.0.2.1;proto=ws").https, Some(false));
    let gopher = one(b"for=x;proto=gopher");
    assert_eq!((gopher.https, gopher.unreadable_scheme, gopher.hops), (Some(false), true, vec![Hop::Unreadable]));
}

#[test]
fn open_quote_of_a_client_does_not_hide_what_a_proxy_appends() {
    let value: &[u8] = b"for=\"x;proto=https, for=203.0.113.7;proto=http";
    let forwarded = Forwarded::of(&headers(&[("forwarded", value)]));
    assert_eq!(forwarded.hops.last(), Some(&Hop::Address("203.0.113.7".parse().unwrap())));
    assert_eq!(forwarded.https, Some(false));
    let list = headers(&[("x-forwarded-for", b"\xff\xfe, \"203.0.113.7:1\"")]);
    assert_eq!(Forwarded::of(&list).hops, [Hop::Unreadable, Hop::Address("203.0.113.7".parse().unwrap())]);
}

#[test]
fn forwarded_is_ignored_beside_x_forwarded_headers() {
    let mut pairs: Vec<(&'static str, &[u8])> = vec![("forwarded", b"for=198.51.100.9;proto=https")];
    pairs.push(("x-forwarded-proto", b"HTTP"));
    let forwarded = Forwarded::of(&headers(&pairs));
    assert_eq!((forwarded.hops, forwarded.https, forwarded.announced), (vec![], Some(false), false));
    for (scheme, https) in [("Https", true), ("WSS", true), ("ws", false), ("https, http", false), ("gopher", false)] {
        let forwarded = Forwarded::of(&headers(&[("x-forwarded-proto", scheme.as_bytes())]));
        assert_eq!((forwarded.https, forwarded.unreadable_scheme), (Some(https), scheme == "gopher"), "{scheme}");
    }
}

#[test]
fn warning_is_due_once_a_minute() {
    let (mut last, start) = (None, Instant::now());
    let after = |seconds| start + Duration::from_secs(seconds);
    let due = [0, 1, 59, 60, 61, 119, 120].map(|seconds| is_due(&mut last, after(seconds)));
    assert_eq!(due, [true, false, false, true, false, false, true]);
}
