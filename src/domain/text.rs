//! Unicode text as people type it: one form in which it is counted and compared.

use icu_properties::props::{EmojiModifier, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// Canonical decomposition makes at most 4 characters of one (Unicode Standard Annex 15, section "Stability of NFC").
const MAX_EXPANSION: usize = 4;
const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// `text` in Normalization Form C.
pub fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

/// `text` in Normalization Form C if that has at most `max_len` characters. Far longer text is not normalized.
pub fn nfc_within(text: &str, max_len: usize) -> Option<String> {
    let text = nfc_may_fit(text, max_len).then(|| nfc(text))?;
    text.chars().nth(max_len).is_none().then_some(text)
}

/// Whether `text` may have at most `max_len` characters after NFC. Where this is `false`, it has more.
pub fn nfc_may_fit(text: &str, max_len: usize) -> bool {
    text.chars().nth(max_len * MAX_EXPANSION).is_none()
}

/// What a search looks into, and what it looks for: lower case in NFC, which lower case alone need not be.
pub fn search_key(text: &str) -> String {
    nfc(&text.to_lowercase())
}

/// `text` without leading and trailing white space, and with one space for each run of white space inside.
pub fn with_single_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Names typed to confirm are compared like this: in NFC, with runs of spaces as one.
pub fn is_same_name(typed: &str, name: &str) -> bool {
    nfc_within(&with_single_spaces(typed), name.chars().count()).is_some_and(|typed| typed == name)
}

/// `text` without U+200C and U+200D, which are invisible between most letters.
pub fn without_joiners(text: &str) -> String {
    text.chars().filter(|&c| !is_joiner(c)).collect()
}

/// Whether every U+200C and U+200D of `text` is where writing needs it: between two letters of a word (Persian, Hindi),
/// or U+200D between two pictures of one emoji (Unicode Technical Standard 51, definition ED-16).
pub fn joiners_are_in_place(text: &str) -> bool {
    let mut before = Context::Other;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if is_joiner(character) {
            let after = characters.peek().map_or(Context::Other, |&next| Context::Other.followed_by(next));
            let in_place = match before {
                // A joiner may precede a vowel sign: Bengali writes U+09B0 U+200D U+09CD U+09AF.
                Context::Word => after == Context::Word || characters.peek().is_some_and(|&next| is_mark(next)),
                Context::Picture => character == ZERO_WIDTH_JOINER && after == Context::Picture,
                Context::Other => false,
            };
            if !in_place {
                return false;
            }
        }
        before = before.followed_by(character);
    }
    true
}

/// What a joiner would join to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// A letter, with any marks on it.
    Word,
    /// A picture, with any variation selector or skin tone.
    Picture,
    Other,
}

impl Context {
    fn followed_by(self, character: char) -> Self {
        if CodePointSetData::new::<ExtendedPictographic>().contains(character) {
            return Self::Picture;
        }
        if GeneralCategoryGroup::Letter.contains(category(character)) {
            return Self::Word;
        }
        match self {
            Self::Word if is_mark(character) => Self::Word,
            Self::Picture if is_part_of_picture(character) => Self::Picture,
            _ => Self::Other,
        }
    }
}

pub const fn is_joiner(character: char) -> bool {
    matches!(character, ZERO_WIDTH_NON_JOINER | ZERO_WIDTH_JOINER)
}

fn is_mark(character: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(character)) && !is_variation_selector(character)
}

fn is_part_of_picture(character: char) -> bool {
    is_variation_selector(character) || CodePointSetData::new::<EmojiModifier>().contains(character)
}

const fn is_variation_selector(character: char) -> bool {
    matches!(character, '\u{FE00}'..='\u{FE0F}')
}

fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nfc_within_counts_characters_after_composition() {
        assert_eq!(nfc_within("e\u{301}e\u{301}", 2).as_deref(), Some("éé"));
        assert_eq!(nfc_within("e\u{301}e\u{301}", 1), None);
        // The character that decomposes furthest: 4 characters are one.
        assert_eq!(nfc_within("\u{3b1}\u{313}\u{300}\u{345}", 1).as_deref(), Some("\u{1f82}"));
        assert_eq!(nfc_within(&"a".repeat(60_000), 100), None);
    }

    #[test]
    fn is_same_name_with_decomposed_letters_and_runs_of_spaces_is_true() {
        assert!(is_same_name(" Gro\u{308}ße \u{a0} 2 ", "Größe 2"));
        assert!(!is_same_name("Größe2", "Größe 2"));
        assert!(!is_same_name("größe 2", "Größe 2"));
        assert!(!is_same_name("", "Größe 2"));
    }

    #[test]
    fn joiners_between_letters_and_in_emoji_are_in_place() {
        for text in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "क्\u{200c}ष",
            "র\u{200d}্যাব",
            "👩\u{200d}💻",
            "👩🏽\u{200d}💻",
            "❤\u{fe0f}\u{200d}🔥",
            "👩\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨",
            "no joiner",
        ] {
            assert!(joiners_are_in_place(text), "{text}");
        }
    }

    #[test]
    fn joiners_elsewhere_are_not_in_place() {
        for text in [
            "\u{200d}a",
            "a\u{200d}",
            "a\u{200c} b",
            "a \u{200c}b",
            "1\u{200d}2",
            "a\u{200c}\u{200d}b",
            "a\u{200d}-",
            "👩\u{200c}💻",
            "👩\u{200d}",
            "👩\u{200d}a",
            "a\u{200d}👩",
            "a\u{fe0f}\u{200d}b",
        ] {
            assert!(!joiners_are_in_place(text), "{}", text.escape_unicode());
        }
    }
}
