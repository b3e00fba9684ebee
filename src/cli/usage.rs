//! What is said of arguments that are not understood. One that is out of place may be a password, a token or a database
//! URL, so that only names are repeated.

use clap::error::{ContextKind, ContextValue, ErrorKind};

const SENTENCE: &str = "there is an argument that is not expected. It is not repeated here, since it may be a secret. \
                        Passwords and tokens are read from standard input, the database URL from the file that \
                        --database-url-file names. See tokenhouse --help.";

/// A sentence to print in place of clap's, if clap's may repeat a secret.
pub fn in_place_of(error: &clap::Error) -> Option<&'static str> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let is_harmless = match error.kind() {
        ErrorKind::UnknownArgument => is_flag(text(ContextKind::InvalidArg)),
        ErrorKind::InvalidSubcommand => is_word(text(ContextKind::InvalidSubcommand)),
        ErrorKind::InvalidValue
        | ErrorKind::ValueValidation
        | ErrorKind::TooManyValues
        | ErrorKind::WrongNumberOfValues
        | ErrorKind::InvalidUtf8 => text(ContextKind::InvalidValue).is_empty(),
        // Names of our own arguments.
        _ => true,
    };
    (!is_harmless).then_some(SENTENCE)
}

fn is_flag(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(is_word)
}

fn is_word(text: &str) -> bool {
    text.len() <= 30 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}
