//! `tokenhouse token revoke`: for a token that leaked and lies before the operator.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::cli::command::{Command, Refused, perform};
use crate::cli::{Failure, input, say};
use crate::config::Config;
use crate::domain::event::Actor;
use crate::domain::secret::{Digest, SecretKind, recognise};
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::api_token_changes::{Change, Refusal};
use crate::storage::held::Held;
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, token_secrets};

/// A token to be revoked, in clear: the socket it goes through is the server's user's alone.
#[derive(Serialize, Deserialize)]
pub struct Revoke {
    token: String,
}

pub fn run(config: &Config) -> Result<(), Failure> {
    let token = input::token()?;
    if recognise(&token).is_none() {
        return Err(Failure::Failed(
            "standard input holds no token. Tokens have 42 characters and begin with thp_, thr_ or ths_; check that it was copied whole.".to_owned(),
        ));
    }
    let said = perform(config, Command::TokenRevoke(Revoke { token: token.to_string() }))?;
    say(&said).map_err(Failure::failed)
}

impl Revoke {
    /// `keys` seal the token that a repository gets in the place of its own, or say why they are not there.
    pub fn execute(
        self,
        connection: &mut Connection,
        now: Timestamp,
        keys: &Result<Arc<SealingKeys>, String>,
    ) -> Result<String, Refused> {
        let token = Zeroizing::new(self.token);
        let digest = Digest::of(&token);
        let known = match recognise(&token) {
            Some(SecretKind::ApiToken) => token_secrets::find_api_token(connection, &digest, None)?,
            Some(kind) => {
                let held = Held { kind, digest, actor: Actor::Shell, now };
                if !held.is_in_force(connection)? {
                    return Err(Refused::new("no such token works here; nothing was revoked."));
                }
                let keys = keys.as_ref().map_err(|error| Refused::new(error.clone()))?;
                held.revoke(connection, &mut randomness::system(), keys)?;
                return Ok(match kind {
                    SecretKind::ServiceToken => "The token of a service was revoked. Rotate it under Administration, Services, to give the service another.".to_owned(),
                    _ => "The token of a repository was revoked; another that nobody has seen is in its place. Its tab Configure gives it out.".to_owned(),
                });
            }
            None => None,
        };
        let Some(known) = known else {
            return Err(Refused::new("no such token is known here; nothing was revoked."));
        };
        let (name, owner) = (&known.name, &known.username);
        if known.revoked {
            return Ok(format!("Token “{name}” of {owner} was revoked before; nothing was changed."));
        }
        // Whoever holds only a secret that was replaced long ago does not endanger the token.
        if let Some(end) = known.secret_ends_at.filter(|&end| end <= now) {
            return Err(Refused::new(format!(
                "this is a former secret of token “{name}” of {owner}, which stopped working on {}; nothing was revoked.",
                end.for_people()
            )));
        }
        let change = Change { owner: known.owner, actor: Actor::Shell, by: None, now };
        match change.revoke(connection, &mut randomness::system(), known.id) {
            Ok(_) => Ok(format!("Token “{name}” of {owner} was revoked.")),
            Err(Refusal::Storage(error)) => Err(error.into()),
            Err(refusal) => Err(Refused::new(format!("{refusal}; nothing was revoked."))),
        }
    }
}
