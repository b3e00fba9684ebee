//! A data directory that outlives the processes that serve from it, and its one user, who signs in once.

use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;

use crate::database::Database;
use crate::support::http::Browser;
use crate::support::process::Process;
use crate::support::server::tokenhouse;

pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "lantern orbit sixteen quiet";

pub struct House {
    folder: TempDir,
    /// Makes the command that starts the program, for a data directory.
    program: Box<dyn Fn(&Path) -> Command>,
    server: Option<Process>,
    address: String,
    /// Of the administrator who was made at set-up.
    pub browser: Browser,
}

impl House {
    /// Serves, and makes the first user.
    pub fn set_up() -> Self {
        Self::set_up_with(|_| tokenhouse())
    }

    /// The same with a program that is started in another way.
    pub fn set_up_with(program: impl Fn(&Path) -> Command + 'static) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let program = Box::new(program);
        let mut house = Self { folder, program, server: None, address: String::new(), browser: Browser::new("") };
        house.serve();
        let setup = house.server().line("Create the first administrator at ");
        let (_, code) = setup.split_once("code=").expect("the address has a code");
        let fields = [
            ("code", code),
            ("username", USERNAME),
            ("display_name", "Ada Lovelace"),
            ("email", "ada@example.org"),
            ("password", PASSWORD),
        ];
        let answer = house.browser.post("/setup", &fields).expect("it answers");
        assert_eq!(answer.location(), "/login?next=%2F&signed_in=1");
        house
    }

    /// Starts a server on what is there.
    pub fn serve(&mut self) {
        let mut command = (self.program)(&self.data());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.data());
        // These clients change far more in an hour than people do.
        for kind in ["token-creations", "rotations", "writes"] {
            command.args([&format!("--{kind}-per-hour"), "1000000"]);
        }
        let server = Process::start(&mut command);
        self.address = server.line("Tokenhouse is listening on ");
        self.browser.move_to(&self.address);
        self.server = Some(server);
    }

    pub fn server(&self) -> &Process {
        self.server.as_ref().expect("it serves")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Hands out the server for its end to be watched.
    pub fn take_server(&mut self) -> Process {
        self.server.take().expect("it serves")
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn database(&self) -> Database {
        Database::open(&self.data())
    }
}

/// From the seed of this run, which it says.
pub fn randomness() -> StdRng {
    let seed = std::env::var("TOKENHOUSE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| StdRng::from_rng(&mut tokenhouse::randomness::system()).random());
    println!("the seed is {seed}; to repeat: TOKENHOUSE_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
