//! Proving who one is with a password: at sign-in, and again before sensitive actions.

use std::net::IpAddr;

use super::admission::Requester;
use super::budgets::ChangeBudgets;
use super::hasher::{Busy, Hasher, Line, NewPasswordError, Verdict};
use super::throttle::{Attempt, RetryAfter, Throttle, network};
use crate::domain::Invalid;
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::{SessionId, UserId};
use crate::domain::password::{Password, PasswordHash};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Username;
use crate::randomness;
use crate::storage::users::Credentials;
use crate::storage::{Connection, Db, Result as Stored, StorageError, events, sessions, users};

/// Why a password did not help. `Wrong` says nothing about what was wrong.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("username or password is wrong")]
    Wrong,
    /// The password was right, but whoever entered it was signed out meanwhile.
    #[error("the session has ended")]
    SessionEnded,
    /// The current password was right, the new one may not be chosen.
    #[error(transparent)]
    InvalidPassword(Invalid),
    #[error("too many tries; the next is allowed in {} seconds", .0.0)]
    Throttled(RetryAfter),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<NewPasswordError> for Refusal {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Invalid(invalid) => Self::InvalidPassword(invalid),
            NewPasswordError::Busy(busy) => busy.into(),
        }
    }
}

/// Where a try comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    pub address: IpAddr,
    /// Whether that is a trusted proxy, behind which are many clients.
    pub is_proxy: bool,
    pub user_agent: String,
    /// The user who signed in from this browser before, and [`PasswordHash::device_binding`] of that time.
    pub known_device: Option<(UserId, String)>,
}

impl Origin {
    /// Whose hashes in flight a password of this account counts among.
    pub fn requester(&self, account: String) -> Requester {
        Requester { account, address: (!self.is_proxy).then(|| network(self.address)) }
    }
}

/// What proving takes.
#[derive(Clone, Copy)]
pub struct Prover<'a> {
    pub db: &'a Db,
    pub hasher: &'a Hasher,
    pub throttle: &'a Throttle,
    pub budgets: &'a ChangeBudgets,
    pub now: Timestamp,
}

/// Who signed in.
pub struct NewSession {
    pub user: UserId,
    pub session: SessionId,
    /// What the browser keeps, so that it is a known device from now on.
    pub device_binding: String,
}

