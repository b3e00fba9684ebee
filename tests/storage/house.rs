//! A fresh database of each kind, with what most tests begin from.

use std::sync::{Arc, Barrier};
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use tokenhouse::domain::api_token::{NewApiToken, RepositorySelection};
use tokenhouse::domain::event::Actor;
use tokenhouse::domain::id::{ApiTokenId, SessionId, UserId};
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::permission::Permissions;
use tokenhouse::domain::secret::{Secret, SecretKind};
use tokenhouse::domain::timestamp::Timestamp;
use tokenhouse::domain::user::{DisplayName, NewUser, Username};
use tokenhouse::randomness;
use tokenhouse::storage::api_token_changes::{Change, Made, Refusal};
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::{Connection, Db, Result, api_tokens, roles, sessions, users};

use crate::support::database::Database;

pub const NOW: Timestamp = Timestamp::from_unix(1_795_270_000);

pub struct House {
    pub database: Arc<Database>,
    pub db: Db,
}

/// The same test on both databases.
pub fn on_both(test: impl Fn(&House)) {
    for database in Database::both() {
        test(&House::open(database));
    }
}

impl House {
    pub fn open(database: Database) -> Self {
        let db = Db::open(&database.target(), 4).expect("it opens");
        Self { database: Arc::new(database), db }
    }

    /// The same database from another process, as far as the database can tell.
    pub fn beside(house: &House) -> Self {
        Self { database: Arc::clone(&house.database), db: Db::open(&house.database.target(), 2).expect("it opens") }
    }

    pub fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Connection) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        block_on(self.db.write(change))
    }

    pub fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        block_on(self.db.read(question))
    }

    pub fn user(&self, name: &str) -> UserId {
        let name = name.to_owned();
        self.write(move |c| Ok(insert_user(c, &name)?.expect("the name is free"))).expect("a user is made")
    }

    pub fn session(&self, user: UserId) -> SessionId {
        self.write(move |c| Ok(sessions::insert(c, user, "192.0.2.1", "x", NOW, &mut randomness::system())?))
            .expect("a session is made")
    }

    pub fn token(&self, owner: UserId, name: &str) -> ApiTokenId {
        match self.create(owner, name, name, 100) {
            Ok(Made::Now(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    pub fn create(&self, owner: UserId, name: &str, nonce: &str, most: usize) -> Result<Made, Refusal> {
        let (wish, nonce) = (wish(name), nonce.to_owned());
        self.write(move |c| {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            change(owner).create(c, rng, &wish, &secret, &nonce, most)
        })
    }

    pub fn count_tokens(&self, owner: UserId) -> usize {
        self.read(move |c| api_tokens::count_current(c, owner)).expect("it counts")
    }

    pub fn knows(&self, name: &str) -> bool {
        let name = Username::parse(name).expect("a username");
        self.read(move |c| users::credentials(c, &name)).expect("it answers").is_some()
    }

    /// A connection of somebody else's.
    pub fn stranger(&self) -> Stranger {
        match self.database.target() {
            Target::Sqlite(path) => {
                Stranger::Sqlite(SqliteConnection::establish(path.to_str().expect("text")).expect("it opens"))
            }
            Target::Postgres(url) => Stranger::Postgres(PgConnection::establish(&url).expect("it answers")),
        }
    }
}

pub enum Stranger {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Stranger {
    pub fn sql(&mut self, sql: &str) {
        match self {
            Self::Sqlite(c) => c.batch_execute(sql),
            Self::Postgres(c) => c.batch_execute(sql),
        }
        .expect(sql);
    }
}

pub fn insert_user(connection: &mut Connection, name: &str) -> Result<Option<UserId>> {
    let role = roles::find_by_name(connection, "developer")?.expect("a built-in role");
    let user = NewUser {
        username: Username::parse(name).expect("a username"),
        display_name: DisplayName::parse(name).expect("a display name"),
        email: None,
    };
    users::insert(connection, &user, None, role.id, NOW, &mut randomness::system())
}

pub fn change(owner: UserId) -> Change {
    Change { owner, actor: Actor::System, by: None, now: NOW }
}

pub fn wish(name: &str) -> NewApiToken {
    NewApiToken {
        note: None,
        name: TokenName::parse(name).expect("a name"),
        permissions: Permissions::default(),
        repositories: RepositorySelection::All,
        expires_at: None,
        recreates: None,
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// What `count` threads that start at the same moment were answered; each gets its number.
pub fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Arc::new(Barrier::new(count));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let (barrier, work) = (Arc::clone(&barrier), &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}
