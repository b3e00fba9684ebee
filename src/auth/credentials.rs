//! What a program presents: `Authorization: Bearer <token>` (RFC 6750), Basic `<username>:<token>` (RFC 7617), or what
//! clients send instead: `Token <token>` and the bare token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::domain::secret::{Digest, SecretKind, recognise};

/// A well-formed token and the name it came with. The token itself is no longer here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    pub kind: SecretKind,
    pub digest: Digest,
    /// With Basic; `None` otherwise.
    pub username: Option<String>,
}

/// Why nothing could be made of the Authorization headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("no Authorization header")]
    Missing,
    #[error("more than one Authorization header")]
    Several,
    #[error("the scheme is neither Bearer, Basic nor Token")]
    UnknownScheme,
    #[error("the header is malformed")]
    Malformed,
    #[error("the token's form or checksum is wrong")]
    NotAToken,
}

/// Longest decoded Basic value that is looked at: a username, a colon and a token are far shorter.
const LONGEST_BASIC: usize = 512;

/// Reads the values of all Authorization headers of a request. Asks no database.
pub fn parse<'a>(mut headers: impl Iterator<Item = &'a [u8]>) -> Result<Presented, Unusable> {
    let header = headers.next().ok_or(Unusable::Missing)?;
    if headers.next().is_some() {
        return Err(Unusable::Several);
    }
    let header = std::str::from_utf8(header).map_err(|_| Unusable::Malformed)?;
    // Cargo sends the token without a scheme.
    let Some((scheme, value)) = header.split_once(' ') else { return bare(header).map_err(|_| Unusable::Malformed) };
    let value = value.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        bare(value)
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic(value)
    } else {
        Err(Unusable::UnknownScheme)
    }
}

/// Reads a token that stands by itself, as in a form.
pub fn bare(text: &str) -> Result<Presented, Unusable> {
    token(text, None)
}

fn basic(value: &str) -> Result<Presented, Unusable> {
    if value.len() > LONGEST_BASIC * 4 / 3 + 4 {
        return Err(Unusable::Malformed);
    }
    let decoded = Zeroizing::new(STANDARD.decode(value).map_err(|_| Unusable::Malformed)?);
    let text = std::str::from_utf8(&decoded).map_err(|_| Unusable::Malformed)?;
    let (username, password) = text.split_once(':').ok_or(Unusable::Malformed)?;
    token(password, Some(username.to_owned()))
}

fn token(text: &str, username: Option<String>) -> Result<Presented, Unusable> {
    let kind = recognise(text).ok_or(Unusable::NotAToken)?;
    Ok(Presented { kind, digest: Digest::of(text), username })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha12Rng;

    fn secret() -> String {
        Secret::generate(SecretKind::ApiToken, &mut ChaCha12Rng::from_seed([3; 32])).reveal().to_owned()
    }

    fn read(header: &str) -> Result<Presented, Unusable> {
        parse([header.as_bytes()].into_iter())
    }

    #[test]
    fn parse_every_scheme_returns_the_same_digest() {
        let secret = secret();
        let digest = Digest::of(&secret);
        for header in [format!("Token {secret}"), format!("tOKEN {secret}"), format!("BEARER {secret}"), secret.clone()]
        {
            assert_eq!(read(&header).map(|presented| presented.digest), Ok(digest), "{}", header.replace(&secret, "…"));
        }
        let bearer = read(&format!("bearer {secret}")).unwrap();
        let basic = read(&format!("Basic {}", STANDARD.encode(format!("Ada:{secret}")))).unwrap();
        assert_eq!(bearer.digest, basic.digest);
        assert_eq!((bearer.username, basic.username.as_deref()), (None, Some("Ada")));
    }

    #[test]
    fn anything_else_is_unusable_and_says_why() {
        let secret = secret();
        assert_eq!(parse(std::iter::empty()), Err(Unusable::Missing));
        let header = format!("Bearer {secret}");
        assert_eq!(parse([header.as_bytes(), header.as_bytes()].into_iter()), Err(Unusable::Several));
        for (header, reason) in [
            ("thp_short".into(), Unusable::Malformed),
            (format!("Digest {secret}"), Unusable::UnknownScheme),
            ("Bearer thp_short".into(), Unusable::NotAToken),
            ("Basic !!!".into(), Unusable::Malformed),
            (format!("Basic {}", STANDARD.encode("no colon")), Unusable::Malformed),
            (format!("Basic {}", STANDARD.encode(b"a:\xff\xfe")), Unusable::Malformed),
            (format!("Basic {}", "A".repeat(64 * 1024)), Unusable::Malformed),
            (format!("Basic {}", STANDARD.encode("ada:password")), Unusable::NotAToken),
        ] {
            assert_eq!(read(&header), Err(reason), "{}", &header[..header.len().min(40)]);
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = parse([bytes.as_slice()].into_iter());
        }
    }
}
