//! The program; everything is in the library, where tests reach it.

use std::process::ExitCode;

/// Unlike glibc's, it returns unused pages to the system within seconds; `.cargo/config.toml` configures it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    tokenhouse::cli::run()
}
