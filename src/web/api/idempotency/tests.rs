//! Which values of the header are a key.

use super::*;
use header::{HeaderMap, HeaderName, HeaderValue};

fn read(values: &[&str]) -> Result<Option<String>, Failure> {
    let mut headers = HeaderMap::new();
    for value in values {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::from_static(HEADER), value);
    }
    key(&headers)
}

#[test]
fn key_is_read_with_and_without_quotes() {
    let longest = "x".repeat(64);
    assert_eq!(read(&[]).unwrap(), None);
    for (value, expected) in [
        ("8e03978e-40d5-43dd", "8e03978e-40d5-43dd"),
        (" \"8e03978e-40d5-43dd\" ", "8e03978e-40d5-43dd"),
        (r#""a\"b\\c""#, r#"a"b\c"#),
        (&longest, &longest),
        (&format!("\"{longest}\""), &longest),
    ] {
        assert_eq!(read(&[value]).unwrap().as_deref(), Some(expected), "{value}");
    }
}

#[test]
fn key_of_another_form_is_refused() {
    let (long, token) = ("x".repeat(65), format!("thp_{}", "a".repeat(38)));
    for value in ["", "\"\"", "\"", "\"a", "\"a\"b", "\"a\";b=1", r#""a\b""#, "a b", "ä", &long, &token] {
        assert!(matches!(read(&[value]), Err(Failure::BadRequest(_))), "{value}");
    }
    assert!(read(&["a", "a"]).is_err());
}
