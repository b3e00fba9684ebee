//! How a client gets the answer to a rotation that it did not receive, with the secret that was replaced.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use super::authenticate::{Reason, Refusal, judge, judge_repository};
use super::credentials::Presented;
use crate::domain::secret::{Digest, SecretKind};
use crate::domain::timestamp::Timestamp;
use crate::storage::known::{Known, Question};
use crate::storage::repository_tokens::KnownRepositoryToken;
use crate::storage::token_secrets::KnownApiToken;
use crate::storage::{Connection, Db, idempotency};

/// How long a check waits for the first use of its secret to be stored. Together with the read before it, a check on
/// PostgreSQL takes at most 2.5 seconds.
const FIRST_USE_TIMEOUT: Duration = Duration::from_millis(300);

/// The secrets whose first use is being stored: many checks at once make one write, and not one each.
static BEING_STORED: LazyLock<Mutex<HashSet<Digest>>> = LazyLock::new(Mutex::default);

/// One of them, until it is dropped.
struct Storing(Digest);

impl Storing {
    /// `None` while another check stores the first use of this secret.
    fn begin(digest: Digest) -> Option<Self> {
        BEING_STORED.lock().unwrap_or_else(PoisonError::into_inner).insert(digest).then(|| Self(digest))
    }
}

impl Drop for Storing {
    fn drop(&mut self) {
        BEING_STORED.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// Ends, before the check is answered, the recovery of the answer that has this secret. Where the database takes no writes,
/// checks go on, and the next one tries again. Checks at the same moment as the first one do not wait for it.
pub(super) async fn note_first_use(db: &Db, kind: SecretKind, digest: Digest) {
    let Some(_storing) = Storing::begin(digest) else { return };
    let note = move |connection: &mut Connection| idempotency::note_first_use(connection, kind, &digest);
    let cause = match tokio::time::timeout(FIRST_USE_TIMEOUT, db.write(note)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".into(),
    };
    tracing::warn!(cause, "the first use of a rotated secret could not be stored; the next check tries again");
}

/// Passes for a secret that was replaced and would be accepted otherwise. That gives access to nothing but the stored
/// answer to the rotation that replaced it.
pub async fn check_replaced(db: &Db, presented: Presented, now: Timestamp) -> Result<(), Refusal> {
    let Presented { kind, digest, username } = presented;
    let name = username.as_deref();
    let known = db.known(Question { kind, digest, at: None }).await?.ok_or(Reason::Unknown)?;
    match &*known {
        Known::ApiToken(known) if known.secret_ends_at.is_some() => {
            judge(&KnownApiToken { secret_ends_at: None, ..known.clone() }, name, now)?;
        }
        Known::RepositoryToken(known) if known.ends_at.is_some() => {
            judge_repository(&KnownRepositoryToken { ends_at: None, ..known.clone() }, name, None, now)?;
        }
        Known::ApiToken(_) | Known::RepositoryToken(_) | Known::Service(_) => return Err(Reason::Unknown.into()),
    }
    Ok(())
}
