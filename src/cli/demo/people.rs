//! Who works here.

use super::{Broken, History, World};
use crate::domain::event::{Action, Actor, NewEvent};
use crate::domain::id::UserId;
use crate::domain::timestamp::{DAY, HOUR, MINUTE, Timestamp};
use crate::domain::user::{DisplayName, Email, NewUser, Username};
use crate::randomness;
use crate::storage::{Connection, events, roles, sessions, users};

struct Person {
    username: &'static str,
    display_name: &'static str,
    role: &'static str,
    /// Days since the account was made.
    days: i64,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Works,
    /// Left so many days ago.
    Left(i64),
    /// Was invited and has not set a password yet.
    Invited,
}

const fn person(
    username: &'static str,
    display_name: &'static str,
    role: &'static str,
    days: i64,
    fate: Fate,
) -> Person {
    Person { username, display_name, role, days, fate }
}

/// The administrator makes everybody else; the two repository managers make the repositories.
pub const ADMINISTRATOR: &str = "ada";
pub const MANAGERS: [&str; 2] = ["mira", "jonas"];

const PEOPLE: [Person; 13] = [
    person(ADMINISTRATOR, "Ada Berg", "administrator", 420, Fate::Works),
    person("mira", "Mira Santos", "repository-manager", 411, Fate::Works),
    person("jonas", "Jonas Weber", "repository-manager", 402, Fate::Works),
    person("aiko", "Aiko Tanaka", "developer", 371, Fate::Works),
    person("priya", "Priya Nair", "developer", 365, Fate::Works),
    person("tomas", "Tomás Ruiz", "developer", 290, Fate::Works),
    person("elif", "Elif Kaya", "developer", 214, Fate::Works),
    person("release-bot", "Release bot", "developer", 200, Fate::Works),
    person("noah", "Noah Lind", "viewer", 143, Fate::Works),
    person("chiamaka", "Chiamaka Obi", "developer", 120, Fate::Works),
    person("sven", "Sven Halvorsen", "developer", 397, Fate::Left(19)),
    person("rosa", "Rosa Delgado", "viewer", 88, Fate::Works),
    person("lena", "Lena Fischer", "developer", 1, Fate::Invited),
];

/// The lines that say who may sign in.
pub fn who_may_sign_in() -> Vec<String> {
    [
        (ADMINISTRATOR, "Administrator"),
        (MANAGERS[0], "Repository Manager, with tokens in every status"),
        ("aiko", "Developer"),
        ("noah", "Viewer"),
    ]
    .into_iter()
    .map(|(username, role)| format!("  {username} ({role})"))
    .collect()
}

pub fn tell(history: &mut History, now: Timestamp) {
    for person in &PEOPLE {
        // At some hour of the day, and before anything that is done on it.
        let moment = now.minus(person.days * DAY + HOUR + person.days * 61 % 420 * MINUTE);
        history.at(moment, move |world, connection, moment| join(world, connection, person, moment, now));
        if let Fate::Left(days) = person.fate {
            history.at(now.minus(days * DAY), move |world, connection, moment| {
                let (id, _) = world.user(person.username)?;
                users::disable(connection, id, moment)?;
                sessions::end_all_of(connection, id)?;
                world.tell_of_user(connection, Action::UserDisabled, id, person.username, moment)
            });
        }
    }
}

fn join(
    world: &mut World,
    connection: &mut Connection,
    person: &Person,
    moment: Timestamp,
    now: Timestamp,
) -> Result<(), Broken> {
    let rule = |invalid: crate::domain::Invalid| Broken::Rule(invalid.0);
    let user = NewUser {
        username: Username::parse(person.username).map_err(rule)?,
        display_name: DisplayName::parse(person.display_name).map_err(rule)?,
        email: Some(Email::parse(&format!("{}@example.org", person.username)).map_err(rule)?),
    };
    let rng = &mut randomness::system();
    let role = roles::find_by_name(connection, person.role)?.ok_or_else(|| Broken::Rule(person.role.to_owned()))?;
    let hash = (person.fate != Fate::Invited).then_some(&world.hash);
    let id = users::insert(connection, &user, hash, role.id, moment, rng)?
        .ok_or_else(|| Broken::Rule(format!("{} is there twice", person.username)))?;
    // Signed in on another device some minutes ago, which the list of sessions shows.
    let agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15";
    let seen = now.minus(11 * MINUTE);
    let session = sessions::insert(connection, id, "192.0.2.44", agent, seen, rng)?;
    world.users.insert(person.username, (id, session));
    world.tell_of_user(connection, Action::UserCreated, id, person.username, moment)
}

impl World {
    pub fn user(&self, username: &str) -> Result<(UserId, crate::domain::id::SessionId), Broken> {
        self.users.get(username).copied().ok_or_else(|| Broken::Rule(format!("{username} is not there yet")))
    }

    /// What a user does, in an event.
    pub fn actor(&self, username: &str) -> Result<Actor, Broken> {
        let (id, _) = self.user(username)?;
        Ok(Actor::User { id, username: username.to_owned(), address: "192.0.2.17".to_owned() })
    }

    fn tell_of_user(
        &self,
        connection: &mut Connection,
        action: Action,
        id: UserId,
        username: &str,
        moment: Timestamp,
    ) -> Result<(), Broken> {
        let event = NewEvent {
            actor: self.actor(ADMINISTRATOR)?,
            action,
            subject_kind: "user",
            subject_id: id.to_string(),
            subject_name: username.to_owned(),
            detail: String::new(),
        };
        Ok(events::append(connection, &event, moment, &mut randomness::system())?)
    }
}
