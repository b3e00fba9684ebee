//! The binary runs on a bare machine: it links nothing beyond the C library and its family.
#![cfg(target_os = "linux")]

use std::process::Command;

/// As file names begin; SQLite, libpq and OpenSSL are inside.
const FAMILY: [&str; 8] =
    ["libc.so", "libm.so", "libgcc_s.so", "libdl.so", "libpthread.so", "librt.so", "ld-linux", "linux-vdso"];

#[test]
fn the_binary_needs_no_library_beyond_the_c_library() {
    let needed = needed_libraries(env!("CARGO_BIN_EXE_tokenhouse"));
    assert!(!needed.is_empty(), "readelf named no library at all");
    let foreign: Vec<_> =
        needed.iter().filter(|library| !FAMILY.iter().any(|name| library.starts_with(name))).collect();
    assert!(foreign.is_empty(), "the binary needs {foreign:?}");
}

/// The `NEEDED` entries: `0x1 (NEEDED)  Shared library: [libc.so.6]`.
fn needed_libraries(binary: &str) -> Vec<String> {
    let output = Command::new("readelf")
        .args(["--dynamic", "--wide", binary])
        .env("LC_ALL", "C")
        .output()
        .expect("readelf runs; if it is missing: apt-get install binutils");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']').to_owned()))
        .collect()
}
