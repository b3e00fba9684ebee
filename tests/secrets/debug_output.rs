//! What the types print of themselves where somebody asks for `Debug`: nothing, or nothing of the secret.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use tokenhouse::auth::credentials::parse;
use tokenhouse::config::{Config, Flags};
use tokenhouse::domain::password::{Password, PasswordHash};
use tokenhouse::domain::secret::{Digest, Secret, SecretKind};
use tokenhouse::randomness;
use tokenhouse::storage::sealing::SealingKeys;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    flags: Flags,
}

fn config(password: &str) -> Config {
    let url = format!("--database-url=postgres://ada:{password}@db.example/tokens?password={password}");
    Config::from_flags(&Line::parse_from(["tokenhouse", &url]).flags).expect("it is a good configuration")
}

fn secret() -> Secret {
    Secret::generate(SecretKind::ApiToken, &mut randomness::system())
}

/// Two things that differ in their secret alone look the same.
#[track_caller]
fn assert_alike<T: Debug>(one: &T, other: &T) {
    assert_eq!(format!("{one:?}{one:#?}"), format!("{other:?}{other:#?}"));
}

#[test]
fn what_holds_a_secret_looks_the_same_whatever_the_secret() {
    assert_alike(&config("hunter2"), &config("correct horse"));
    let (one, other) = (secret(), secret());
    assert_alike(&Digest::of(one.reveal()), &Digest::of(other.reveal()));
    let bearer = |secret: &Secret| parse([format!("Bearer {}", secret.reveal()).as_bytes()].into_iter());
    assert_alike(&bearer(&one).expect("a token"), &bearer(&other).expect("a token"));
    let basic = |secret: &Secret| {
        let header = format!("Basic {}", STANDARD.encode(format!("ada:{}", secret.reveal())));
        parse([header.as_bytes()].into_iter())
    };
    assert_alike(&basic(&one).expect("a token"), &basic(&other).expect("a token"));
    let hash = |text: &str| PasswordHash::from_phc(text.to_owned());
    assert_alike(&hash("$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA"), &hash("another"));
}

#[test]
fn sealing_keys_show_their_ids_alone() {
    let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
    let path = folder.path().join("secret.key");
    let keys = SealingKeys::load_or_generate(&path, &mut randomness::system()).expect("a key can be made");
    let file = std::fs::read_to_string(&path).expect("it was written");
    let (id, _) = file.trim().split_once(':').expect("an id and a key");
    assert_eq!(format!("{keys:?}"), format!("[{id:?}]"));
}

/// Fails to compile for a type that has `Debug` or `Display`: it could not tell which of two is meant.
macro_rules! assert_prints_nothing {
    ($($type:ty)*) => {$(
        const _: fn() = || {
            trait Which<Mark> {
                const ONE: () = ();
            }
            struct HasDebug;
            struct HasDisplay;
            impl<T: ?Sized> Which<()> for T {}
            impl<T: ?Sized + Debug> Which<HasDebug> for T {}
            impl<T: ?Sized + std::fmt::Display> Which<HasDisplay> for T {}
            let () = <$type as Which<_>>::ONE;
        };
    )*};
}

assert_prints_nothing! { Secret Password }
