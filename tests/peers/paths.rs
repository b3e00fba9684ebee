//! Two repositories behind one proxy: no address leads around the question whose half it is. What the proxy takes for one half
//! must not be the other to the service, in whatever way the service reads addresses.

use percent_encoding::percent_decode_str;

use crate::house::{House, basic};
use crate::on_both;
use crate::site::Halves;

on_both![no_address_leads_around_nginx, no_address_leads_around_caddy];

/// What might lead a token of `payments` to `reports`.
const WAYS: [&str; 31] = [
    "/payments/../reports/x",
    "/payments/%2e%2e/reports/x",
    "/payments/.%2E/reports/x",
    "/payments/..%2freports/x",
    "/payments%2f..%2Freports/x",
    "/payments%2f../reports/x",
    "/payments/%252e%252e/reports/x",
    "/%70ayments/../reports/x",
    "/PAYMENTS/../reports/x",
    "/payments/../REPORTS/x",
    "//reports/x",
    "/payments/..//reports/x",
    "/payments//../reports/x",
    "/payments/x//../../reports/x",
    "/reports//../payments/x",
    "/reports/%2f../payments/x",
    "/reports/x/../../payments/x",
    "/payments/;/../reports/x",
    "/payments/..;/reports/x",
    "/payments/..;x=1/reports/x",
    "/payments;/../reports/x",
    "/payments/..\\reports/x",
    "/payments/..%5creports/x",
    "/payments/#/../../reports/x",
    "/reports/x#/../../payments/x",
    "/payments/%23/../../reports/x",
    "/payments/?/../../reports/x",
    "/payments/%3f/../../reports/x",
    "http://HOST/reports/x",
    "http://HOST/payments/../reports/x",
    "http://HOST/payments/?@/reports/x",
];

fn no_address_leads_around_nginx(house: House) {
    no_address_leads_around(&Halves::behind_nginx(house));
}

fn no_address_leads_around_caddy(house: House) {
    no_address_leads_around(&Halves::behind_caddy(house));
}

fn no_address_leads_around(site: &Halves) {
    let [(name, secret), _] = &site.tokens;
    let credentials = basic(name, secret);
    let ask = |target: &str| {
        let headers = [("Authorization", credentials.as_str())];
        site.proxy.ask_with("GET", "/", &headers, &["--request-target", target])
    };
    ask("/payments/x..y/?back=/../reports/x").with(200);
    for way in WAYS {
        let target = way.replace("HOST", &site.proxy.host());
        let before = site.upstream.seen();
        let reply = ask(&target);
        assert!(reply.status < 500, "{way}: {reply:?}");
        for reached in &site.upstream.targets()[before..] {
            for read in readings(reached) {
                assert!(!read.starts_with("/reports/"), "{way} reached {reached}, which may be read as {read}");
            }
        }
    }
}

/// What services may make of an address: with or without fragments, empty segments and parameters of segments.
fn readings(target: &str) -> Vec<String> {
    let path = target.split_once("://").map_or(target, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let path = path.split('?').next().unwrap_or_default();
    let mut readings = vec![];
    for path in [path, path.split('#').next().unwrap_or_default()] {
        let path = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/").to_lowercase();
        for merges in [false, true] {
            for cuts in [false, true] {
                readings.push(read(&path, merges, cuts));
            }
        }
    }
    readings
}

fn read(path: &str, merges: bool, cuts: bool) -> String {
    let mut read = vec![];
    for segment in path.split('/').skip(1) {
        let segment = if cuts { segment.split(';').next().unwrap_or_default() } else { segment };
        match segment {
            ".." => drop(read.pop()),
            "." => {}
            "" if merges => {}
            _ => read.push(segment),
        }
    }
    format!("/{}", read.join("/"))
}
