//! A thousand repositories, and one among them with a month of use, grants and events: what the pages of a team are made of.

use diesel::prelude::*;
use tokenhouse::domain::caller::{Caller, UsedToken};
use tokenhouse::domain::event::{Action, Actor, NewEvent};
use tokenhouse::domain::id::{RepositoryId, RepositoryTokenId, UserId};
use tokenhouse::domain::permission::Permission;
use tokenhouse::domain::repository::RepositoryName;
use tokenhouse::domain::secret::{Secret, SecretKind, random_code};
use tokenhouse::domain::timestamp::{DAY, Timestamp};
use tokenhouse::randomness;
use tokenhouse::storage::callers::{self, DAYS, Gathered};
use tokenhouse::storage::schema::repository_tokens as t;
use tokenhouse::storage::{Connection, Result, events, grants, nonces, repositories};

const REPOSITORIES: usize = 1_000;
const CALLERS: i64 = 5;
const EVENTS: i64 = 100;
/// The busy one, in the middle of the list.
pub const BUSY: &str = "service-0500";

/// Inserts them, grants the busy one to `users`, and returns its token.
pub fn insert(connection: &mut Connection, users: &[UserId], now: Timestamp) -> Result<String> {
    let rng = &mut randomness::system();
    let mut busy = String::new();
    for number in 0..REPOSITORIES {
        let name = RepositoryName::parse(&format!("service-{number:04}")).expect("a name");
        let made = now.minus((REPOSITORIES - number) as i64 * 3_600);
        let description = format!("Service number {number} of the shop, and what belongs to it");
        let id = repositories::insert(connection, &name, &description, made, rng)?.expect("the name is free");
        let token = RepositoryTokenId::new(made, rng);
        let secret = Secret::generate(SecretKind::RepositoryToken, rng);
        diesel::insert_into(t::table)
            .values((
                t::id.eq(token),
                t::repository_id.eq(id),
                t::generation.eq(1),
                t::digest.eq(secret.digest().as_bytes().as_slice()),
                t::hint.eq(secret.hint()),
                t::created_at.eq(made.unix()),
                t::created_by.eq("ada"),
                t::form_nonce.eq(nonces::number(&random_code(rng))),
            ))
            .execute(connection)?;
        if name.as_str() == BUSY {
            secret.reveal().clone_into(&mut busy);
            fill(connection, id, token, users, now)?;
        }
    }
    Ok(busy)
}

fn fill(
    connection: &mut Connection,
    id: RepositoryId,
    token: RepositoryTokenId,
    users: &[UserId],
    now: Timestamp,
) -> Result<()> {
    let used = |ago: i64, number: i64| Gathered {
        token: UsedToken::Repository { repository: id, token },
        repository: Some(id),
        day: now.day_number() - ago,
        caller: Caller {
            address: format!("198.51.100.{number}"),
            user_agent: format!("worker/{number}.0"),
            first_used_at: now.minus(ago * DAY),
            last_used_at: now.minus(ago * DAY),
            uses: 100 + number,
            writes: 0,
        },
    };
    let month: Vec<Gathered> = (0..DAYS).flat_map(|ago| (0..CALLERS).map(move |number| used(ago, number))).collect();
    callers::add(connection, &month)?;
    for &user in users {
        grants::set(connection, user, id, Permission::Write, now)?;
    }
    (0..EVENTS).try_for_each(|number| {
        let event = NewEvent {
            actor: Actor::Shell,
            action: Action::RepositoryDescribed,
            subject_kind: "repository",
            subject_id: id.to_string(),
            subject_name: BUSY.to_owned(),
            detail: format!("was “number {number}”"),
        };
        events::append(connection, &event, now, &mut randomness::system())
    })
}
