//! A child process whose output is read as it comes, and which ends with the test that started it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// How long a line may take to come. Long, since a busy machine is not a broken program.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Process {
    child: Child,
    name: String,
    output: Arc<Output>,
}

impl Process {
    /// Starts it with nothing on standard input.
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start ({error}); ./test installs what the tests need"));
        let output = Arc::new(Output::default());
        output.read(child.stdout.take().expect("standard output is piped"));
        output.read(child.stderr.take().expect("standard error is piped"));
        Self { child, name, output }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What follows `start` on the first line, of either output, that begins with it. Waits for that line.
    pub fn line(&self, start: &str) -> String {
        self.wait_for(start, |state| state.rest_of(start).map(str::to_owned))
    }

    /// The first line, of either output, that has `words` in it. Waits for that line.
    pub fn line_with(&self, words: &str) -> String {
        self.wait_for(words, |state| state.lines.iter().find(|line| line.contains(words)).cloned())
    }

    /// Whether it ever says, on either output, a line that has `words` in it. Waits for that line, or for its end.
    pub fn says(&self, words: &str) -> bool {
        self.look_for(|state| state.lines.iter().find(|line| line.contains(words)).cloned()).is_ok()
    }

    fn wait_for(&self, words: &str, find: impl Fn(&State) -> Option<String>) -> String {
        self.look_for(find).unwrap_or_else(|all| panic!("{} never said “{words}” but:\n{all}", self.name))
    }

    /// What is found, or all that was said.
    fn look_for(&self, find: impl Fn(&State) -> Option<String>) -> Result<String, String> {
        let state = self.output.state.lock().expect("the readers do not panic");
        let (state, _) = self
            .output
            .changed
            .wait_timeout_while(state, PATIENCE, |state| find(state).is_none() && state.open > 0)
            .expect("the readers do not panic");
        find(&state).ok_or_else(|| state.lines.join("\n"))
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(status.success(), "{} is not there to be sent a signal", self.name);
    }

    /// Waits until it has ended and all it wrote is here.
    pub fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().expect("it is our own child");
        let state = self.output.state.lock().expect("the readers do not panic");
        drop(self.output.changed.wait_while(state, |state| state.open > 0).expect("the readers do not panic"));
        status
    }

    /// All it wrote so far, both outputs together.
    pub fn log(&self) -> String {
        self.output.state.lock().expect("the readers do not panic").lines.join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[derive(Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    /// How many of the two outputs are still open.
    open: usize,
}

impl Output {
    fn read(self: &Arc<Self>, from: impl Read + Send + 'static) {
        self.change(|state| state.open += 1);
        let output = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                output.change(|state| state.lines.push(line));
            }
            output.change(|state| state.open -= 1);
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no change panics"));
        self.changed.notify_all();
    }
}

impl State {
    fn rest_of(&self, start: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(start))
    }
}
