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
use crate::web::examples::registry::{BUNDLE, JWKS, JWKS_EXTENSION, section};
use crate::web::gateway::jwks::JwksJson;

#[derive(Args)]
pub struct Arguments {
    /// File to write the certificates of all published signing keys to, as PEM; the same keys go as a JWK Set into a
    /// file beside it, with the extension jwks.json
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
    /// The same keys as a JWK Set (RFC 7517).
    jwks: String,
}

pub fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let said = perform(config, Command::OciRegistryConfig(Ask {}))?;
    let told: Told = serde_json::from_str(&said).map_err(Failure::failed)?;
    let (bundle, jwks) = match &arguments.bundle {
        Some(path) => {
            let path = std::path::absolute(path).map_err(Failure::failed)?;
            let jwks = path.with_extension(JWKS_EXTENSION);
            write_or_explain(&path, &told.certificates.concat())?;
            // A device keeps nothing, so no registry will know the keys from there; and there is no place beside it.
            if path.is_file() {
                write_or_explain(&jwks, &told.jwks)?;
                perform(config, Command::OciBundled(Bundled { keys: told.keys }))?;
                (path.display().to_string(), Some(jwks.display().to_string()))
            } else {
                (path.display().to_string(), None)
            }
        }
        None => (BUNDLE.to_owned(), Some(JWKS.to_owned())),
    };
    say(&section(&told.address, &told.service, &bundle, jwks.as_deref())).map_err(Failure::failed)?;
    let hint = match &arguments.bundle {
        Some(_) => format!(
            "{bundle} has the certificates of {} keys{}. Restart the registry: it reads them when it starts.",
            told.certificates.len(),
            jwks.map(|jwks| format!(", and {jwks} has the same keys")).unwrap_or_default()
        ),
        None => format!("No files were written. Write rootcertbundle and jwks with --bundle {BUNDLE}"),
    };
    // Not among what may be on its way into a file; and nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "tokenhouse: {hint}");
    Ok(())
}

fn write_or_explain(path: &Path, text: &str) -> Result<(), Failure> {
    write(path, text).map_err(|error| {
        let path = path.display();
        Failure::Failed(format!("cannot write {path}: {error}. Choose a file in a folder that this user may write to."))
    })
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
        let jwks = JwksJson::of(&keys);
        let told = Told {
            address,
            service: issuer.service.clone(),
            keys: keys.iter().map(|key| key.public.id().to_string()).collect(),
            certificates: keys.into_iter().map(|key| key.certificate).collect(),
            jwks: serde_json::to_string_pretty(&jwks).map_err(|error| Refused::new(format!("{error}.")))? + "\n",
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
