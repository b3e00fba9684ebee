//! A program that showed a good token, at a door that speaks JSON.

use std::cell::Cell;
use std::future::Future;
use std::net::IpAddr;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use crate::auth::authenticate::{Caller, Checked, Reason, Right, authenticate};
use crate::auth::credentials::parse;
use crate::domain::caller::user_agent;
use crate::domain::id::RepositoryId;
use crate::domain::repository::RepositoryName;
use crate::domain::timestamp::Timestamp;
use crate::web::client::{self, Client};
use crate::web::error::{ApiFailure, Failure};
use crate::web::portal::Portal;

/// The caller of the REST API. Its use of the token is counted when the handler is done with it.
pub struct ApiCaller {
    caller: Caller,
    right: Option<Right>,
    repository: Cell<Option<RepositoryId>>,
    counts: Cell<bool>,
    portal: web::Data<Portal>,
    now: Timestamp,
    address: IpAddr,
    agent: String,
}

impl ApiCaller {
    /// Notes for which repository the token was used.
    pub fn at(&self, repository: RepositoryId) {
        self.repository.set(Some(repository));
    }

    /// Notes that the token, good as it is, opens nothing here: that is no use of it.
    pub fn refused(&self) {
        self.counts.set(false);
    }

    /// Where the request comes from.
    pub const fn address(&self) -> IpAddr {
        self.address
    }
}

impl Deref for ApiCaller {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl Drop for ApiCaller {
    fn drop(&mut self) {
        if !self.counts.get() {
            return;
        }
        let (token, repository) = (self.caller.used(), self.repository.get());
        self.portal.uses.token_used(token, repository, self.now, self.address, &self.agent);
    }
}

impl ApiCaller {
    /// Who sent the request, and what they may do at the repository `at`. The one way to a caller, for every door.
    pub async fn check(request: &HttpRequest, at: Option<RepositoryName>) -> Result<Self, Failure> {
        let portal = request
            .app_data::<web::Data<Portal>>()
            .ok_or_else(|| Failure::Internal("no portal in the application".into()))?
            .clone();
        let headers = request.headers().get_all(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
        let presented = parse(headers).map_err(|unusable| Failure::Unauthorized(Reason::Unusable(unusable)))?;
        let client = Client::of(request, &portal.settings);
        client.require_private()?;
        let now = portal.now();
        let Checked { caller, right } = authenticate(&portal.db, presented, at, now).await?;
        let own = match &caller {
            Caller::Repository(caller) => Some(caller.repository),
            Caller::ApiToken(_) | Caller::Service(_) => None,
        };
        let repository = Cell::new(right.map(|right| right.repository).or(own));
        let agent = user_agent(client::agent(request));
        let counts = Cell::new(true);
        Ok(Self { caller, right, repository, counts, portal, now, address: client.address, agent })
    }

    /// What the caller may do at the repository that was asked for.
    pub const fn right(&self) -> Option<Right> {
        self.right
    }
}

impl FromRequest for ApiCaller {
    type Error = ApiFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiFailure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self::check(&request, None).await?) })
    }
}
