//! Bodies of requests to the API: JSON objects, read strictly, so that nothing unknown or doubled slips in.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use std::future::{Ready, ready};

use crate::domain::Invalid;
use crate::domain::secret::{contains_token, unless_secret};
use crate::web::error::{Failure, FieldProblem};
use crate::web::form::Body;

const JSON: &str = "application/json";

/// A body that has not been looked at yet: who may send it is decided first.
pub struct JsonBody(Body);

impl FromRequest for JsonBody {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(Body::of(request, payload))))
    }
}

impl JsonBody {
    /// Reads the object `T`. Give `T` `deny_unknown_fields`.
    pub async fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        parse(&self.0.of_type(JSON).await?)
    }

    /// The same where the body may be left out: then it is what `T` is by default.
    pub async fn read_if_any<T: DeserializeOwned + Default>(self) -> Result<T, Failure> {
        match self.0.of_type_if_any(JSON).await? {
            Some(bytes) => parse(&bytes),
            None => Ok(T::default()),
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::BadRequest("The body is not valid UTF-8.".into()))?;
    // The names of fields would be guessed from their places in an array.
    let object = text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
    let mut reader = serde_json::Deserializer::from_str(text);
    if !object {
        let json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let sentence = if json { "The body must be a JSON object." } else { "The body is not valid JSON." };
        return Err(Failure::BadRequest(sentence.into()));
    }
    if let Some(field) = serde_json::from_str(text).ok().and_then(|value| field_with_token(&value)) {
        return Err(Failure::token_typed(&field));
    }
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| failure(&error))?;
    reader.end().map_err(|_| Failure::BadRequest("There is something behind the JSON object.".into()))?;
    Ok(value)
}

/// Where a valid token is in a body: nothing that the API reads is meant for one.
fn field_with_token(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => contains_token(text).then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| Some(format!("[{index}]{}", field_with_token(item)?)))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let inner = if contains_token(name) { String::new() } else { field_with_token(value)? };
            Some(if inner.is_empty() || inner.starts_with('[') {
                format!("{name}{inner}")
            } else {
                format!("{name}.{inner}")
            })
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn failure(error: &serde_path_to_error::Error<serde_json::Error>) -> Failure {
    let inner = error.inner();
    if inner.classify() != Category::Data {
        return Failure::BadRequest(format!(
            "The body is not valid JSON (line {}, column {}).",
            inner.line(),
            inner.column()
        ));
    }
    let message = inner.to_string();
    let named = || unless_secret(message.split('`').nth(1).unwrap_or_default(), "(a token)").to_owned();
    let problem = |field, detail: &str| Failure::Unprocessable(vec![FieldProblem { field, detail: detail.into() }]);
    if message.starts_with("unknown field") {
        return problem(named(), "There is no such field here.");
    }
    if message.starts_with("missing field") {
        return problem(named(), "This field is missing.");
    }
    if message.starts_with("duplicate field") {
        return problem(named(), "This field is there more than once.");
    }
    // What came instead is not repeated: it may be a secret in the wrong place.
    let expected = message.split("expected ").nth(1).and_then(|rest| rest.split(" at line ").next());
    let detail = match expected {
        None => "This value is not understood.".into(),
        // The reader names what it reads them into.
        Some("u8" | "u32" | "i64") => "Must be a whole number.".into(),
        Some("a sequence") => "Must be a list.".into(),
        Some(what) => format!("Must be {what}."),
    };
    problem(error.path().to_string(), &detail)
}

/// The fields of a body that broke a rule, gathered so that one answer names them all.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldProblem>);

impl Fields {
    /// Parses what a field holds; where that is refused, the sentence is kept.
    pub fn parse<T>(&mut self, field: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|Invalid(detail)| self.0.push(FieldProblem { field: field.to_owned(), detail })).ok()
    }

    /// All of them, as the failure of the request.
    pub fn refused(self) -> Failure {
        Failure::Unprocessable(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        name: String,
        #[serde(default)]
        count: Option<u8>,
    }

    fn refusal(text: &[u8]) -> String {
        match parse::<Wish>(text) {
            Err(Failure::Unprocessable(problems)) => format!("{}: {}", problems[0].field, problems[0].detail),
            Err(Failure::BadRequest(sentence)) => sentence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_object_is_read() {
        let wish: Wish = parse(b" {\"name\": \"x\", \"count\": 3}\n").unwrap();
        assert_eq!((wish.name.as_str(), wish.count), ("x", Some(3)));
        assert_eq!(parse::<Wish>(b"{\"name\":\"x\",\"count\":null}").unwrap().count, None);
    }

    #[test]
    fn all_else_is_refused_and_named_but_never_repeated() {
        for (text, sentence) in [
            (&b"{\"nam\": 1}"[..], "nam: There is no such field here."),
            (b"{\"thp_0123456789abcdefghij\": 1}", "(a token): There is no such field here."),
            (b"{}", "name: This field is missing."),
            (b"{\"name\":\"a\",\"name\":\"b\"}", "name: This field is there more than once."),
            (b"{\"name\": 5}", "name: Must be a string."),
            (b"{\"name\": null}", "name: Must be a string."),
            (b"{\"name\":\"a\",\"count\":\"thp_x\"}", "count: Must be a whole number."),
            (b"[\"a\", 1]", "The body must be a JSON object."),
            (b"\"a\"", "The body must be a JSON object."),
            (b"", "The body is not valid JSON."),
            (b"name=a", "The body is not valid JSON."),
            (b"{\"name\": \"a\"", "The body is not valid JSON (line 1, column 12)."),
            (b"{\"name\": \"a\"} {}", "There is something behind the JSON object."),
            (b"{\"name\": \"\xff\"}", "The body is not valid UTF-8."),
        ] {
            assert_eq!(refusal(text), sentence, "{}", String::from_utf8_lossy(text));
        }
        let deep = format!("{{\"name\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(parse::<Wish>(deep.as_bytes()).is_err());
        let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(parse::<Wish>(deep.as_bytes()).is_err());
    }
}
