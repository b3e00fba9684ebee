//! Many at once.

use std::sync::Barrier;
use std::thread;

/// What `count` threads that start at the same moment came to; each gets its number.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    let (barrier, work) = (&barrier, &work);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn(move || {
                    barrier.wait();
                    work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

/// How often a race is run: a few times, or many with `./test --soak`.
pub fn rounds() -> usize {
    if std::env::var_os("TOKENHOUSE_TEST_SOAK").is_some() { 200 } else { 2 }
}
