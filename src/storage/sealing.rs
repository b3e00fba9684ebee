//! Secrets at rest that must come back in clear: sealed with XChaCha20-Poly1305 under a key that lies outside the database.
//! Associated data bind a sealed value to its row, so that one moved to another row does not open.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::file_access::is_open_to_others;

const KEY: usize = 32;
const NONCE: usize = 24;

/// Why the key file cannot be used; each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "cannot read the key file {path}: {cause}. Set TOKENHOUSE_SECRET_KEY_FILE to a file that this user may read."
    )]
    Unreadable { path: String, cause: String },
    #[error("other users can access the key file {path}. Run: chmod o-rwx {path}")]
    Exposed { path: String },
    #[error(
        "the key file {path} is malformed in line {line}. Each line must be the first 8 hex digits of the key's SHA-256, a colon, and the 32-byte key in Base64."
    )]
    Malformed { path: String, line: usize },
    #[error("cannot make the key file {path}: {cause}. Check that the data directory is writable.")]
    Unwritable { path: String, cause: String },
}

struct Key {
    id: String,
    bytes: Zeroizing<[u8; KEY]>,
}

/// The keys of this installation. The first seals; all of them open.
pub struct SealingKeys {
    keys: Vec<Key>,
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

/// A sealed value as it is stored.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub key_id: String,
    /// 24 bytes of nonce, then ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl SealingKeys {
    /// Reads the key file. Only its owner and its group may have access to it.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| KeyError::Unreadable { path: shown.clone(), cause: error.to_string() };
        let mut file = File::open(path).map_err(unreadable)?;
        if is_open_to_others(&file.metadata().map_err(unreadable)?) {
            return Err(KeyError::Exposed { path: shown });
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(unreadable)?;
        let keys = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| {
                parse_line(line.trim()).ok_or_else(|| KeyError::Malformed { path: shown.clone(), line: index + 1 })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::Malformed { path: shown, line: 1 });
        }
        Ok(Self { keys })
    }

    /// Whether the text is a line of a key file, to a careful eye.
    pub fn looks_like_key(text: &str) -> bool {
        text.trim()
            .split_once(':')
            .is_some_and(|(_, encoded)| STANDARD.decode(encoded).is_ok_and(|key| key.len() == KEY))
    }

    /// Reads the key file, or makes one with a fresh key (mode 0600) if there is none.
    pub fn load_or_generate(path: &Path, rng: &mut impl CryptoRng) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; KEY]);
        rng.fill_bytes(&mut bytes[..]);
        let line = Zeroizing::new(format!("{}:{}\n", key_id(&bytes), STANDARD.encode(&bytes[..])));
        let unwritable =
            |error: std::io::Error| KeyError::Unwritable { path: path.display().to_string(), cause: error.to_string() };
        // Written beside and linked into place, so that a crash leaves either no key file or a whole one.
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        match path.try_exists() {
            Ok(true) => return Self::load(path),
            Ok(false) => {}
            Err(error) => return Err(unwritable(error)),
        }
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| match std::fs::hard_link(&draft, path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            });
        let _ = std::fs::remove_file(&draft);
        written.map_err(unwritable)?;
        Self::load(path)
    }

    /// Seals `text`; it opens only with the same `bound_to`.
    pub fn seal(&self, text: &str, bound_to: &str, rng: &mut impl CryptoRng) -> Sealed {
        Self::seal_with(&self.keys[0], text, bound_to, rng)
    }

    /// The same with the key of this id, or with the first if it is unknown: for those who hold other keys yet.
    pub fn seal_as(&self, key_id: &str, text: &str, bound_to: &str, rng: &mut impl CryptoRng) -> Sealed {
        let key = self.keys.iter().find(|key| key.id == key_id).unwrap_or(&self.keys[0]);
        Self::seal_with(key, text, bound_to, rng)
    }

    fn seal_with(key: &Key, text: &str, bound_to: &str, rng: &mut impl CryptoRng) -> Sealed {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let associated = associated(key, bound_to);
        let payload = Payload { msg: text.as_bytes(), aad: associated.as_bytes() };
        let mut bytes = nonce.to_vec();
        // Fails only for messages of more than 256 GB.
        bytes.extend(cipher(key).encrypt(&nonce.into(), payload).unwrap_or_default());
        Sealed { key_id: key.id.clone(), bytes }
    }

    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.id.clone()).collect()
    }

    /// Whether the key of this id is among them.
    pub fn knows(&self, key_id: &str) -> bool {
        self.keys.iter().any(|key| key.id == key_id)
    }

    /// The text, or `None` if the key is unknown, the value was changed, or it was bound to something else.
    pub fn open(&self, sealed: &Sealed, bound_to: &str) -> Option<Zeroizing<String>> {
        let key = self.keys.iter().find(|key| key.id == sealed.key_id)?;
        let (nonce, ciphertext) = sealed.bytes.split_first_chunk::<NONCE>()?;
        let associated = associated(key, bound_to);
        let payload = Payload { msg: ciphertext, aad: associated.as_bytes() };
        let text = Zeroizing::new(cipher(key).decrypt(&(*nonce).into(), payload).ok()?);
        std::str::from_utf8(&text).ok().map(|text| Zeroizing::new(text.to_owned()))
    }

    /// A key for another purpose, derived from the first (HKDF-SHA-256, RFC 5869).
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 64]> {
        let mut derived = Zeroizing::new([0; 64]);
        let expanded = Hkdf::<Sha256>::new(None, &self.keys[0].bytes[..]).expand(purpose.as_bytes(), &mut derived[..]);
        debug_assert!(expanded.is_ok(), "64 bytes are within HKDF's limit");
        derived
    }
}

