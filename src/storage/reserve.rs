//! A file that keeps room on the disk for the changes that must always be possible: revoking, disabling and deleting.
//! It is deleted when the disk is full, and made again when there is room.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

const RESERVE_BYTES: usize = 1 << 20;
/// How much more must be free before the reserve is made, so that it is not given up at the next write.
const MARGIN_BYTES: usize = 1 << 20;
const CHUNK_BYTES: usize = 1 << 16;
const PRIVATE_FILE: u32 = 0o600;

#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    is_disk_full: AtomicBool,
}

impl Reserve {
    /// Makes the file beside the database, unless the disk is full.
    pub(super) fn open(database: &Path) -> Self {
        let reserve = Self { path: database.with_file_name("reserve"), is_disk_full: AtomicBool::new(false) };
        if let Err(error) = make(&reserve.path) {
            if is_out_of_room(&error) {
                reserve.give_up();
            } else {
                tracing::warn!(%error, path = %reserve.path.display(), "cannot keep room on the disk for revocations");
            }
        }
        reserve
    }

    pub(super) fn is_disk_full(&self) -> bool {
        self.is_disk_full.load(Ordering::Relaxed)
    }

    /// Gives the room to the database.
    pub(super) fn give_up(&self) {
        let _ = fs::remove_file(&self.path);
        if !self.is_disk_full.swap(true, Ordering::Relaxed) {
            let folder = self.path.parent().unwrap_or(&self.path).display();
            tracing::error!(
                "the disk of {folder} is full: nothing new is stored, but revoking, disabling and deleting still work. Make room on it."
            );
        }
    }

    /// Looks how much room there is, now and then: gives the reserve up before a write fails, and makes it again when
    /// there is room.
    pub(super) fn check(&self) {
        let Some(free) = self.free_bytes() else { return };
        if !self.is_disk_full() && free < MARGIN_BYTES as u64 {
            self.give_up();
        } else if self.is_disk_full() && free >= (RESERVE_BYTES + MARGIN_BYTES) as u64 {
            self.restore();
        }
    }

    /// `None` where the file system does not say.
    fn free_bytes(&self) -> Option<u64> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let found = rustix::fs::statvfs(folder).ok().filter(|found| found.f_blocks > 0)?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn restore(&self) {
        if make(&self.path).is_ok() {
            self.is_disk_full.store(false, Ordering::Relaxed);
            tracing::info!("there is room on the disk again");
        }
    }
}

/// Makes the file or completes it. Writes the margin as well, and gives that back.
fn make(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(PRIVATE_FILE).open(path)?;
    let result = fill(&file).and_then(|()| file.set_len(RESERVE_BYTES as u64));
    if result.is_err() {
        // Part of it would keep nothing free.
        fs::remove_file(path)?;
    }
    result
}

/// Writes bytes that no file system can compress, so that the room is really taken.
fn fill(mut file: &File) -> io::Result<()> {
    let mut length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let mut chunk = vec![0; CHUNK_BYTES];
    while length < RESERVE_BYTES + MARGIN_BYTES {
        for bytes in chunk.chunks_exact_mut(size_of::<u64>()) {
            // Xorshift: nothing here is secret.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.copy_from_slice(&state.to_ne_bytes());
        }
        file.write_all(&chunk)?;
        length += CHUNK_BYTES;
    }
    Ok(())
}

fn is_out_of_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_after_it_was_given_up_is_made_again() {
        let folder = tempfile::TempDir::new().unwrap();
        let reserve = Reserve::open(&folder.path().join("tokenhouse.db"));
        let length = || fs::metadata(folder.path().join("reserve")).map(|file| file.len()).ok();
        assert_eq!((length(), reserve.is_disk_full()), (Some(RESERVE_BYTES as u64), false));
        reserve.give_up();
        assert_eq!((length(), reserve.is_disk_full()), (None, true));
        reserve.restore();
        assert_eq!((length(), reserve.is_disk_full()), (Some(RESERVE_BYTES as u64), false));
    }
}
