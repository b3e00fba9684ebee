//! The files of `static/`, embedded, each at an address that changes with its content and may be kept for ever.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use super::error::{Failure, PageFailure};

/// One file.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    pub path: &'static str,
    pub content_type: &'static str,
    pub bytes: &'static [u8],
    /// The same, compressed ahead of time.
    pub gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// `GET /static/{file}`
pub async fn show(request: HttpRequest) -> Result<HttpResponse, PageFailure> {
    let asset = ALL.iter().find(|asset| asset.path == request.path()).ok_or(Failure::NotFound)?;
    let takes_gzip = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|one| takes(one, "gzip")));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, asset.content_type))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"));
    Ok(if takes_gzip {
        response.insert_header((header::CONTENT_ENCODING, "gzip")).body(asset.gzip)
    } else {
        response.body(asset.bytes)
    })
}

/// Whether one part of an Accept-Encoding header names this coding and does not refuse it (RFC 9110, section 12.5.3).
fn takes(part: &str, coding: &str) -> bool {
    let (name, weight) = part.split_once(';').unwrap_or((part, ""));
    let refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()) == Some(0.0);
    name.trim().eq_ignore_ascii_case(coding) && !refused
}
