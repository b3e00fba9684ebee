//! `tokenhouse oci registry-config`: what a container registry must know to take our tokens.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::command::{Command, Refused, perform};
use crate::cli::{Failure, say};
use crate::config::Config;
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::timestamp::Timestamp;
use crate::randomness;
use crate::storage::{Connection, events, signing_keys};
use crate::web::examples::registry::{BUNDLE, section};

#[derive(Args)]
pub struct Arguments {
    /// File to write the certificates of all published signing keys to, as PEM
    #[arg(long)]
    bundle: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
pub struct Ask {}

/// Tells that a bundle was written with these keys; `key rotate` asks for that.
#[derive(Serialize, Deserialize)]
pub struct Bundled {
    keys: Vec<String>,
}

/// Under which names tokens are issued; a running server knows better than the shell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issuer {
    /// The public address; `None` where it is not known.
    pub address: Option<String>,
    pub service: String,
}

#[derive(Serialize, Deserialize)]
struct Told {
    address: String,
    service: String,
    /// Ids of the keys.
    keys: Vec<String>,
    /// PEM.
    certificates: Vec<String>,
}

pub fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let said = perform(config, Command::OciRegistryConfig(Ask {}))?;
    let told: Told = serde_json::from_str(&said).map_err(Failure::failed)?;
    let bundle = match &arguments.bundle {
        Some(path) => {
            let path = std::path::absolute(path).map_err(Failure::failed)?;
            write(&path, &told.certificates.concat()).map_err(|error| {
                let path = path.display();
                Failure::Failed(format!(
                    "cannot write the bundle {path}: {error}. Choose a file in a folder that this user may write to."
                ))
            })?;
            // A device keeps nothing, so no registry will know the keys from there.
            if path.is_file() {
                perform(config, Command::OciBundled(Bundled { keys: told.keys }))?;
            }
            path.display().to_string()
        }
        None => BUNDLE.to_owned(),
    };
    say(&section(&told.address, &told.service, &bundle)).map_err(Failure::failed)?;
    let hint = match &arguments.bundle {
        Some(_) => format!(
            "{bundle} holds the certificates of {} keys. Restart the registry: it reads them when it starts.",
            told.certificates.len()
        ),
        None => format!(
            "No certificates were written. Write them to the place that rootcertbundle names, with --bundle {BUNDLE}"
        ),
    };
    // Not among what may be on its way into a file; and nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "tokenhouse: {hint}");
    Ok(())
}

/// Whole or not at all, so that no registry starts with half of it. What is no ordinary file is written into.
fn write(path: &Path, text: &str) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => return fs::write(path, text),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    // Made anew: what somebody put in its place beforehand is not followed.
    let mut file = OpenOptions::new().write(true).create_new(true).open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

impl Issuer {
    /// As `serve` would have it. On PostgreSQL the servers are elsewhere, and their address must be told.
    pub fn of(config: &Config) -> Self {
        let address = match &config.public_url {
            Some(url) => Some(url.as_str().to_owned()),
            None if config.database.is_sqlite() && config.listen.port() != 0 => {
                Some(format!("http://{}", config.listen))
            }
            None => None,
        };
        Self { address, service: config.oci_service.clone() }
    }
}

impl Ask {
    /// The answer is read by [`run`].
    pub fn execute(self, connection: &mut Connection, issuer: &Issuer) -> Result<String, Refused> {
        let Some(address) = issuer.address.clone() else {
            return Err(Refused::new(
                "the public address is not known. Set --public-url (TOKENHOUSE_PUBLIC_URL) as the servers have it.",
            ));
        };
        let keys = signing_keys::published(connection)?;
        if keys.is_empty() {
            return Err(Refused::new(
                "there are no signing keys yet. They are made when tokenhouse serve starts; start it once, then run this again.",
            ));
        }
        let told = Told {
            address,
            service: issuer.service.clone(),
            keys: keys.iter().map(|key| key.public.id().to_string()).collect(),
            certificates: keys.into_iter().map(|key| key.certificate).collect(),
        };
        serde_json::to_string(&told).map_err(|error| Refused::new(format!("{error}.")))
    }
}

impl Bundled {
    pub fn execute(self, connection: &mut Connection, now: Timestamp) -> Result<String, Refused> {
        if signing_keys::note_bundled(connection, &self.keys, now)? {
            let event = NewEvent {
                actor: Actor::Shell,
                action: Action::SigningKeysBundled,
                subject_kind: "signing_keys",
                subject_id: "bundle".to_owned(),
                subject_name: "bundle".to_owned(),
                detail: self.keys.join(", "),
            };
            events::append(connection, &event, now, &mut randomness::system())?;
        }
        Ok(String::new())
    }
}
