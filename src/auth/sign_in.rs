//! Proving who one is with a password: at sign-in, and again before sensitive actions.

use std::net::IpAddr;

use super::budgets::ChangeBudgets;
use super::hasher::{Busy, Hasher, Line, Verdict};
use super::throttle::{Attempt, RetryAfter, Throttle};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::{SessionId, UserId};
use crate::domain::password::{Password, PasswordHash};
use crate::domain::session::Lifetimes;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Username;
use crate::randomness;
use crate::storage::users::Credentials;
use crate::storage::{
    Connection, Db, Result as Stored, StorageError, events, password_links, reveals, sessions, users,
};

/// Why a password did not help. `Wrong` says nothing about what was wrong.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("username or password is wrong")]
    Wrong,
    /// The password was right, but whoever entered it was signed out meanwhile.
    #[error("the session has ended")]
    SessionEnded,
    #[error("too many tries; the next is allowed in {} seconds", .0.0)]
    Throttled(RetryAfter),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Where a try comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    pub address: IpAddr,
    pub user_agent: String,
    /// The user who signed in from this browser before, and the number that the browser got then.
    pub known_device: Option<(UserId, String)>,
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

/// A password in the place of another, which proves the right to change it.
pub struct PasswordChange {
    pub user: UserId,
    pub username: Username,
    /// The one that asks; all others end.
    pub session: SessionId,
    pub lifetimes: Lifetimes,
    pub current: Password,
    pub new: Password,
}

impl Prover<'_> {
    /// Makes a session for the user of that name. Whether the name is unknown, the user disabled or the password wrong,
    /// the same work is done and the same answer given.
    pub async fn sign_in(
        &self,
        username: &str,
        password: Password,
        origin: &Origin,
    ) -> Result<(UserId, SessionId), Refusal> {
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
        let (now, origin) = (self.now, origin.clone());
        let with_event = self.budgets.allows_session_event(Action::SignedIn, user, origin.address, now);
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
        Ok((user, session))
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

    /// Changes a password, which takes back a set-password link, ends all other sessions and counts as an entry. Returns
    /// how many sessions ended.
    pub async fn change_password(&self, change: PasswordChange, origin: &Origin) -> Result<usize, Refusal> {
        let PasswordChange { user, username, session, lifetimes, current, new } = change;
        let account = username.as_str().to_owned();
        let proven = self.prove_again(user, &account, current, origin).await?;
        let hash = self.hasher.hash(new, &mut randomness::system()).await?;
        let (now, address) = (self.now, origin.address.to_string());
        self.db
            .write(move |connection| -> Result<usize, Refusal> {
                still_holds(connection, user, &proven)?;
                if !sessions::set_authenticated(connection, session, now)? {
                    return Err(Refusal::SessionEnded);
                }
                users::set_password(connection, user, &hash)?;
                password_links::withdraw(connection, user)?;
                reveals::withdraw(connection, user)?;
                let ended = sessions::end_others(connection, user, session, now, &lifetimes)?;
                let mut event = event(Action::UserPasswordChanged, user, &account, address);
                event.detail = format!("other sessions ended: {ended}");
                events::append(connection, &event, now, &mut randomness::system())?;
                Ok(ended)
            })
            .await
    }

    /// The stored hash that the password of a signed-in user was right for.
    async fn prove_again(
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
        let device = origin.known_device.clone().filter(|(owner, _)| Some(*owner) == user).map(|(_, device)| device);
        let line = if device.is_some() { Line::KnownDevices } else { Line::Strangers };
        let attempt = Attempt { account, address: origin.address, device };
        self.throttle.admit(&attempt, self.now).map_err(Refusal::Throttled)?;
        let disabled = known.as_ref().is_some_and(|credentials| credentials.disabled);
        let hash = known.and_then(|credentials| credentials.password_hash);
        match (self.hasher.verify(password, hash.clone(), line, &mut randomness::system()).await, user, hash) {
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
        if !self.budgets.allows_failure_event(user, origin.address, self.now) {
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
fn still_holds(connection: &mut Connection, user: UserId, proven: &PasswordHash) -> Result<(), Refusal> {
    users::lock(connection, user)?;
    let now = users::credentials_of(connection, user)?;
    let holds = now.is_some_and(|now| !now.disabled && now.password_hash.as_ref() == Some(proven));
    if holds { Ok(()) } else { Err(Refusal::Wrong) }
}

fn event(action: Action, user: UserId, username: &str, address: String) -> NewEvent {
    NewEvent {
        actor: Actor::User { id: user, username: username.to_owned(), address },
        action,
        subject_kind: "user",
        subject_id: user.to_string(),
        subject_name: username.to_owned(),
        detail: String::new(),
    }
}
