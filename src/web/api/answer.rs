//! What the API answers: JSON with a newline at its end, and a tag where somebody may ask whether it has changed.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::web::error::Failure;

/// An answer with this status.
pub fn json(status: StatusCode, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    let body = text(body)?;
    Ok(HttpResponse::build(status).insert_header(header::ContentType::json()).body(body))
}

/// Something new, and its address.
pub fn created(location: String, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    let body = text(body)?;
    Ok(HttpResponse::Created()
        .insert_header(header::ContentType::json())
        .insert_header((header::LOCATION, location))
        .body(body))
}

/// Done, and there is nothing to tell.
pub fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// One thing with an `ETag`, or 304 where the request knows it as it is (RFC 9110, section 13.1.2).
pub fn tagged(request: &HttpRequest, body: &impl Serialize) -> Result<HttpResponse, Failure> {
    let body = text(body)?;
    let tag = tag(body.as_bytes());
    Ok(unless_known(request, &tag, || HttpResponse::Ok().insert_header(header::ContentType::json()).body(body)))
}

/// The tag of these bytes.
pub fn tag(body: &[u8]) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(body)[..12]))
}

/// The answer with its tag, or 304.
pub fn unless_known(request: &HttpRequest, tag: &str, answer: impl FnOnce() -> HttpResponse) -> HttpResponse {
    let mut response = if knows(request, tag) { HttpResponse::NotModified().finish() } else { answer() };
    if let Ok(value) = header::HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

fn knows(request: &HttpRequest, tag: &str) -> bool {
    request.headers().get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok()).any(|known| {
        known.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    })
}

/// JSON as a text file is: it ends with a newline.
pub fn text(body: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string(body).map_err(|error| Failure::Internal(format!("JSON: {error}")))?;
    text.push('\n');
    Ok(text)
}
