//! A service that showed its token: the one who may ask about the tokens of others.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};

use super::api_caller::ApiCaller;
use crate::auth::authenticate::{Caller, Reason};
use crate::auth::credentials::{Presented, Unusable, named, parse_client};
use crate::domain::service::KnownService;
use crate::web::error::Failure;
use crate::web::form::{Body, Typed};

/// A service. Its use of its own token is counted when the handler is done with it.
pub struct ServiceCaller {
    pub service: KnownService,
    caller: ApiCaller,
}

impl ServiceCaller {
    /// Authenticates the service by the Authorization header, or by `client_id` and `client_secret` in the body, and
    /// returns it with the parameters of the body. A request that uses both methods is refused (RFC 6749, section 2.3).
    pub async fn authenticate(request: &HttpRequest, body: Body) -> Result<(Self, Typed), Failure> {
        let parameters = body.parameters().await;
        let presented = presented(request, parameters.as_ref().ok())?;
        let caller = ApiCaller::check_presented(request, presented, None).await?;
        let Caller::Service(service) = &*caller else {
            caller.refused();
            return Err(Failure::Unauthorized(Reason::NotAService));
        };
        let service = service.clone();
        // A body that cannot be read is reported to services only; others get 401.
        let parameters = parameters?;
        // The client may name itself beside the header (RFC 6749, section 3.2.1).
        let id = parameters.text("client_id");
        if !id.is_empty() && id != service.name.as_str() {
            caller.refused();
            return Err(Failure::Unauthorized(Reason::WrongServiceName(service.name)));
        }
        Ok((Self { service, caller }, parameters))
    }

    /// Where the service asks from.
    pub const fn address(&self) -> IpAddr {
        self.caller.address()
    }
}

fn presented(request: &HttpRequest, body: Option<&Typed>) -> Result<Result<Presented, Unusable>, Failure> {
    let (id, secret) = body.map_or(("", ""), |body| (body.text("client_id"), body.text("client_secret")));
    let in_header = request.headers().contains_key(header::AUTHORIZATION);
    Ok(match (in_header, secret) {
        (true, "") => parse_client(request.headers().get_all(header::AUTHORIZATION).map(HeaderValue::as_bytes)),
        (true, _) => {
            let sentence = "The client authenticates twice. Send either the Authorization header or “client_secret”.";
            return Err(Failure::BadRequest(sentence.into()));
        }
        (false, "") => Err(Unusable::Missing),
        (false, _) if id.is_empty() => {
            return Err(Failure::BadRequest("The parameter “client_id” is missing.".into()));
        }
        (false, secret) => named(id, secret),
    })
}
