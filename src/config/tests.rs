//! What the configuration takes and refuses.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    flags: Flags,
}

fn config(arguments: &[&str]) -> Result<Config, Problems> {
    let line = Line::try_parse_from(std::iter::once(&"tokenhouse").chain(arguments)).ok().unwrap();
    Config::from_flags(&line.flags)
}

#[test]
fn every_problem_is_reported_at_once_and_names_its_variable() {
    let problems = config(&[
        "--listen=nowhere",
        "--public-url=http://tokens.example.org",
        "--trusted-proxies=10.0.0.0/8,x",
        "--max-api-tokens=0",
        "--session-hours=many",
        "--log-level=loud",
        "--log-format=xml",
        "--database-url=mysql://x",
        "--instance-name= ",
        "--oci-service=the registry",
        "--oci-token-seconds=59",
        "--drain-seconds=61",
    ])
    .unwrap_err()
    .to_string();
    for variable in [
        "LISTEN",
        "PUBLIC_URL",
        "TRUSTED_PROXIES",
        "MAX_API_TOKENS",
        "SESSION_HOURS",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "DATABASE_URL",
        "INSTANCE_NAME",
        "OCI_SERVICE",
        "OCI_TOKEN_SECONDS",
        "DRAIN_SECONDS",
    ] {
        assert!(problems.contains(&format!("TOKENHOUSE_{variable})")), "{variable} in {problems}");
    }
}

#[test]
fn tls_to_postgresql_without_the_feature_is_refused_with_the_feature_to_build() {
    if cfg!(feature = "postgres-tls") {
        return;
    }
    let problems = config(&["--database-url=postgres://h/d?sslmode=require"]).unwrap_err().to_string();
    assert!(problems.contains("--features postgres-tls"), "{problems}");
    assert!(config(&["--database-url=postgres://h/d?sslmode=prefer"]).is_ok());
}

#[test]
fn trusted_proxies_written_as_ipv6_are_ipv4() {
    let networks = config(&["--trusted-proxies=::ffff:10.0.0.0/104, ::ffff:192.0.2.1,2001:db8::/32,::/0"]).unwrap();
    let shown: Vec<String> = networks.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::/0"]);
}

#[test]
fn a_secret_is_not_in_the_debug_output() {
    let config = config(&["--database-url=postgres://u:hunter2@h/d"]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_database_url_can_come_from_a_file_but_not_from_two_places() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "postgres://h/d\n").unwrap();
    let path = format!("--database-url-file={}", file.path().display());
    assert!(matches!(config(&[&path]).unwrap().database, Target::Postgres(url) if url.starts_with("postgres://h/d?")));
    assert!(config(&[&path, "--database-url=postgres://h/d"]).is_err());
}

#[test]
fn secret_in_place_of_its_file_is_not_repeated() {
    let key = "630dcd29:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for (argument, variable) in [
        ("--database-url-file=postgres://ada:hunter2@h/d".to_owned(), "DATABASE_URL_FILE"),
        (format!("--secret-key-file={key}"), "SECRET_KEY_FILE"),
    ] {
        let problems = config(&[&argument]).unwrap_err().to_string();
        assert!(problems.contains(&format!("TOKENHOUSE_{variable})")), "{problems}");
        assert!(!problems.contains("hunter2") && !problems.contains(&key[9..20]), "{problems}");
    }
}

#[test]
fn malformed_database_url_is_refused_without_repeating_it() {
    for url in ["postgres://ada:hun/ter2@h/d", "postgres://ada:hunter2%zz@h/d", "mysql://ada:hunter2@h/d", "hunter2"] {
        let problems = config(&["--database-url", url]).unwrap_err().to_string();
        assert!(problems.contains("TOKENHOUSE_DATABASE_URL)"), "{problems}");
        assert!(!problems.contains("hun") && !problems.contains("ter2"), "{problems}");
    }
}
