//! The URL of a PostgreSQL database is a secret: it may contain a password. libpq repeats parts of a URL that it cannot
//! read, and whatever it took for a host or a port, so this module says in its own words what is wrong.

use diesel::ConnectionError;

/// How messages of libpq start that are about a connection, and not about the URL.
const ABOUT_CONNECTIONS: [&str; 3] = ["connection to server ", "could not translate host name ", "server closed "];

/// Refuses a URL that libpq cannot read, or that it would take apart elsewhere than it looks. No sentence repeats any part
/// of the URL.
pub fn check(url: &str) -> Result<(), String> {
    let (_, rest) = url.split_once("://").ok_or_else(|| malformed("it has no ://"))?;
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    if authority.matches('@').count() > 1 {
        return Err(malformed("there is more than one @ before the database"));
    }
    let (user, hosts) = authority.split_once('@').unwrap_or(("", authority));
    if !hosts.split(',').all(has_valid_port) {
        return Err(malformed("the port is not a number from 1 to 65535"));
    }
    if database.contains('@') {
        return Err(malformed("there is an @ behind the host"));
    }
    let is_pair = |pair: &str| pair.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.contains('='));
    if !query.is_none_or(|query| query.is_empty() || query.split('&').all(is_pair)) {
        return Err(malformed("a parameter behind the ? is not KEY=VALUE"));
    }
    if ![user, hosts, database, query.unwrap_or_default()].iter().all(|part| is_percent_encoded(part)) {
        return Err(malformed("a % is not followed by two hexadecimal digits"));
    }
    Ok(())
}

fn malformed(problem: &str) -> String {
    format!(
        "{problem}. Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with characters of the password percent-encoded: \
         @ as %40, / as %2F, ? as %3F, # as %23, & as %26, = as %3D, % as %25"
    )
}

/// Of `host`, `host:port` or `[IPv6]:port`.
fn has_valid_port(host: &str) -> bool {
    let rest = if host.starts_with('[') { host.split_once(']').map_or(host, |(_, rest)| rest) } else { host };
    match rest.split_once(':') {
        None => true,
        Some((_, "")) => true,
        Some((_, port)) => {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        }
    }
}

fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let code = rest.get(..2).unwrap_or_default();
        code.len() == 2 && code != "00" && code.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Drops what libpq says about the URL itself, such as a parameter that it does not know. The error is then
/// [`ConnectionError::InvalidConnectionUrl`], which does not go away by trying again.
pub fn without_secrets(error: ConnectionError) -> ConnectionError {
    match error {
        ConnectionError::BadConnection(text) if is_about_connection(&text) => ConnectionError::BadConnection(text),
        ConnectionError::CouldntSetupConfiguration(error) => ConnectionError::CouldntSetupConfiguration(error),
        _ => ConnectionError::InvalidConnectionUrl(
            "libpq cannot use the database URL, and its message is not repeated, since it may contain the password; \
             compare the host and the parameters of the URL with what you meant"
                .into(),
        ),
    }
}

fn is_about_connection(text: &str) -> bool {
    ABOUT_CONNECTIONS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_that_libpq_reads_is_accepted() {
        for url in [
            "postgres://",
            "postgres:///tokens",
            "postgres://127.0.0.1",
            "postgres://ada@db/tokens",
            "postgres://ada:secret@db:5432/tokens?sslmode=require&connect_timeout=3",
            "postgresql://ada:%40%2f%3F@db1:5432,db2:5433/tokens?target_session_attrs=any",
            "postgres://ada:secret@[::1]:5432/tokens?",
            "postgres://ada:a:b@db:/tokens",
            "postgres://%2Fvar%2Frun%2Fpostgresql/tokens",
            "postgres:///tokens?host=/var/run/postgresql&user=ada&password=secret",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn malformed_url_is_refused_without_repeating_any_part_of_it() {
        for (url, problem) in [
            ("postgres://ada:hun@ter2@db/tokens", "more than one @"),
            ("postgres://ada:hun/ter2@db/tokens", "port"),
            ("postgres://ada:12/hunter2@db/tokens", "an @ behind"),
            ("postgres://ada:/hunter2@db/tokens", "an @ behind"),
            ("postgres://ada:hun?ter2@db/tokens", "port"),
            ("postgres://ada:12?hunter2@db/tokens", "KEY=VALUE"),
            ("postgres://ada:hunter2%@db/tokens", "hexadecimal"),
            ("postgres://ada:hunter2%zz@db/tokens", "hexadecimal"),
            ("postgres://ada:hunter2%00@db/tokens", "hexadecimal"),
            ("postgres://ada:hunter2%é@db/tokens", "hexadecimal"),
            ("postgres://db:hunter2/tokens", "port"),
            ("postgres://db:70000/tokens", "port"),
            ("postgres://ada@db/tokens?password=hunter2&ter", "KEY=VALUE"),
            ("postgres://ada@db/tokens?password=hun=ter2", "KEY=VALUE"),
            ("postgres://ada@db/tokens?password=hunter2%2", "hexadecimal"),
        ] {
            let sentence = check(url).unwrap_err();
            assert!(sentence.contains(problem), "{url}: {sentence}");
            assert!(["hun", "ter2", "70000", "zz", "tokens"].iter().all(|part| !sentence.contains(part)), "{sentence}");
        }
    }

    #[test]
    fn message_of_libpq_is_kept_only_if_it_is_about_the_connection() {
        let clean = |text: &str| without_secrets(ConnectionError::BadConnection(text.into()));
        let said = |text: &str| clean(text).to_string();
        for text in [
            "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server running on that host?",
            "could not translate host name \"db\" to address: Name or service not known",
        ] {
            assert_eq!(said(text), text);
        }
        for text in [
            "invalid percent-encoded token: \"hunter2%zz\"",
            "invalid integer value \"hunter2\" for connection option \"port\"",
            "invalid URI query parameter: \"hunter2\"",
            "missing \"=\" after \"hunter2\" in connection info string",
        ] {
            assert!(!said(text).contains("hunter2") && said(text).contains("not repeated"), "{text}");
            assert!(matches!(clean(text), ConnectionError::InvalidConnectionUrl(_)), "{text}");
        }
    }
}
