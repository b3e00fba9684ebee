//! The data directory, the key file and the file of the database URL, as Kubernetes and Docker hand them to a process: owned
//! by root, accessible by a group of the process.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::house::{PASSWORD, run};
use crate::support::database::Schema;
use crate::support::process::Process;
use crate::support::server::tokenhouse;

/// The process under test runs as this user, with a group of the same number.
const USER: u32 = 64_001;
/// Another group of the process, which owns the files.
const GROUP: u32 = 64_002;
const FOREIGN_GROUP: u32 = 64_003;
const KEY: &str = "630dcd29:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// A folder with the program and its files.
struct Volume {
    folder: TempDir,
}

impl Volume {
    /// Files can be given to another user by root alone; the tests do not pass without that.
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        chown(folder.path(), Some(0), Some(0)).expect("these tests change owners of files: run ./test as root");
        set_mode(folder.path(), 0o755);
        fs::copy(tokenhouse().get_program(), folder.path().join("tokenhouse")).expect("the program can be copied");
        let volume = Self { folder };
        fs::create_dir(volume.path("data")).expect("a folder can be made");
        volume
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str, owner: u32, group: u32, mode: u32) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("a file can be written");
        give(&path, owner, group, mode);
        path.display().to_string()
    }

    /// The program as a user without any privilege, who is in [`GROUP`].
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={USER}"), format!("--regid={USER}"), format!("--groups={GROUP}")]);
        command.arg("--inh-caps=-all").arg(self.path("tokenhouse")).args(arguments);
        command.arg("--data-dir").arg(self.path("data")).env("TOKENHOUSE_LISTEN", "127.0.0.1:0");
        command
    }
}

fn give(path: &Path, owner: u32, group: u32, mode: u32) {
    chown(path, Some(owner), Some(group)).expect("root can give files away");
    set_mode(path, mode);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("root can change modes");
}

/// Serves until it is ready; returns its log.
fn serve(command: &mut Command) -> (Process, String) {
    let process = Process::start(command);
    process.line("Tokenhouse is listening on ");
    let log = process.log();
    (process, log)
}

#[test]
fn data_directory_and_key_file_of_own_group_are_accepted_without_warning() {
    let volume = Volume::new();
    give(&volume.path("data"), 0, GROUP, 0o2770);
    let key = volume.file("secret.key", KEY, 0, GROUP, 0o440);
    let (_server, log) = serve(&mut volume.command(&["serve", "--secret-key-file", &key]));
    assert!(!log.contains("chmod"), "{log}");
    let create = ["user", "create", "ada", "--role", "viewer", "--password-stdin"];
    run(&mut volume.command(&create), PASSWORD).succeeds();
}

#[test]
fn data_directory_readable_by_others_is_accepted_with_warning() {
    let volume = Volume::new();
    give(&volume.path("data"), 0, GROUP, 0o2775);
    let (_server, log) = serve(&mut volume.command(&["serve"]));
    assert!(log.contains("chmod o-rwx") && !log.contains("chmod g-rwx"), "{log}");
}

#[test]
fn data_directory_writable_by_others_is_refused() {
    let volume = Volume::new();
    give(&volume.path("data"), 0, GROUP, 0o2777);
    run(&mut volume.command(&["serve"]), "").fails(1, &["other users can write to it", "chmod o-w "]);
}

#[test]
fn key_file_accessible_by_others_is_refused() {
    for mode in [0o444, 0o441, 0o442] {
        let volume = Volume::new();
        give(&volume.path("data"), USER, USER, 0o700);
        let key = volume.file("secret.key", KEY, USER, GROUP, mode);
        let said = run(&mut volume.command(&["serve", "--secret-key-file", &key]), "");
        said.fails(1, &["other users can access the key file", &format!("chmod o-rwx {key}")]);
    }
}

#[test]
fn files_of_a_foreign_group_are_accepted_with_warning() {
    let volume = Volume::new();
    give(&volume.path("data"), USER, FOREIGN_GROUP, 0o770);
    let key = volume.file("secret.key", KEY, USER, FOREIGN_GROUP, 0o640);
    let (_server, log) = serve(&mut volume.command(&["serve", "--secret-key-file", &key]));
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("chmod g-rwx")).collect();
    assert_eq!(warnings.len(), 2, "{log}");
    assert!(warnings.iter().all(|line| line.contains(&format!("the group {FOREIGN_GROUP} can access"))), "{log}");
    assert!(warnings[0].contains("the data directory") && warnings[1].contains("the key file"), "{log}");
}

#[test]
fn database_url_file_of_own_group_is_accepted_without_warning() {
    for (group, mode, warning) in
        [(GROUP, 0o440, None), (FOREIGN_GROUP, 0o440, Some("g-rwx")), (GROUP, 0o444, Some("o-rwx"))]
    {
        let (volume, schema) = (Volume::new(), Schema::create());
        give(&volume.path("data"), USER, USER, 0o700);
        let owner = if group == GROUP { 0 } else { USER };
        let url = volume.file("database-url", &schema.url(), owner, group, mode);
        let (_server, log) = serve(volume.command(&["serve"]).env("TOKENHOUSE_DATABASE_URL_FILE", &url));
        let warnings: Vec<_> = log.lines().filter(|line| line.contains("chmod")).collect();
        assert_eq!(warnings.len(), usize::from(warning.is_some()), "{log}");
        let expected = warning.map(|change| format!("chmod {change} {url}"));
        assert!(expected.is_none_or(|command| warnings[0].contains(&command)), "{log}");
    }
}
