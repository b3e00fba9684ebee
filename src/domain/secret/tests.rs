//! The form of secrets, and how they are found in other text.

use super::*;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;

fn secret(seed: u8, kind: SecretKind) -> Secret {
    Secret::generate(kind, &mut ChaCha12Rng::from_seed([seed; 32]))
}

#[test]
fn a_fresh_secret_has_the_documented_form() {
    for kind in [SecretKind::ApiToken, SecretKind::RepositoryToken, SecretKind::ServiceToken] {
        let secret = secret(1, kind);
        assert_eq!(secret.reveal().len(), 42);
        assert!(secret.reveal().starts_with(kind.prefix()));
        assert_eq!(recognise(secret.reveal()), Some(kind));
        assert_eq!(secret.hint(), format!("{}…", &secret.reveal()[..10]));
    }
}

#[test]
fn the_checksum_is_the_crc_in_base62_most_significant_first() {
    let body = "thp_00000000000000000000000000000000";
    let mut number: u64 = crc32fast::hash(body.as_bytes()).into();
    let mut digits = String::new();
    for _ in 0..6 {
        digits.insert(0, char::from(ALPHABET[(number % 62) as usize]));
        number /= 62;
    }
    assert_eq!(recognise(&format!("{body}{digits}")), Some(SecretKind::ApiToken));
}

#[test]
fn wrong_prefix_length_alphabet_or_checksum_is_refused() {
    let good = secret(2, SecretKind::ApiToken).reveal().to_owned();
    for bad in [
        String::new(),
        good[..41].to_owned(),
        format!("{good}0"),
        good.replacen("thp_", "thq_", 1),
        good.replacen("thp_", "THP_", 1),
        good.replacen("thp_", "thr_", 1),
        format!("{} {}", &good[..20], &good[21..]),
        format!("{}ӓ{}", &good[..20], &good[22..]),
        "ӓ".repeat(21),
    ] {
        assert_eq!(recognise(&bad), None, "{}", bad.len());
    }
}

#[test]
fn a_digest_and_its_debug_output_do_not_tell_the_secret() {
    let digest = secret(3, SecretKind::ApiToken).digest();
    assert_eq!(format!("{digest:?}"), "Digest(..)");
}

#[test]
fn a_text_with_a_secret_in_it_is_noticed() {
    let good = secret(4, SecretKind::ServiceToken).reveal().to_owned();
    assert!(contains_secret(&format!("/api?token={good}")));
    assert!(contains_secret(&format!("/{}", good.replacen('_', "%5F", 1))));
    assert!(!contains_secret("/profile/api-tokens/thp_AbCdEf"));
    assert!(!contains_secret("ӓthp_ӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓӓ"));
}

#[test]
fn contains_token_finds_well_formed_tokens_only() {
    let good = secret(5, SecretKind::ApiToken).reveal().to_owned();
    for text in [good.clone(), format!("my token is {good}."), format!("ӓ{good}ӓ"), good.replacen('_', "%5F", 1)] {
        assert!(contains_token(&text), "{}", text.replace(&good, "…"));
    }
    for text in ["", "thp_AbCdEf…", "thp_00000000000000000000000000000000000000", &good[..41], &good.to_uppercase()] {
        assert!(!contains_token(text), "{}", text.len());
    }
}

proptest! {
    #[test]
    fn one_changed_character_is_always_noticed(seed in any::<u8>(), at in 4..42_usize, to in 0..62_usize) {
        let good = secret(seed, SecretKind::ApiToken).reveal().to_owned();
        let mut bytes = good.clone().into_bytes();
        bytes[at] = ALPHABET[to];
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(recognise(&changed).is_some(), changed == good);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,64}") {
        let _ = recognise(&text);
        let _ = contains_secret(&text);
        let _ = contains_token(&text);
    }
}
