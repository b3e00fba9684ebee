//! A signed-in user, and one who holds a certain privilege.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;

use actix_session::SessionExt as _;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};

use crate::auth::authorize::sees_all;
use crate::auth::budgets::BudgetOwner;
use crate::domain::event::Actor;
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::session::Session;
use crate::domain::timestamp::{MINUTE, Timestamp};
use crate::domain::user::User;
use crate::storage::acting::{Acting, By};
use crate::storage::{grants, sessions};
use crate::web::budget;
use crate::web::client::Client;
use crate::web::denial::Requester;
use crate::web::error::{Failure, PageFailure};
use crate::web::form::SecretField;
use crate::web::page::{Sections, Shell};
use crate::web::pages::reauthentication;
use crate::web::portal::Portal;
use crate::web::session::key_digest;

/// The user of a live session as the database has them now, and the request that they sent.
#[derive(Clone)]
pub struct SignedIn {
    pub portal: web::Data<Portal>,
    pub request: HttpRequest,
    pub user: User,
    pub session: Session,
    pub client: Client,
    /// The moment of the request.
    pub now: Timestamp,
    /// Whether there is a list of repositories for this user.
    pub sees_repositories: bool,
    recent: Cell<bool>,
}

/// What an error page shows of the user.
#[derive(Debug, Clone)]
pub struct Viewer {
    pub display_name: String,
    pub sections: Sections,
}

impl SignedIn {
    async fn find(request: HttpRequest) -> Result<Self, Failure> {
        let portal = request
            .app_data::<web::Data<Portal>>()
            .cloned()
            .ok_or_else(|| Failure::Internal("no portal in the application".into()))?;
        let missing = || Failure::SessionMissing { next: repeatable(&request) };
        let digest = key_digest(&request.get_session()).ok_or_else(missing)?;
        let found = portal.db.look_up(move |connection| sessions::find_by_key(connection, &digest)).await?;
        let (session, user) = found.ok_or_else(missing)?;
        let now = portal.now();
        if user.disabled_at.is_some() || !session.is_live(now, &portal.settings.lifetimes) {
            return Err(missing());
        }
        let client = Client::of(&request, &portal.settings);
        client.require_private()?;
        budget::charge(&request, &portal, BudgetOwner::User(user.id), user.privileges, now)?;
        // Not at every request, but often enough that nobody who is here is taken for idle.
        if now.since(session.last_seen_at) >= MINUTE.min(portal.settings.lifetimes.idle / 4) {
            portal.uses.session_seen(session.id, now);
        }
        let id = user.id;
        let sees_repositories =
            sees_all(user.privileges) || portal.db.look_up(move |connection| grants::any_of(connection, id)).await?;
        let sections = Sections::of(&user, sees_repositories);
        request.extensions_mut().insert(Viewer { display_name: user.display_name.clone(), sections });
        let recent = session.authenticated_recently(now, &portal.settings.lifetimes);
        let recent = Cell::new(recent);
        let found = Self { portal, request, user, session, client, now, sees_repositories, recent };
        found.request.extensions_mut().insert(Requester::User(found.actor()));
        Ok(found)
    }

    /// Whether the user entered the password recently, or with this request.
    pub const fn authenticated_recently(&self) -> bool {
        self.recent.get()
    }

    /// For the GET of a sensitive form: passes if the password was entered recently, else redirects to its entry and back.
    pub fn require_recent(&self) -> Result<(), Failure> {
        if self.authenticated_recently() {
            return Ok(());
        }
        Err(Failure::ReauthenticationNeeded { next: address(&self.request) })
    }

    /// For the POST of a sensitive form: passes if the password was entered recently or is in `password`; else the error
    /// is in the field.
    pub async fn reauthenticate(&self, password: &mut SecretField) -> Result<bool, Failure> {
        if !self.authenticated_recently() {
            self.recent.set(reauthentication::verify(self, password).await?);
        }
        Ok(self.authenticated_recently())
    }

    /// What a page of this user has around its content.
    pub fn shell(&self) -> Shell {
        Shell::of(&self.portal, &self.request, self)
    }

    /// This user, to act with all of these privileges.
    pub fn acting(&self, needs: Privileges) -> Acting {
        Acting { user: Some(self.user.id), actor: self.actor(), by: By::Session(self.session.id), needs, now: self.now }
    }

    /// Passes if the user holds `privilege`.
    pub fn require(&self, privilege: Privilege) -> Result<(), Failure> {
        if self.user.holds(privilege) {
            return Ok(());
        }
        let label = privilege.label();
        Err(Failure::Forbidden(format!(
            "This needs the privilege {label}, which you do not hold. Ask an administrator for it."
        )))
    }

    /// This user in an event.
    pub fn actor(&self) -> Actor {
        Actor::User {
            id: self.user.id,
            username: self.user.username.as_str().to_owned(),
            address: self.client.address.to_string(),
        }
    }
}

/// The address to come back to, for a request that may be repeated.
fn repeatable(request: &HttpRequest) -> Option<String> {
    [Method::GET, Method::HEAD].contains(request.method()).then(|| address(request))
}

fn address(request: &HttpRequest) -> String {
    request.uri().path_and_query().map_or_else(String::new, ToString::to_string)
}

impl FromRequest for SignedIn {
    type Error = PageFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageFailure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Self::find(request).await?) })
    }
}

/// A privilege as a type.
pub trait Held {
    const PRIVILEGE: Privilege;
}

macro_rules! held {
    ($($name:ident)*) => {$(
        #[doc = concat!("The privilege [`Privilege::", stringify!($name), "`].")]
        #[derive(Debug)]
        pub struct $name;

        impl Held for $name {
            const PRIVILEGE: Privilege = Privilege::$name;
        }
    )*};
}

held! { ApiAccess RepositoryManagement UserManagement SystemManagement }

/// A signed-in user who holds the privilege `P`.
pub struct Holding<P>(pub SignedIn, PhantomData<P>);

impl<P> Deref for Holding<P> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}

impl<P: Held> FromRequest for Holding<P> {
    type Error = PageFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageFailure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let who = SignedIn::find(request).await?;
            who.require(P::PRIVILEGE)?;
            Ok(Self(who, PhantomData))
        })
    }
}