impl Prover<'_> {
    /// Makes a session for the user of that name. Whether the name is unknown, the user disabled or the password wrong,
    /// the same work is done and the same answer given.
    pub async fn sign_in(&self, username: &str, password: Password, origin: &Origin) -> Result<NewSession, Refusal> {
        let name = Username::parse(username).ok();
        let known = match name.clone() {
            Some(name) => self.db.look_up(move |connection| users::credentials(connection, &name)).await?,
            None => None,
        };
        let account = name.map_or_else(String::new, |name| name.as_str().to_owned());
        let (user, proven, stronger) = match self.prove(account.clone(), known, password, origin).await? {
            Proof::Right { user, proven, stronger } => (user, proven, stronger),
            Proof::Wrong { user } => {
                self.note_failure(user, account, origin, Action::SignInFailed).await?;
                return Err(Refusal::Wrong);
            }
        };
        let device_binding = stronger.as_ref().unwrap_or(&proven).device_binding();
        let (now, origin) = (self.now, origin.clone());
        let with_event = self.db.require_room().is_ok()
            && self.budgets.allows_session_event(Action::SignedIn, user, origin.address, now);
        let session = self
            .db
            .write_beside_checks(move |connection| -> Result<SessionId, Refusal> {
                let rng = &mut randomness::system();
                still_holds(connection, user, &proven)?;
                if let Some(hash) = stronger {
                    users::set_password(connection, user, &hash)?;
                }
                let address = origin.address.to_string();
                let session = sessions::insert(connection, user, &address, &origin.user_agent, now, rng)?;
                if with_event {
                    let event = event(Action::SignedIn, user, &account, address);
                    events::append(connection, &event, now, rng)?;
                }
                Ok(session)
            })
            .await?;
        Ok(NewSession { user, session, device_binding })
    }

    /// Notes in `session` that its user entered the password just now.
    pub async fn reauthenticate(
        &self,
        user: UserId,
        username: &Username,
        session: SessionId,
        password: Password,
        origin: &Origin,
    ) -> Result<(), Refusal> {
        let account = username.as_str().to_owned();
        let proven = self.prove_again(user, &account, password, origin).await?;
        let (now, address) = (self.now, origin.address.to_string());
        self.db
            .write_beside_checks(move |connection| -> Result<(), Refusal> {
                still_holds(connection, user, &proven)?;
                if !sessions::set_authenticated(connection, session, now)? {
                    return Err(Refusal::SessionEnded);
                }
                let event = event(Action::Reauthenticated, user, &account, address);
                Ok(events::append(connection, &event, now, &mut randomness::system())?)
            })
            .await
    }

    /// The stored hash that the password of a signed-in user was right for.
    pub(super) async fn prove_again(
        &self,
        user: UserId,
        account: &str,
        password: Password,
        origin: &Origin,
    ) -> Result<PasswordHash, Refusal> {
        let known = self.db.look_up(move |connection| users::credentials_of(connection, user)).await?;
        match self.prove(account.to_owned(), known, password, origin).await? {
            Proof::Right { proven, .. } => Ok(proven),
            Proof::Wrong { user } => {
                self.note_failure(user, account.to_owned(), origin, Action::ReauthenticationFailed).await?;
                Err(Refusal::Wrong)
            }
        }
    }

    async fn prove(
        &self,
        account: String,
        known: Option<Credentials>,
        password: Password,
        origin: &Origin,
    ) -> Result<Proof, Refusal> {
        let user = known.as_ref().map(|credentials| credentials.id);
        let disabled = known.as_ref().is_some_and(|credentials| credentials.disabled);
        let hash = known.and_then(|credentials| credentials.password_hash);
        let expected = user.zip(hash.as_ref().map(PasswordHash::device_binding));
        let requester = origin.requester(account.clone());
        let attempt = Attempt {
            account,
            address: origin.address,
            is_proxy: origin.is_proxy,
            is_known_device: expected.is_some() && origin.known_device == expected,
        };
        let attempt = self.throttle.admit(attempt, self.now).map_err(Refusal::Throttled)?;
        let line = if attempt.is_known_device { Line::KnownDevices } else { Line::Strangers };
        let verdict = self.hasher.verify(password, hash.clone(), line, requester, &mut randomness::system()).await;
        match (verdict, user, hash) {
            (Ok(Verdict::Right { stronger }), Some(user), Some(proven)) if !disabled => {
                self.throttle.forgive(&attempt);
                Ok(Proof::Right { user, proven, stronger })
            }
            (Ok(_), user, _) => Ok(Proof::Wrong { user }),
            (Err(busy), ..) => {
                self.throttle.give_back(&attempt);
                Err(busy.into())
            }
        }
    }

    /// An unknown name gets its event too, so that the answer takes the same way; without the name, which may be a password.
    async fn note_failure(&self, user: Option<UserId>, account: String, origin: &Origin, action: Action) -> Stored<()> {
        if self.db.require_room().is_err() || !self.budgets.allows_failure_event(user, origin.address, self.now) {
            return Ok(());
        }
        let now = self.now;
        let event = NewEvent::failed_password(user, account, origin.address.to_string(), action);
        let append =
            move |connection: &mut Connection| events::append(connection, &event, now, &mut randomness::system());
        self.db.write_beside_checks(append).await
    }
}

enum Proof {
    Right {
        user: UserId,
        /// The stored hash that the password was right for.
        proven: PasswordHash,
        stronger: Option<PasswordHash>,
    },
    Wrong {
        user: Option<UserId>,
    },
}

/// While the password was being hashed, the user may have been disabled or given another: locks the user and looks again.
pub(super) fn still_holds(connection: &mut Connection, user: UserId, proven: &PasswordHash) -> Result<(), Refusal> {
    users::lock(connection, user)?;
    let now = users::credentials_of(connection, user)?;
    let holds = now.is_some_and(|now| !now.disabled && now.password_hash.as_ref() == Some(proven));
    if holds { Ok(()) } else { Err(Refusal::Wrong) }
}

pub(super) fn event(action: Action, user: UserId, username: &str, address: String) -> NewEvent {
    NewEvent {
        actor: Actor::User { id: user, username: username.to_owned(), address },
        action,
        subject_kind: "user",
        subject_id: user.to_string(),
        subject_name: username.to_owned(),
        detail: String::new(),
    }
}
