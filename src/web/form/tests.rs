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
fn unknown_and_repeated_parameters_of_a_query_are_refused() {
    assert!(parse("a=1&b=2").unwrap().check(&["a", "b"]).is_ok());
    assert!(parse("a=1&c=2").unwrap().check(&["a", "b"]).is_err());
    assert!(parse("a=1&a=1").unwrap().check(&["a"]).is_err());
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExampleForm {
    name: Field,
    choice: FormValue,
    password: SecretField,
    several: Vec<FormValue>,
}

fn read(text: &str) -> Result<ExampleForm, Failure> {
    body::read(text.as_bytes())
}

#[test]
fn form_is_read_into_its_struct() {
    let form = read("name=a+b%26c&choice=x&password=p%C3%A4%2B&several=1&several=2&_charset_=utf-8&&").unwrap();
    assert_eq!((form.name.value.as_str(), &*form.choice, form.password.text()), ("a b&c", "x", "pä+"));
    assert_eq!(form.several.iter().map(|value| &**value).collect::<Vec<_>>(), ["1", "2"]);
    assert!(!format!("{form:?}").contains("pä"), "a password is not printed");
    let empty = read("several=1").unwrap();
    assert_eq!((empty.name.value.as_str(), &*empty.choice, empty.several.len()), ("", "", 1));
    assert!(empty.password.is_empty());
}

#[test]
fn form_with_unknown_repeated_or_malformed_fields_is_refused() {
    let problem = |text: &str| read(text).unwrap_err().sentence().to_string();
    assert!(problem("other=1").contains("not known here"));
    for repeated in ["name", "choice", "password"] {
        let sentence = problem(&format!("{repeated}=1&{repeated}=1"));
        assert!(sentence.contains(&format!("“{repeated}” is there more than once")), "{sentence}");
    }
    assert!(problem("name=%ff").contains("UTF-8") && problem("na%ffme=x").contains("UTF-8"));
    assert!(problem(&"several=1&".repeat(2_001)).contains("too many fields"));
}

#[test]
fn token_in_a_chosen_value_is_refused_and_one_in_a_text_field_stays_with_it() {
    let secret = crate::domain::secret::Secret::generate(
        crate::domain::secret::SecretKind::ApiToken,
        &mut crate::randomness::system(),
    );
    let token = secret.reveal();
    for (text, field) in [(format!("choice={token}"), "choice"), (format!("several=1&several={token}"), "several")] {
        let Err(Failure::TokenTyped(problem)) = read(&text) else { panic!("it is refused") };
        assert_eq!(problem.field, field);
    }
    let mut form = read(&format!("name={token}&password={token}")).unwrap();
    assert_eq!(form.name.parse(|text| Ok(text.to_owned())), None);
    assert_eq!((form.name.value.as_str(), form.name.error.is_some()), ("", true));
}
