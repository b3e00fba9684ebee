//! The control socket: how a command in the shell asks the running server, because on SQLite only that one may write.
//! A client sends one line of JSON and gets one. Whoever can open the socket's folder and file is the server's own user.

use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::command::{Command, Executor};
use super::data_dir::{DataDir, Lock};

const NAME: &str = "control.sock";
/// Longest line that is read.
const LONGEST: u64 = 64 * 1024;
/// How long a client may take to send its line, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a command waits for its answer: longer than a busy database takes to say so.
const ANSWER: Duration = Duration::from_secs(30);
/// Clients that are served at once; further ones wait.
const MOST_CLIENTS: usize = 32;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Said(String),
    Refused(String),
}

/// Makes the socket. One that is there was left behind by a server that crashed: who holds the lock is the only one.
pub fn bind(data_dir: &DataDir, _lock: &Lock) -> io::Result<UnixListener> {
    let path = data_dir.join(NAME);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Takes the socket away at the end. A later server would do so too.
pub fn unbind(data_dir: &DataDir, _lock: &Lock) {
    let _ = fs::remove_file(data_dir.join(NAME));
}

/// Answers clients until it is dropped.
pub async fn listen(listener: UnixListener, executor: Executor) {
    let listener = match tokio::net::UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            return tracing::error!(%error, "the control socket does not work; commands cannot reach this server");
        }
    };
    let mut clients = JoinSet::new();
    loop {
        if clients.len() >= MOST_CLIENTS {
            clients.join_next().await;
        }
        while clients.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                clients.spawn(answer(stream, executor.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: waiting is the cure.
                tracing::warn!(%error, "a command could not be let in");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn answer(mut stream: tokio::net::UnixStream, executor: Executor) {
    let (reader, mut writer) = stream.split();
    let mut line = Zeroizing::new(Vec::new());
    let mut reader = tokio::io::BufReader::new(reader.take(LONGEST));
    let answer = match timeout(PATIENCE, reader.read_until(b'\n', &mut line)).await {
        Ok(Ok(_)) => match serde_json::from_slice::<Command>(&line) {
            Ok(command) => match executor.execute(command).await {
                Ok(said) => Answer::Said(said),
                Err(reason) => Answer::Refused(reason),
            },
            // Without the cause, which may quote what was sent.
            Err(_) => Answer::Refused(
                "the running server does not know this command. Use the program of the same version.".to_owned(),
            ),
        },
        Ok(Err(_)) | Err(_) => return,
    };
    let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
    bytes.push(b'\n');
    // The client went away; what it asked for is done all the same, and its event tells of it.
    let _ = timeout(PATIENCE, writer.write_all(&bytes)).await;
}

/// Whether a server serves from the directory now.
pub fn is_listening(data_dir: &DataDir) -> bool {
    Client::connect(data_dir).is_some()
}

/// A running server, reached.
pub struct Client(UnixStream);

impl Client {
    /// `None` if nobody listens.
    pub fn connect(data_dir: &DataDir) -> Option<Self> {
        UnixStream::connect(data_dir.join(NAME)).ok().map(Self)
    }

    /// What the server said, or why it refused.
    pub fn ask(self, command: &Command) -> Result<String, String> {
        match self.exchange(command) {
            Ok(Answer::Said(said)) => Ok(said),
            Ok(Answer::Refused(reason)) => Err(reason),
            Err(error) => Err(format!(
                "the running server gave no answer ({error}). Look whether the change was made before you try again."
            )),
        }
    }

    fn exchange(self, command: &Command) -> io::Result<Answer> {
        let mut stream = self.0;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = Zeroizing::new(serde_json::to_vec(command)?);
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = String::new();
        BufReader::new(io::Read::take(stream, LONGEST)).read_line(&mut answer)?;
        if answer.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        // Without the cause, which may quote the answer.
        serde_json::from_str(&answer).map_err(|_| io::Error::other("its answer is not understood"))
    }
}
