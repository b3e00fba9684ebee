//! The one source of randomness: the operating system's generator.

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

/// Fails only where the operating system gives no random bytes at all, and then nothing safe can be done: it panics.
pub type Randomness = UnwrapErr<SysRng>;

pub const fn system() -> Randomness {
    UnwrapErr(SysRng)
}
