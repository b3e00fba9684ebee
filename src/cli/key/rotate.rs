//! `tokenhouse key rotate`: the next key signs registry tokens, and another next one is made.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::auth::signing::{self, RotationError};
use crate::cli::command::{Command, Refused, perform};
use crate::cli::{Failure, say};
use crate::config::Config;
use crate::domain::timestamp::Timestamp;
use crate::storage::Connection;
use crate::storage::sealing::SealingKeys;

#[derive(Args)]
pub struct Arguments {
    /// Rotate even though no bundle for registries holds the next key: registries take no token until they have one that does
    #[arg(long)]
    force: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Rotate {
    force: bool,
}

pub fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let said = perform(config, Command::KeyRotate(Rotate { force: arguments.force }))?;
    say(&said).map_err(Failure::failed)
}

impl Rotate {
    /// `keys` are those of whoever executes it.
    pub fn execute(self, connection: &mut Connection, now: Timestamp, keys: &SealingKeys) -> Result<String, Refused> {
        let rotated = signing::rotate(connection, keys, now, self.force)?;
        Ok(format!(
            "Registry tokens are signed with the key {} from now on; every server takes it up within a second.\n\
             Registries that were restarted since the bundle was last written know it already and go on working.\n\
             The next key is {}. Write the bundle anew and restart the registries before you rotate again: tokenhouse oci registry-config --bundle FILE",
            rotated.current, rotated.next,
        ))
    }
}

impl From<RotationError> for Refused {
    fn from(error: RotationError) -> Self {
        Self(match error {
            RotationError::NoKeys => {
                "there are no signing keys yet, so there is nothing to rotate. They are made when tokenhouse serve starts.".into()
            }
            RotationError::NotBundled(id) => format!(
                "no registry can know the next key {id}: no bundle was written since it was made. Run tokenhouse oci registry-config --bundle FILE and restart the registries, then rotate; or, where no registry uses a bundle, add --force. Nothing was changed."
            ),
            RotationError::OtherSealingKey(id) => format!(
                "the key file is not the one that the servers use: it lacks the key {id}, which seals the signing keys. Name theirs with --secret-key-file (TOKENHOUSE_SECRET_KEY_FILE). Nothing was changed."
            ),
            RotationError::Signing(signing::SigningError::Storage(error)) => return error.into(),
            RotationError::Signing(error) => format!("{error}. Nothing was changed."),
        })
    }
}
