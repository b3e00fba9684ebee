//! A service that showed its token: the one who may ask about the tokens of others.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::api_caller::ApiCaller;
use crate::auth::authenticate::{Caller, Reason};
use crate::domain::service::KnownService;
use crate::web::error::{Failure, OAuthFailure};

/// A service. Its use of its own token is counted when the handler is done with it.
pub struct ServiceCaller {
    pub service: KnownService,
    caller: ApiCaller,
}

impl ServiceCaller {
    async fn check(request: &HttpRequest) -> Result<Self, Failure> {
        let caller = ApiCaller::check(request, None).await?;
        if let Caller::Service(service) = &*caller {
            return Ok(Self { service: service.clone(), caller });
        }
        caller.refused();
        Err(Failure::Unauthorized(Reason::NotAService))
    }

    /// Where the service asks from.
    pub const fn address(&self) -> IpAddr {
        self.caller.address()
    }
}

impl FromRequest for ServiceCaller {
    type Error = OAuthFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, OAuthFailure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self::check(&request).await?) })
    }
}
