//! A program that showed a good token, at a door that speaks JSON.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use crate::auth::authenticate::{self, Reason, authenticate};
use crate::auth::credentials::parse;
use crate::web::client::{self, Client};
use crate::web::error::{ApiFailure, Failure};
use crate::web::portal::Portal;

/// The caller of the REST API. Its use of the token has been counted.
#[derive(Debug)]
pub struct ApiCaller(pub authenticate::ApiCaller);

impl Deref for ApiCaller {
    type Target = authenticate::ApiCaller;

    fn deref(&self) -> &authenticate::ApiCaller {
        &self.0
    }
}

impl FromRequest for ApiCaller {
    type Error = ApiFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiFailure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let portal = request
                .app_data::<web::Data<Portal>>()
                .ok_or_else(|| Failure::Internal("no portal in the application".into()))?;
            let headers = request.headers().get_all(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
            let presented = parse(headers).map_err(|unusable| Failure::Unauthorized(Reason::Unusable(unusable)))?;
            let client = Client::of(&request, &portal.settings);
            client.require_private()?;
            let now = portal.now();
            let caller = authenticate(&portal.db, presented, now).await?;
            portal.uses.token_used(caller.token, now, client.address, client::agent(&request));
            Ok(Self(caller))
        })
    }
}
