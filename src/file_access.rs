//! Which users can access a file or folder, as its mode and its group say. Files of a group of this process are accepted:
//! that is how Kubernetes (`fsGroup`) and Docker hand out volumes and secrets.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Bits of a mode that are for every user who is neither the owner nor in the group.
const OTHERS: u32 = 0o007;
const OTHERS_WRITE: u32 = 0o002;
const GROUP: u32 = 0o070;

pub fn is_open_to_others(metadata: &Metadata) -> bool {
    metadata.mode() & OTHERS != 0
}

pub fn is_writable_by_others(metadata: &Metadata) -> bool {
    metadata.mode() & OTHERS_WRITE != 0
}

/// Logs a warning, with the command that ends it, if other users or a group that this process is not in can access the
/// file or folder. `what` names it in the sentence.
pub fn warn_if_open(what: &str, path: &Path) {
    // An error of its own is reported by whoever reads the file.
    let Ok(metadata) = fs::metadata(path) else { return };
    let (mode, path) = (metadata.mode() & 0o777, path.display());
    if is_open_to_others(&metadata) {
        tracing::warn!("other users can access {what} (mode {mode:03o}); run: chmod o-rwx {path}");
    }
    if let Some(group) = foreign_group(&metadata) {
        tracing::warn!(
            "the group {group} can access {what} (mode {mode:03o}), and this process is not in it; run: chmod g-rwx {path}"
        );
    }
}

/// The group of the file, if it has any access and this process is not in it.
fn foreign_group(metadata: &Metadata) -> Option<u32> {
    let group = metadata.gid();
    let has_access = metadata.mode() & GROUP != 0;
    let is_own = rustix::process::getegid().as_raw() == group
        || rustix::process::getgroups().is_ok_and(|groups| groups.iter().any(|own| own.as_raw() == group));
    (has_access && !is_own).then_some(group)
}
