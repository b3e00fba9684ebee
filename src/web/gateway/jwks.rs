//! `GET /.well-known/jwks.json`: the public keys that registry tokens are signed with (RFC 7517).

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::storage::signing_keys::{Published, published};
use crate::web::error::ApiFailure;
use crate::web::portal::Portal;

/// A JWK Set (RFC 7517, section 5).
#[derive(Serialize)]
pub struct JwksJson {
    keys: Vec<JwkJson>,
}

/// An elliptic curve key (RFC 7518, section 6.2).
#[derive(Serialize)]
struct JwkJson {
    kty: &'static str,
    crv: &'static str,
    r#use: &'static str,
    alg: &'static str,
    /// As in the header of the tokens.
    kid: String,
    x: String,
    y: String,
}

/// `GET /.well-known/jwks.json`: the current key, the next one, and those whose tokens may still be in use.
pub async fn show(portal: web::Data<Portal>) -> Result<HttpResponse, ApiFailure> {
    let keys = portal.db.look_up(published).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=60")).json(JwksJson::of(&keys)))
}

impl JwksJson {
    pub fn of(keys: &[Published]) -> Self {
        Self { keys: keys.iter().map(JwkJson::of).collect() }
    }
}

impl JwkJson {
    fn of(key: &Published) -> Self {
        Self {
            kty: "EC",
            crv: "P-256",
            r#use: "sig",
            alg: "ES256",
            kid: key.public.id().to_string(),
            x: URL_SAFE_NO_PAD.encode(key.public.x()),
            y: URL_SAFE_NO_PAD.encode(key.public.y()),
        }
    }
}
