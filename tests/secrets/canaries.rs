//! The secrets that were used, and the search for them in every spelling.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::tour::Seen;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Password,
    /// Shown on a page, once each time that it was asked for.
    Token,
    /// The code of a set-password link: shown like a token, and in the form that the link leads to.
    Link,
    /// Any other: a cookie, a code, a key.
    Other,
}

struct Canary {
    what: &'static str,
    kind: Kind,
    text: Vec<u8>,
    /// How often it was noted.
    noted: usize,
}

/// All secrets of one tour.
#[derive(Default)]
pub struct Canaries(Vec<Canary>);

impl Canaries {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Notes a password that was typed, right or wrong.
    pub fn password(&mut self, text: &'static str) -> &'static str {
        self.add("a password", Kind::Password, text.as_bytes());
        text
    }

    /// Notes a token, each time that it is asked for. Its random part alone opens nothing, but leads to the rest.
    pub fn token(&mut self, token: &str) {
        self.add("a token", Kind::Token, &token.as_bytes()[4..36]);
    }

    /// Notes the code of a set-password link, like a token.
    pub fn link(&mut self, code: &str) {
        self.add("the code of a set-password link", Kind::Link, code.as_bytes());
    }

    pub fn other(&mut self, what: &'static str, text: &str) {
        self.add(what, Kind::Other, text.as_bytes());
    }

    /// Notes the value of a session's cookie: as it is, decoded, and without its signature.
    pub fn session(&mut self, value: &str) {
        const SIGNATURE: usize = 44;
        let decoded = percent_decode_str(value).decode_utf8_lossy().into_owned();
        self.other("a session cookie", value);
        self.other("a session key", decoded.get(SIGNATURE..).expect("the key follows its signature"));
        self.other("a decoded session cookie", &decoded);
    }

    /// Notes the sealing key, as its file has it and as it is used.
    pub fn add_key(&mut self, file: &str) {
        let text = file.trim().rsplit(':').next().expect("a line has parts");
        let bytes = STANDARD.decode(text).expect("the key is Base64");
        self.other("the sealing key in its file", text);
        self.add("the sealing key", Kind::Other, &bytes);
    }

    /// Notes a registry token by its signature: what stands before it is no secret.
    pub fn registry_token(&mut self, token: &str) {
        let (_, signature) = token.rsplit_once('.').expect("a token has parts");
        self.add("the signature of a registry token", Kind::Token, signature.as_bytes());
    }

    /// Notes the private part of a signing key, PKCS #8 in Base64: the number itself, whatever is written around it.
    pub fn signing_key(&mut self, text: &str) {
        /// In a key on the curve P-256 (RFC 5208 around RFC 5915), whose number this stands before.
        const HEAD: [u8; 7] = [0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20];
        let bytes = STANDARD.decode(text).expect("the key is Base64");
        let at = bytes.windows(HEAD.len()).position(|window| window == HEAD).expect("it is such a key") + HEAD.len();
        self.add("a signing key", Kind::Other, &bytes[at..at + 32]);
        assert!(self.find(&[Kind::Other], text.as_bytes()).is_some(), "it would be found if it were not sealed");
    }

    fn add(&mut self, what: &'static str, kind: Kind, text: &[u8]) {
        assert!(text.len() >= 10, "{what} is too short to be searched for");
        match self.0.iter_mut().find(|known| known.text == text) {
            Some(known) => known.noted += 1,
            None => self.0.push(Canary { what, kind, text: text.to_vec(), noted: 1 }),
        }
    }

    #[track_caller]
    pub fn assert_absent(&self, place: &str, content: &[u8]) {
        self.assert_kinds_absent(&[Kind::Password, Kind::Token, Kind::Link, Kind::Other], place, content);
    }

    #[track_caller]
    pub fn assert_kinds_absent(&self, kinds: &[Kind], place: &str, content: &[u8]) {
        if let Some(found) = self.find(kinds, content) {
            panic!("in {place} is {found}");
        }
    }

    fn find(&self, kinds: &[Kind], content: &[u8]) -> Option<String> {
        let content = latin_1(content);
        let canaries = self.0.iter().filter(|canary| kinds.contains(&canary.kind));
        canaries
            .flat_map(|canary| canary.spellings().into_iter().map(move |(how, needle)| (canary, how, needle)))
            .find_map(|(canary, how, needle)| {
                let at = content.find(&needle)?;
                let before: String = content[..at].chars().rev().take(100).collect();
                let before: String = before.chars().rev().collect();
                Some(format!("{} {how}, after: {before}", canary.what))
            })
    }

    /// Searches every file of the data directory but that of the key, and says how many bytes those were.
    #[track_caller]
    pub fn assert_absent_from_files(&self, data: &Path) -> usize {
        let mut searched = 0;
        for entry in fs::read_dir(data).expect("the data directory is there") {
            let entry = entry.expect("it can be listed");
            let is_file = entry.file_type().expect("it has a type").is_file();
            if is_file && entry.file_name() != "secret.key" {
                let content = fs::read(entry.path()).expect("it can be read");
                searched += content.len();
                self.assert_absent(&entry.path().display().to_string(), &content);
            }
        }
        searched
    }

    /// One page shows a token, or a link, each time that it was asked for, and no other answer ever has it.
    #[track_caller]
    pub fn assert_each_token_was_shown_when_asked_for(&self, answers: &[Seen]) {
        let mut shown = 0;
        for token in self.0.iter().filter(|canary| [Kind::Token, Kind::Link].contains(&canary.kind)) {
            let text = latin_1(&token.text);
            let pages: Vec<&str> = answers
                .iter()
                .filter(|seen| seen.answer.body.contains(&text))
                .filter(|seen| token.kind != Kind::Link || !seen.is_form_of_a_link())
                .map(|seen| seen.question.as_str())
                .collect();
            assert!(pages.len() <= token.noted, "{} is in the answers to {pages:?}", token.what);
            shown += pages.len();
        }
        assert!(shown >= 18, "the tour was shown only {shown} tokens and links");
    }
}

impl Canary {
    /// How it may appear in a text; each byte is the character of its number.
    fn spellings(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![("as it is", latin_1(&self.text))];
        if let Ok(text) = std::str::from_utf8(&self.text) {
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            all.push(("in a form", encoded.replace("%20", "+")));
            all.push(("percent-encoded", encoded));
        }
        all.push(("in hexadecimal digits", self.text.iter().map(|byte| format!("{byte:02x}")).collect()));
        all.push(("as a list of numbers", format!("{:?}", &self.text).trim_matches(['[', ']']).to_owned()));
        all.extend((0..3).map(|offset| ("in Base64", base64_inside(&self.text, offset))));
        all
    }
}

/// Any bytes as text, which the standard library searches much faster than a test's own loop would.
fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// What of the Base64 of a longer text, in which these bytes begin at `offset`, depends on these bytes alone.
fn base64_inside(bytes: &[u8], offset: usize) -> String {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(bytes);
    let encoded = STANDARD_NO_PAD.encode(&padded);
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    encoded[first..last].to_owned()
}

#[test]
fn the_search_finds_every_spelling() {
    let mut canaries = Canaries::default();
    canaries.token("thp_0123456789abcdefghijABCDEFGHIJ01aaaaaa");
    canaries.password("a word & another");
    let find = |content: &str| canaries.find(&[Kind::Password, Kind::Token], content.as_bytes());
    for hidden in [
        STANDARD.encode("ada:thp_0123456789abcdefghijABCDEFGHIJ01aaaaaa"),
        STANDARD.encode("eve1:thp_0123456789abcdefghijABCDEFGHIJ01aaaaaa"),
        STANDARD.encode("grace:thp_0123456789abcdefghijABCDEFGHIJ01aaaaaa"),
        "x=a%20word%20%26%20another".to_owned(),
        "x=a+word+%26+another".to_owned(),
        "GET /0123456789abcdefghijABCDEFGHIJ01".to_owned(),
        format!("{:?}", b"a word & another"),
    ] {
        assert!(find(&hidden).is_some(), "{hidden}");
    }
    assert_eq!(find("thp_012345 and a word or another"), None);
}
