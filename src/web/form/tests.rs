//! How forms are read.

use super::*;

fn parse(body: &str) -> Result<Typed, Failure> {
    Typed::parse(body.as_bytes())
}

#[test]
fn fields_are_decoded() {
    let typed = parse("name=a+b%26c&empty=&flag&r=1&r=2&&x=%C3%A4").unwrap();
    assert_eq!(typed.text("name"), "a b&c");
    assert_eq!(typed.text("x"), "ä");
    assert_eq!((typed.text("empty"), typed.text("flag"), typed.text("none")), ("", "", ""));
    assert_eq!(typed.all("r"), ["1", "2"]);
}

#[test]
fn what_is_not_utf_8_is_refused_and_not_replaced() {
    assert!(matches!(parse("name=%ff"), Err(Failure::BadRequest(_))));
    assert!(matches!(Typed::parse(b"name=\xff"), Err(Failure::BadRequest(_))));
    assert!(matches!(parse("na%ffme=x"), Err(Failure::BadRequest(_))));
}

#[test]
fn unknown_and_doubled_fields_are_refused() {
    assert!(parse("a=1&b=2").unwrap().check(&["a", "b"], &[]).is_ok());
    assert!(parse("a=1&c=2").unwrap().check(&["a", "b"], &[]).is_err());
    assert!(parse("a=1&a=1").unwrap().check(&["a"], &[]).is_err());
    assert!(parse("a=1&r=1&r=1").unwrap().check(&["a"], &["r"]).is_ok());
}
