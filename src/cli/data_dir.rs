//! The data directory: made for its owner alone, and held by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::file_access;

const PRIVATE_DIR: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// Why the directory cannot be used; each sentence says what to do.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot use the data directory {path}: {cause}. Set --data-dir (TOKENHOUSE_DATA_DIR) to a folder that this user may write to."
)]
pub struct Unusable {
    path: String,
    cause: String,
}

/// A directory that is there and can be written to.
#[derive(Debug)]
pub struct DataDir(PathBuf);

/// Held by whoever may write to the SQLite file; let go when it is dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataDir {
    /// Makes the directory if it is missing.
    pub fn prepare(path: &Path) -> Result<Self, Unusable> {
        DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE_DIR)
            .create(path)
            .and_then(|()| check_owned(path))
            .and_then(|()| check_writable(path))
            .map_err(|error| unusable(path, &error))?;
        Ok(Self(path.to_owned()))
    }

    /// `None` while another process holds it.
    pub fn try_lock(&self) -> Result<Option<Lock>, Unusable> {
        let path = self.0.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE_FILE)
            .open(&path)
            .map_err(|error| unusable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(&path, &error)),
        }
    }

    /// Makes the database file, if it is missing, readable for its owner alone. SQLite gives its other files the same mode.
    pub fn keep_private(&self, database: &Path) -> Result<(), Unusable> {
        match OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(database) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unusable(database, &error)),
            _ => Ok(()),
        }
    }

    /// Warns in the log when others can look into the directory; an operator may want that, so it is not refused.
    pub fn warn_if_open_to_others(&self) {
        file_access::warn_if_open("the data directory", &self.0);
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Who can put files there can put their own in the place of ours. The group of the directory is trusted.
fn check_owned(path: &Path) -> io::Result<()> {
    if !file_access::is_writable_by_others(&fs::metadata(path)?) {
        return Ok(());
    }
    Err(io::Error::other(format!("other users can write to it; run: chmod o-w {}", path.display())))
}

fn check_writable(path: &Path) -> io::Result<()> {
    let probe = path.join(format!(".probe-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(&probe)?;
    fs::remove_file(probe)
}

fn unusable(path: &Path, error: &io::Error) -> Unusable {
    Unusable { path: path.display().to_string(), cause: error.to_string() }
}
