//! Stable placeholders for what differs between two runs: ids, secrets, codes, digests, key ids and the server's port.
//!
//! Times stay as they are: the clock of a test stands still.

use super::portal::Portal;

/// Text with a placeholder for each value that differs between two runs.
pub fn redact(portal: &Portal, text: &str) -> String {
    let text = text.replace(&portal.host(), "[host]").replace(&portal.address.to_string(), "[host]");
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(is_part_of_word) {
        redacted.push_str(&rest[..start]);
        let word = &rest[start..];
        let end = word.find(|c| !is_part_of_word(c)).unwrap_or(word.len());
        redacted.push_str(placeholder(&word[..end]).unwrap_or(&word[..end]));
        rest = &word[end..];
    }
    redacted.push_str(rest);
    redact_key_ids(&redacted)
}

/// Replaces the ids of signing keys, which are quoted: twelve groups of four, divided by colons.
fn redact_key_ids(text: &str) -> String {
    let is_group =
        |group: &str| group.len() == 4 && group.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let is_key_id = |part: &str| part.split(':').count() == 12 && part.split(':').all(is_group);
    let parts = text.split('"').map(|part| if is_key_id(part) { "[key id]" } else { part });
    parts.collect::<Vec<_>>().join("\"")
}

fn is_part_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_…".contains(c)
}

/// The placeholder of a word that differs between two runs; `None` for any other word.
fn placeholder(word: &str) -> Option<&'static str> {
    let all = |test: fn(char) -> bool| word.chars().all(test);
    let is_secret = ["thp_", "thr_", "ths_"].iter().any(|prefix| word.starts_with(prefix));
    // Base62 and Base64 of this length have letters of both cases; a name has not.
    let is_mixed = word.contains(|c: char| c.is_ascii_uppercase()) && word.contains(|c: char| c.is_ascii_lowercase());
    match word.len() {
        // A hint is the prefix, 6 characters and an ellipsis of 3 bytes.
        13 if is_secret && word.ends_with('…') => Some("[hint]"),
        42 if is_secret => Some("[secret]"),
        36 if is_uuid(word) => Some("[id]"),
        15..=20 if all(|c| c.is_ascii_digit()) => Some("[id]"),
        22 if is_mixed && !word.contains('…') => Some("[code]"),
        64 if all(|c| c.is_ascii_hexdigit()) => Some("[digest]"),
        // Base64 of a digest, a coordinate or a part of a signed token.
        40.. if is_mixed && !word.contains('…') => Some("[base64]"),
        _ => None,
    }
}

fn is_uuid(word: &str) -> bool {
    let lengths: Vec<_> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
