//! Texts that people read, such as the names of tokens: what all of them must keep to.

use smol_str::SmolStr;

use super::Invalid;
use super::text::{
    is_joiner, joiners_are_in_place, nfc, nfc_may_fit, nfc_within, search_key, with_single_spaces, without_joiners,
};

/// `text` trimmed, in NFC and with runs of spaces as one, if it has 1 to `longest` characters and none is invisible.
/// `what` begins the sentence of a refusal: "Name", "Display name".
pub fn readable(what: &str, text: &str, longest: usize) -> Result<String, Invalid> {
    let text = readable_or_empty(what, text, longest)?;
    if text.is_empty() {
        return Err(Invalid::new(format!("{what} is empty. Enter 1 to {longest} characters.")));
    }
    Ok(with_single_spaces(&text))
}

/// As [`readable`], but empty is allowed, and spaces stay as they are.
pub fn readable_or_empty(what: &str, text: &str, longest: usize) -> Result<String, Invalid> {
    let text = text.trim();
    let text = nfc_within(text, longest).ok_or_else(|| {
        let length = if nfc_may_fit(text, longest) { nfc(text).chars().count() } else { text.chars().count() };
        Invalid(format!("{what} has {length} characters. Use at most {longest}."))
    })?;
    if text.chars().any(|c| is_invisible(c) && !is_joiner(c)) || !joiners_are_in_place(&text) {
        return Err(Invalid(format!(
            "{what} holds a control or invisible character. Use letters, digits, spaces and signs."
        )));
    }
    Ok(text)
}

/// The names that stand in addresses and credentials, trimmed: `[a-z0-9]+([._-][a-z0-9]+)*`, at most 100 characters.
pub(super) fn dotted(text: &str) -> Result<SmolStr, Invalid> {
    let text = text.trim();
    let words_fit = text
        .split(['.', '_', '-'])
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if text.len() > 100 || !words_fit {
        return Err(Invalid::new(
            "Name must be 1 to 100 lower-case letters a to z and digits, with single dots, underscores or hyphens between them.",
        ));
    }
    Ok(text.into())
}

/// Control characters, and those that reorder or hide text: a name must look like what it is.
pub(super) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The name of an API token: 1 to 100 characters, unique for its owner without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenName(String);

impl TokenName {
    pub const LONGEST: usize = 100;

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        readable("Name", text, Self::LONGEST).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Equal for names that differ only in case, or in joiners that most readers cannot see.
    pub fn key(&self) -> String {
        search_key(&without_joiners(&self.0))
    }
}

/// What the owner of a token wants to remember of it: 1 to 300 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    pub const MAX_LEN: usize = 300;

    /// `None` for an empty text.
    pub fn parse(text: &str) -> Result<Option<Self>, Invalid> {
        let text = readable_or_empty("Note", text, Self::MAX_LEN)?;
        Ok((!text.is_empty()).then_some(Self(text)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_keeps_letters_of_any_language() {
        assert_eq!(TokenName::parse("  Größe 测试 🚀 ").unwrap().as_str(), "Größe 测试 🚀");
        assert_eq!(TokenName::parse("CI Build").unwrap().key(), TokenName::parse("ci bUILD").unwrap().key());
    }

    #[test]
    fn key_of_a_name_whose_lower_case_is_decomposed_is_in_nfc() {
        let key = TokenName::parse("\u{130}").unwrap().key();
        assert!(unicode_normalization::is_nfc(&key));
        // Without the joiner, the letter and its mark are one character.
        assert_eq!(search_key("e\u{301}"), "é");
        assert_eq!(TokenName::parse("É").unwrap().key(), "é");
    }

    #[test]
    fn note_of_300_characters_is_accepted_and_empty_note_is_none() {
        assert_eq!(Note::parse("  ").unwrap(), None);
        assert_eq!(Note::parse(" for  the build ").unwrap().unwrap().as_str(), "for  the build");
        assert!(Note::parse(&"ä".repeat(300)).is_ok());
        let refusal = Note::parse(&"ä".repeat(301)).unwrap_err();
        assert_eq!(refusal.0, "Note has 301 characters. Use at most 300.");
        assert!(Note::parse("a\nb").is_err());
    }

    #[test]
    fn a_hundred_characters_fit_and_one_more_does_not() {
        assert!(TokenName::parse(&"ä".repeat(100)).is_ok());
        let refusal = TokenName::parse(&"ä".repeat(101)).unwrap_err();
        assert_eq!(refusal.0, "Name has 101 characters. Use at most 100.");
    }

    #[test]
    fn token_name_typed_in_another_form_is_the_same_name() {
        let name = TokenName::parse("Größe 2").unwrap();
        assert_eq!(TokenName::parse(" Gro\u{308}ße \u{a0} 2").unwrap(), name);
        assert!(TokenName::parse(&"o\u{308}".repeat(100)).is_ok(), "characters are counted after NFC");
        assert_eq!(TokenName::parse("c\u{200d}i").unwrap().key(), TokenName::parse("CI").unwrap().key());
    }

    #[test]
    fn token_name_with_joiners_between_letters_or_in_emoji_is_accepted() {
        for text in ["می\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}💻"] {
            assert_eq!(TokenName::parse(text).unwrap().as_str(), text);
        }
        for text in ["ci\u{200d}", "\u{200c}ci", "1\u{200d}2", "👩\u{200d}", "a\u{200b}b"] {
            assert!(TokenName::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn blank_control_and_invisible_characters_are_refused() {
        for text in
            ["", "   ", "a\nb", "a\0b", "a\u{1b}[31m", "a\u{202e}b", "a\u{200b}b", "\u{feff}a", "\u{3164}", "a\u{2800}"]
        {
            assert!(TokenName::parse(text).is_err(), "{text:?}");
        }
    }
}
