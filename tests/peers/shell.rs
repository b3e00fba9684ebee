//! A shell into which somebody pastes what the portal and the README show.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Deserializer, Value};

use crate::house::House;

pub struct Said {
    pub out: String,
    pub err: String,
}

/// Pastes it, and types these lines when the shell waits for them. Commands of ours find the server of this house.
pub fn paste(house: &House, code: &str, typed: &[&str]) -> Said {
    let mut command = Command::new("bash");
    command.args(["-c", code]).env("HOME", house.folder("home"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TOKENHOUSE_")) {
        command.env_remove(name);
    }
    let ours = Path::new(env!("CARGO_BIN_EXE_tokenhouse")).parent().expect("it lies in a folder");
    let path = std::env::var("PATH").expect("there is a path");
    command.env("PATH", format!("{}:{path}", ours.display())).envs(house.environment());
    let mut shell =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash starts");
    let mut input = shell.stdin.take().expect("it is piped");
    for line in typed {
        writeln!(input, "{line}").expect("the shell reads");
    }
    drop(input);
    let output = shell.wait_with_output().expect("the shell ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { out: text(&output.stdout), err: text(&output.stderr) }
}

impl Said {
    /// What came, one JSON after the other. Python prints a dictionary, which is nearly JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let text = if self.out.starts_with("{'") { self.out.replace('\'', "\"") } else { self.out.clone() };
        let told: Result<Vec<Value>, _> = Deserializer::from_str(&text).into_iter().collect();
        told.unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// All of it, as it stands on the screen.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}
