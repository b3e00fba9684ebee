//! What a program presents: `Authorization: Bearer <token>` (RFC 6750), Basic `<username>:<token>` (RFC 7617), or what
//! clients send instead: `Token <token>` and the bare token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
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
pub fn parse<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Result<Presented, Unusable> {
    parse_with(headers, |part| Some(Zeroizing::new(part.to_owned())))
}

/// As [`parse`], for client authentication at an OAuth endpoint: both parts of Basic credentials are form-encoded
/// (RFC 6749, section 2.3.1).
pub fn parse_client<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Result<Presented, Unusable> {
    parse_with(headers, form_decode)
}

/// Reads a name and a token of a request body, such as `client_id` and `client_secret` (RFC 6749, section 2.3.1).
pub fn named(username: &str, text: &str) -> Result<Presented, Unusable> {
    token(text, Some(username.to_owned()))
}

fn parse_with<'a>(
    mut headers: impl Iterator<Item = &'a [u8]>,
    decode: impl Fn(&str) -> Option<Zeroizing<String>>,
) -> Result<Presented, Unusable> {
    let header = headers.next().ok_or(Unusable::Missing)?;
    if headers.next().is_some() {
        return Err(Unusable::Several);
    }
    let header = std::str::from_utf8(header).map_err(|_| Unusable::Malformed)?;
    // Cargo sends the token without a scheme.
    let header = header.trim();
    let Some((scheme, value)) = header.split_once([' ', '\t']) else {
        return bare(header).map_err(|_| Unusable::Malformed);
    };
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token") {
        bare(value)
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic(value, decode)
    } else {
        Err(Unusable::UnknownScheme)
    }
}

/// Reads a token that stands by itself, as in a form.
pub fn bare(text: &str) -> Result<Presented, Unusable> {
    token(text, None)
}

fn basic(value: &str, decode: impl Fn(&str) -> Option<Zeroizing<String>>) -> Result<Presented, Unusable> {
    if value.len() > LONGEST_BASIC * 4 / 3 + 4 {
        return Err(Unusable::Malformed);
    }
    let decoded = Zeroizing::new(STANDARD.decode(value).map_err(|_| Unusable::Malformed)?);
    let text = std::str::from_utf8(&decoded).map_err(|_| Unusable::Malformed)?;
    let (username, password) = text.split_once(':').ok_or(Unusable::Malformed)?;
    let (Some(username), Some(password)) = (decode(username), decode(password)) else {
        return Err(Unusable::Malformed);
    };
    token(&password, Some(username.to_string()))
}

/// `None` if the decoded bytes are not UTF-8.
fn form_decode(part: &str) -> Option<Zeroizing<String>> {
    let spaced = Zeroizing::new(part.replace('+', " "));
    percent_decode_str(&spaced).decode_utf8().ok().map(|text| Zeroizing::new(text.into_owned()))
}

fn token(text: &str, username: Option<String>) -> Result<Presented, Unusable> {
    // What is pasted often comes with a line end, a blank or a tab.
    let text = text.trim();
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
    fn whitespace_around_a_token_is_ignored() {
        let secret = secret();
        let expected = bare(&secret).unwrap();
        for pasted in [format!("{secret}\n"), format!(" {secret}\r\n"), format!("\t{secret} "), format!("\n\n{secret}")]
        {
            assert_eq!(bare(&pasted).unwrap(), expected);
            let basic = read(&format!("Basic {}\t", STANDARD.encode(format!("ada:{pasted}")))).unwrap();
            assert_eq!((basic.digest, basic.username.as_deref()), (expected.digest, Some("ada")));
        }
        for header in [
            format!("Bearer \t {secret}\t "),
            format!("Token\t{secret}"),
            format!(" {secret}\t"),
            format!("\t{secret}"),
        ] {
            assert_eq!(read(&header).unwrap(), expected);
        }
        let halves = secret.split_at(10);
        assert_eq!(bare(&format!("{} {}", halves.0, halves.1)), Err(Unusable::NotAToken));
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

    #[test]
    fn client_credentials_are_form_decoded() {
        let secret = secret();
        let encoded = secret.replace('_', "%5F");
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for text in [format!("build%2Dcache:{encoded}"), format!("build-cache:{secret}")] {
            let client = parse_client([header(&text).as_bytes()].into_iter()).unwrap();
            assert_eq!((client.digest, client.username.as_deref()), (Digest::of(&secret), Some("build-cache")));
        }
        // Only there: elsewhere RFC 7617 applies, which encodes nothing.
        assert_eq!(read(&header(&format!("ada:{encoded}"))), Err(Unusable::NotAToken));
        let not_utf8 = header(&format!("%ff:{secret}"));
        assert_eq!(parse_client([not_utf8.as_bytes()].into_iter()), Err(Unusable::Malformed));
        let plus = parse_client([header(&format!("a+b:{secret}")).as_bytes()].into_iter()).unwrap();
        assert_eq!(plus.username.as_deref(), Some("a b"));
    }

    proptest! {
        #[test]
        fn no_header_makes_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = parse([bytes.as_slice()].into_iter());
            let _ = parse_client([bytes.as_slice()].into_iter());
        }
    }
}
