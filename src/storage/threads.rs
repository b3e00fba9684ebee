//! Threads that may block on PostgreSQL. They are not the server's own: those are waited for when it stops, however long
//! PostgreSQL does not answer.

use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::error::{Result, StorageError};

/// Threads, and so connections, at most. More than there are connections in use, because a thread that PostgreSQL does
/// not answer stays blocked after its client was answered.
pub(super) const MAX_THREADS: u32 = 64;

pub(super) struct Threads {
    runtime: Option<Runtime>,
    free: Arc<Semaphore>,
}

impl Threads {
    pub(super) fn new() -> std::io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(MAX_THREADS as usize).thread_name("postgres").build()?;
        Ok(Self { runtime: Some(runtime), free: Arc::new(Semaphore::new(MAX_THREADS as usize)) })
    }

    /// Runs `work` on a thread, unless all are blocked.
    pub(super) fn run(&self, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = Arc::clone(&self.free).try_acquire_owned().ok();
        let (Some(runtime), Some(thread)) = (&self.runtime, thread) else {
            return Err(StorageError::Unavailable("all threads wait for PostgreSQL".into()));
        };
        runtime.spawn_blocking(move || {
            let _until_the_end = thread;
            work();
        });
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
