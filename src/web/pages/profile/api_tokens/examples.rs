//! How to use a token: examples that run as pasted against this very portal.
//! The token goes into an environment variable once; no later command line shows it.

use crate::config::PublicUrl;
use crate::web::urls;

/// One example.
pub struct Example {
    pub id: &'static str,
    pub label: String,
    pub hint: String,
    pub code: String,
}

/// For a token of `username`.
pub fn of(secret: &str, username: &str, public_url: &PublicUrl) -> Vec<Example> {
    let me = public_url.join(urls::API_ME);
    let origin = public_url.as_str();
    let host = origin.split("://").nth(1).unwrap_or_default();
    let machine = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let example =
        |id, label: &str, hint: &str, code: String| Example { id, label: label.into(), hint: hint.into(), code };
    vec![
        example(
            "example-variable",
            "First: into an environment variable",
            "The space at the start keeps it out of the history of most shells. The examples below read it from there.",
            format!(" export TOKENHOUSE_TOKEN={secret}"),
        ),
        example(
            "example-bearer",
            "curl with Bearer",
            "Answers with what this token is and may do.",
            format!("printf 'Authorization: Bearer %s' \"$TOKENHOUSE_TOKEN\" | curl --header @- {me}"),
        ),
        example(
            "example-basic",
            "curl with Basic",
            "Your username, and the token in the place of the password.",
            format!("printf 'user = \"{username}:%s\"' \"$TOKENHOUSE_TOKEN\" | curl --config - {me}"),
        ),
        example(
            "example-python",
            "Python",
            "",
            format!(
                "python3 - <<'END'\n\
                 import json, os, urllib.request\n\
                 headers = {{\"Authorization\": \"Bearer \" + os.environ[\"TOKENHOUSE_TOKEN\"]}}\n\
                 request = urllib.request.Request(\"{me}\", headers=headers)\n\
                 print(json.load(urllib.request.urlopen(request)))\n\
                 END"
            ),
        ),
        example(
            "example-netrc",
            ".netrc",
            "Keeps the token in a file that only you can read, for programs that take no environment variable.",
            format!(
                "(umask 077; printf 'machine {machine} login {username} password %s\\n' \"$TOKENHOUSE_TOKEN\" > ~/.netrc-tokenhouse)\n\
                 curl --netrc-file ~/.netrc-tokenhouse {me}"
            ),
        ),
    ]
}
