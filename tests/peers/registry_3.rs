//! Registry tokens by the rules of CNCF Distribution 3.x, which cannot be installed here: `registry/auth/token` of its source,
//! written anew. Unlike 2.8 it knows no libtrust key ids, so that a certificate alone does not make a key id known.

use std::collections::HashMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokenhouse::clock::Clock;

use crate::house::House;
use crate::on_both;
use crate::registry_token::{printed, signed};

on_both![registry_token_is_accepted_by_the_rules_of_distribution_3];

/// Seconds that Distribution allows for clocks that differ.
const LEEWAY: i64 = 60;

/// What a registry reads at its start.
struct Registry3 {
    issuer: String,
    service: String,
    keys: HashMap<String, Vec<u8>>,
}

impl Registry3 {
    /// Reads the section `auth` and the files that it names.
    fn start(section: &str) -> Self {
        let option = |name: &str| {
            let text = section.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            let text = text.unwrap_or_else(|| panic!("{name} is missing:\n{section}"));
            serde_json::from_str::<String>(text).expect("a quoted text")
        };
        let text = fs::read_to_string(option("jwks")).expect("the file is there");
        let jwks: Value = serde_json::from_str(&text).expect("JSON");
        let mut keys = HashMap::new();
        for key in jwks["keys"].as_array().expect("a list") {
            let part = |name: &str| key[name].as_str().expect("a text");
            assert_eq!((part("kty"), part("crv"), part("alg")), ("EC", "P-256", "ES256"));
            let decoded = |name: &str| URL_SAFE_NO_PAD.decode(part(name)).expect("Base64");
            let point = [&[4][..], &decoded("x"), &decoded("y")].concat();
            // The id under which 3.x knows the key from its certificate alone (RFC 7638).
            let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, part("x"), part("y"));
            keys.insert(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)), point.clone());
            keys.insert(part("kid").to_owned(), point);
        }
        assert!(fs::read_to_string(option("rootcertbundle")).is_ok_and(|text| text.contains("BEGIN CERTIFICATE")));
        Self { issuer: option("issuer"), service: option("service"), keys }
    }

    /// The access of a token, or why it is refused.
    fn verify(&self, token: &str) -> Result<Value, &'static str> {
        let parts: Vec<_> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else { return Err("malformed") };
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "malformed");
        let json = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).map_err(|_| "malformed");
        let header = json(header)?;
        // With x5c or jwk in the header, the key would have to chain to rootcertbundle.
        if header.get("x5c").is_some() || header.get("jwk").is_some() || header["alg"] != "ES256" {
            return Err("another kind of key");
        }
        let key = header["kid"].as_str().and_then(|kid| self.keys.get(kid)).ok_or("untrusted key")?;
        let signed = &token[..token.len() - signature.len() - 1];
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
        key.verify(signed.as_bytes(), &decoded(signature)?).map_err(|_| "bad signature")?;
        let claims = json(payload)?;
        let now = Clock::System.now().unix();
        let time = |name: &str| claims[name].as_i64().ok_or("malformed");
        if claims["iss"] != self.issuer.as_str() {
            return Err("untrusted issuer");
        }
        if claims["aud"] != self.service.as_str() {
            return Err("another audience");
        }
        if now > time("exp")? + LEEWAY || now < time("nbf")? - LEEWAY {
            return Err("not at this time");
        }
        Ok(claims["access"].clone())
    }
}

fn registry_token_is_accepted_by_the_rules_of_distribution_3(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let own = format!("payments:{}", ada.repository("payments"));
    let registry = Registry3::start(&printed(&house));
    let sign = || signed(&house, &own, "repository:payments/api:pull,push");
    let token = sign();
    let access = serde_json::json!([{ "type": "repository", "name": "payments/api", "actions": ["pull", "push"] }]);
    assert_eq!(registry.verify(&token), Ok(access.clone()));

    // The key that signs after a rotation was in the file before.
    house.run(&["key", "rotate"], "");
    let header = |token: &str| token.split('.').next().map(str::to_owned);
    let rotated = loop {
        let next = sign();
        if header(&next) != header(&token) {
            break next;
        }
    };
    assert_eq!(registry.verify(&rotated), Ok(access));
    let (signed_part, _) = rotated.rsplit_once('.').expect("three parts");
    let (_, other_signature) = token.rsplit_once('.').expect("three parts");
    assert_eq!(registry.verify(&format!("{signed_part}.{other_signature}")), Err("bad signature"));
    let without_jwks = Registry3 { keys: HashMap::new(), ..registry };
    assert_eq!(without_jwks.verify(&token), Err("untrusted key"));
}
