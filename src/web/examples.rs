//! How to use a token: examples that run as pasted against this very portal.
//! The token goes into an environment variable once; no later command line shows it.

pub mod proxies;
pub mod registry;

use super::portal::Settings;

/// One example.
pub struct Example {
    pub id: &'static str,
    pub label: String,
    pub hint: String,
    pub code: String,
}

/// For the token `secret`, or one that is pasted when asked for, with Basic as `username`; they ask for `address`.
pub fn of(settings: &Settings, secret: Option<&str>, username: &str, address: &str) -> Vec<Example> {
    let host = address.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
    let machine = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let example =
        |id, label: &str, hint: &str, code: String| Example { id, label: label.into(), hint: hint.into(), code };
    let variable = match secret {
        Some(secret) => example(
            "example-variable",
            "First: set a variable",
            "The space at the start keeps it out of the history where the shell is set up so (bash: HISTCONTROL=ignorespace, zsh: setopt HIST_IGNORE_SPACE). The examples below read it from there.",
            format!(" export TOKENHOUSE_TOKEN={secret}"),
        ),
        None => example(
            "example-variable",
            "First: set a variable",
            "Paste the token when the shell waits for it, and press Enter. The examples below read it from there.",
            "read -rs TOKENHOUSE_TOKEN && export TOKENHOUSE_TOKEN".into(),
        ),
    };
    vec![
        variable,
        example(
            "example-bearer",
            "curl with Bearer",
            "",
            format!("printf 'Authorization: Bearer %s' \"$TOKENHOUSE_TOKEN\" | curl --header @- {address}"),
        ),
        example(
            "example-basic",
            "curl with Basic",
            "The username, and the token in the place of the password.",
            format!("printf 'user = \"{username}:%s\"' \"$TOKENHOUSE_TOKEN\" | curl --config - {address}"),
        ),
        registry::login(settings, username),
        example(
            "example-python",
            "Python",
            "",
            format!(
                "python3 - <<'END'\n\
                 import json, os, urllib.request\n\
                 headers = {{\"Authorization\": \"Bearer \" + os.environ[\"TOKENHOUSE_TOKEN\"]}}\n\
                 request = urllib.request.Request(\"{address}\", headers=headers)\n\
                 print(json.load(urllib.request.urlopen(request)))\n\
                 END"
            ),
        ),
        example(
            "example-netrc",
            ".netrc",
            "Keeps the token in a file that only you can read, for programs that take no environment variable.",
            format!(
                "(umask 077; printf 'machine {machine} login {username} password %s\\n' \"$TOKENHOUSE_TOKEN\" > ~/.netrc-tokenhouse-{username})\n\
                 curl --netrc-file ~/.netrc-tokenhouse-{username} {address}"
            ),
        ),
    ]
}

/// How the service `name` asks at `address` about a token, with its own token `secret`, or one that is pasted when asked for.
pub fn of_service(secret: Option<&str>, name: &str, address: &str) -> Vec<Example> {
    let example =
        |id, label: &str, hint: &str, code: String| Example { id, label: label.into(), hint: hint.into(), code };
    let own = match secret {
        Some(secret) => format!(" export TOKENHOUSE_SERVICE_TOKEN={secret}"),
        None => "read -rs TOKENHOUSE_SERVICE_TOKEN && export TOKENHOUSE_SERVICE_TOKEN".into(),
    };
    let ask = |own: &str| {
        format!(
            "printf '{own}\\ndata = \"token=%s\"\\n' \"$TOKENHOUSE_SERVICE_TOKEN\" \"$TOKENHOUSE_TOKEN\" | curl --config - {address}"
        )
    };
    vec![
        example(
            "example-variable",
            "First: the service’s own token",
            if secret.is_some() {
                "The space at the start keeps it out of the history where the shell is set up so (bash: HISTCONTROL=ignorespace, zsh: setopt HIST_IGNORE_SPACE)."
            } else {
                "Paste it when the shell waits for it, and press Enter."
            },
            own,
        ),
        example(
            "example-token",
            "Then: a token to ask about",
            "Paste it when the shell waits for it, and press Enter. The examples below read both from there.",
            "read -rs TOKENHOUSE_TOKEN && export TOKENHOUSE_TOKEN".into(),
        ),
        example("example-bearer", "curl with Bearer", "", ask("header = \"Authorization: Bearer %s\"")),
        example(
            "example-basic",
            "curl with Basic",
            "The name of the service, and its token in the place of the password.",
            ask(&format!("user = \"{name}:%s\"")),
        ),
    ]
}
