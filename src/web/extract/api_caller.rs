//! A program that showed a good token, at a door that speaks JSON.

use std::cell::Cell;
use std::future::Future;
use std::net::IpAddr;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};

use crate::auth::authenticate::{self as auth, Caller, Checked, Reason, Right, authenticate};
use crate::auth::budgets::BudgetOwner;
use crate::auth::credentials::{Presented, Unusable, parse};
use crate::domain::caller::user_agent;
use crate::domain::id::{RepositoryId, UserId};
use crate::domain::privilege::Privileges;
use crate::domain::repository::RepositoryName;
use crate::domain::secret::SecretKind;
use crate::domain::timestamp::Timestamp;
use crate::storage::acting::{Acting, By};
use crate::storage::idempotency::KeyedRequest;
use crate::storage::{Connection, StorageError};
use crate::web::api::answer::Reply;
use crate::web::budget;
use crate::web::client::{self, Client};
use crate::web::denial::Requester;
use crate::web::error::{ApiFailure, Failure};
use crate::web::portal::Portal;

/// The caller of a door. Its use of the token is counted when the handler is done with it.
pub struct ApiCaller {
    caller: Caller,
    right: Option<Right>,
    repository: Cell<Option<RepositoryId>>,
    counts: Cell<bool>,
    writes: Cell<bool>,
    portal: web::Data<Portal>,
    now: Timestamp,
    address: IpAddr,
    agent: String,
    by: Option<By>,
    /// Set where the request has an `Idempotency-Key`.
    keyed: Option<KeyedRequest>,
}

impl ApiCaller {
    /// Notes for which repository the token was used.
    pub fn at(&self, repository: RepositoryId) {
        self.repository.set(Some(repository));
    }

    /// Notes whether the use writes, where the method of the request does not say so.
    pub fn writes(&self, writes: bool) {
        self.writes.set(writes);
    }

    /// Notes that the token, good as it is, opens nothing here: that is no use of it.
    pub fn refused(&self) {
        self.counts.set(false);
    }

    /// Remembers with the request who sent it, for the event of a denial.
    pub fn remember(&self, request: &HttpRequest) {
        request.extensions_mut().insert(Requester::Token(self.caller.clone(), self.address));
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
        let writes = self.writes.get();
        self.portal.uses.token_used(token, repository, self.now, self.address, &self.agent, writes);
    }
}

impl ApiCaller {
    /// Who sent the request, and what they may do at the repository `at`. The one way to a caller, for every door.
    pub async fn check(request: &HttpRequest, at: Option<RepositoryName>) -> Result<Self, Failure> {
        let headers = request.headers().get_all(header::AUTHORIZATION).map(header::HeaderValue::as_bytes);
        Self::check_presented(request, parse(headers), at).await
    }

    /// The same for a token that was found elsewhere than by [`parse`].
    pub async fn check_presented(
        request: &HttpRequest,
        presented: Result<Presented, Unusable>,
        at: Option<RepositoryName>,
    ) -> Result<Self, Failure> {
        let portal = request
            .app_data::<web::Data<Portal>>()
            .ok_or_else(|| Failure::Internal("no portal in the application".into()))?
            .clone();
        let presented = presented.map_err(|unusable| Failure::Unauthorized(Reason::Unusable(unusable)))?;
        let client = Client::of(request, &portal.settings);
        client.require_private()?;
        let now = portal.now();
        let by = match presented.kind {
            SecretKind::ApiToken => Some(By::ApiToken(presented.digest)),
            SecretKind::RepositoryToken => Some(By::RepositoryToken(presented.digest)),
            SecretKind::ServiceToken => None,
        };
        let Checked { caller, right } = authenticate(&portal.db, presented, at, now).await?;
        let own = match &caller {
            Caller::Repository(caller) => Some(caller.repository),
            Caller::ApiToken(_) | Caller::Service(_) => None,
        };
        let repository = Cell::new(right.map(|right| right.repository).or(own));
        let agent = user_agent(client::agent(request));
        let (counts, writes, address) = (Cell::new(true), Cell::new(!request.method().is_safe()), client.address);
        Ok(Self { caller, right, repository, counts, writes, portal, now, address, agent, by, keyed: None })
    }

    /// Makes a change and its answer in one transaction, which also stores the answer if the request has an
    /// `Idempotency-Key`.
    pub async fn answer<E: From<StorageError> + Send + 'static>(
        &self,
        change: impl FnOnce(&mut Connection) -> Result<Reply, E> + Send + 'static,
    ) -> Result<HttpResponse, E> {
        let (portal, keyed, now) = (self.portal.clone(), self.keyed.clone(), self.now);
        let change = move |connection: &mut Connection| -> Result<Reply, E> {
            let reply = change(connection)?;
            if let Some(keyed) = keyed {
                reply.store(connection, &portal.keys, &keyed, now)?;
            }
            Ok(reply)
        };
        let reply = self.portal.db.write(change).await?;
        if let Some(repository) = reply.repository() {
            self.at(repository);
        }
        Ok(reply.into_response())
    }

    /// Counts the request as a change, if it is one. A service changes nothing.
    fn charge(&self, request: &HttpRequest) -> Result<(), Failure> {
        let (owner, privileges) = match &self.caller {
            Caller::ApiToken(own) => (BudgetOwner::TokensOf(own.owner), own.owner_privileges),
            Caller::Repository(own) => (BudgetOwner::Repository(own.repository), Privileges::NONE),
            Caller::Service(_) => return Ok(()),
        };
        budget::charge(request, &self.portal, owner, privileges, self.now)
    }

    /// The moment of the request.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The user's API token that asks, for what a repository or a service cannot do, whatever their permissions.
    pub fn api_token(&self) -> Result<&auth::ApiCaller, Failure> {
        match &self.caller {
            Caller::ApiToken(caller) => Ok(caller),
            Caller::Repository(_) | Caller::Service(_) => {
                Err(Failure::Forbidden("This takes an API token of a user. The token is of another kind.".into()))
            }
        }
    }

    /// The user behind the API token, to act with all of these privileges, which the user must hold.
    pub fn acting(&self, needs: Privileges) -> Result<Acting, Failure> {
        let owner = self.api_token()?;
        if let Some(missing) = needs.iter().find(|privilege| !owner.owner_privileges.contains(*privilege)) {
            return Err(Failure::Forbidden(format!(
                "This needs the privilege {}, which the owner of the token does not hold. Ask an administrator for it.",
                missing.label()
            )));
        }
        self.by_token(Some(owner.owner), needs)
    }

    /// Whoever asks, to change what the token itself stands for.
    pub fn acting_for_itself(&self) -> Result<Acting, Failure> {
        self.by_token(None, Privileges::NONE)
    }

    fn by_token(&self, user: Option<UserId>, needs: Privileges) -> Result<Acting, Failure> {
        if let Caller::Service(_) = self.caller {
            return Err(Failure::Forbidden("A service changes nothing here.".into()));
        }
        let actor = self.caller.actor(self.address.to_string());
        let by = self.by.ok_or_else(|| Failure::Internal("a caller without a token".into()))?;
        Ok(Acting { user, actor, by, needs, now: self.now })
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
        Box::pin(async move {
            let mut caller = Self::check(&request, None).await?;
            caller.keyed = request.extensions().get::<KeyedRequest>().cloned();
            caller.remember(&request);
            caller.charge(&request)?;
            Ok(caller)
        })
    }
}