/// What a sealed value is tied to: its row, and the key that is told beside it.
fn associated(key: &Key, bound_to: &str) -> String {
    format!("{bound_to}|{}", key.id)
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.bytes).into())
}

fn key_id(bytes: &[u8; KEY]) -> String {
    Sha256::digest(bytes)[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parse_line(line: &str) -> Option<Key> {
    let (id, encoded) = line.split_once(':')?;
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let bytes = Zeroizing::new(<[u8; KEY]>::try_from(&decoded[..]).ok()?);
    (key_id(&bytes) == id).then(|| Key { id: id.to_owned(), bytes })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use rand::SeedableRng as _;
    use rand::rngs::ChaCha12Rng;

    fn rng() -> ChaCha12Rng {
        ChaCha12Rng::from_seed([9; 32])
    }

    #[test]
    fn a_sealed_text_opens_only_where_it_belongs_and_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let keys = SealingKeys::load_or_generate(&folder.path().join("secret.key"), &mut rng()).unwrap();
        let sealed = keys.seal("thp_secret", "row 1", &mut rng());
        assert_eq!(keys.open(&sealed, "row 1").unwrap().as_str(), "thp_secret");
        assert!(keys.open(&sealed, "row 2").is_none());
        let mut changed = sealed.clone();
        *changed.bytes.last_mut().unwrap() ^= 1;
        assert!(keys.open(&changed, "row 1").is_none());
        assert!(keys.open(&Sealed { key_id: "00000000".into(), ..sealed }, "row 1").is_none());
        assert!(keys.open(&Sealed { bytes: vec![1, 2], ..changed }, "row 1").is_none());
    }

    #[test]
    fn the_key_file_is_made_once_kept_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let first = SealingKeys::load_or_generate(&path, &mut rng()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = first.seal("text", "row", &mut rng());
        let again = SealingKeys::load_or_generate(&path, &mut ChaCha12Rng::from_seed([1; 32])).unwrap();
        assert!(again.open(&sealed, "row").is_some());
        assert_eq!(*first.derive("cookies"), *again.derive("cookies"));
        assert_ne!(*first.derive("cookies"), *first.derive("other"));
    }

    #[test]
    fn an_exposed_or_malformed_key_file_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        std::fs::write(&path, "nonsense\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(SealingKeys::load(&path).unwrap_err().to_string().contains("chmod o-rwx"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(SealingKeys::load(&path).unwrap_err().to_string().contains("line 1"));
    }
}
