//! Secrets from standard input, which no process list and no shell history shows.

use std::io::{self, Read as _};

use zeroize::Zeroizing;

use super::Failure;

/// No password and no token is as long; more is not read.
const LONGEST: u64 = 4096;

/// All of standard input, which must be one line. `what` names it in a refusal: "password".
pub fn secret_line(what: &str) -> Result<Zeroizing<String>, Failure> {
    read(io::stdin().lock(), what)
}

/// A token on standard input, without the whitespace around it.
pub fn token() -> Result<Zeroizing<String>, Failure> {
    pasted(io::stdin().lock(), "token")
}

fn pasted(input: impl io::Read, what: &str) -> Result<Zeroizing<String>, Failure> {
    let all = read_all(input, what)?;
    one_line(all.trim(), what)
}

fn read(input: impl io::Read, what: &str) -> Result<Zeroizing<String>, Failure> {
    let all = read_all(input, what)?;
    let line = all.strip_suffix('\n').unwrap_or(&all);
    one_line(line.strip_suffix('\r').unwrap_or(line), what)
}

fn read_all(input: impl io::Read, what: &str) -> Result<Zeroizing<String>, Failure> {
    // Room for all of it, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    input
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::Failed(format!("cannot read the {what} from standard input: {error}.")))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::Failed(format!("the {what} on standard input is not UTF-8 text.")))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn one_line(line: &str, what: &str) -> Result<Zeroizing<String>, Failure> {
    if line.is_empty() {
        return Err(Failure::Failed(format!("there is no {what} on standard input. Write it there, as one line.")));
    }
    if line.len() as u64 >= LONGEST || line.contains(['\n', '\r', '\0']) {
        return Err(Failure::Failed(format!(
            "standard input holds more than a {what}. Write the {what} there alone, as one line."
        )));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &[u8]) -> Option<String> {
        read(text, "password").ok().map(|line| line.to_string())
    }

    #[test]
    fn the_line_end_is_no_part_of_a_password_and_blanks_are() {
        for text in ["kupfer Wal 9 ", "kupfer Wal 9 \n", "kupfer Wal 9 \r\n"] {
            assert_eq!(line(text.as_bytes()).as_deref(), Some("kupfer Wal 9 "));
        }
    }

    #[test]
    fn whitespace_around_a_pasted_token_is_ignored() {
        for text in ["thp_x", "\nthp_x\n\n", "\t thp_x \r\n \r\n"] {
            assert_eq!(pasted(text.as_bytes(), "token").ok().as_deref().map(String::as_str), Some("thp_x"), "{text:?}");
        }
        for text in ["", " \n", "thp_x\nthp_y"] {
            assert!(pasted(text.as_bytes(), "token").is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_single_line_is_refused() {
        for text in [&b""[..], b"\n", b"one\ntwo\n", b"one\n\n", b"\xff", &[b'x'; 5000]] {
            assert_eq!(line(text), None);
        }
    }
}
