//! `tokenhouse user …`: accounts from the shell, where there is no session to ask for privileges.

pub mod create;
pub mod disable;
pub mod reset_password;

use clap::Subcommand;

use super::Failure;
use crate::auth::hasher::{Cost, Hasher};
use crate::config::Config;
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::UserId;
use crate::domain::password::{Password, PasswordHash};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Username;
use crate::randomness;
use crate::storage::{Connection, Result as Stored, events};

#[derive(Subcommand)]
pub enum Task {
    /// Create a user
    Create(create::Arguments),
    /// Disable a user: ends all sessions and stops all API tokens of that user
    Disable(disable::Arguments),
    /// Give a user a new password and end all sessions of that user
    ResetPassword(reset_password::Arguments),
}

pub fn run(config: &Config, task: Task) -> Result<(), Failure> {
    match task {
        Task::Create(arguments) => create::run(config, arguments),
        Task::Disable(arguments) => disable::run(config, &arguments),
        Task::ResetPassword(arguments) => reset_password::run(config, &arguments),
    }
}

/// Only the hash leaves this process.
fn hash(password: Password) -> Result<PasswordHash, Failure> {
    Hasher::hash_here(Cost::OWASP, &password, &mut randomness::system())
        .ok_or_else(|| Failure::Failed("the password cannot be hashed: there is too little memory.".to_owned()))
}

fn append_event(
    connection: &mut Connection,
    action: Action,
    id: UserId,
    name: &Username,
    now: Timestamp,
) -> Stored<()> {
    let event = NewEvent {
        actor: Actor::Shell,
        action,
        subject_kind: "user",
        subject_id: id.to_string(),
        subject_name: name.to_string(),
        detail: String::new(),
    };
    events::append(connection, &event, now, &mut randomness::system())
}
