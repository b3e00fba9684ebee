//! What is in the database before the load begins: users with five tokens each, an administrator whose pages are opened,
//! and a thousand repositories.

use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tokenhouse::auth::hasher::{Cost, Hasher};
use tokenhouse::domain::id::{ApiTokenId, ServiceId, UserId};
use tokenhouse::domain::password::{Password, PasswordHash};
use tokenhouse::domain::secret::{LENGTH, Secret, SecretKind};
use tokenhouse::domain::timestamp::{DAY, Timestamp};
use tokenhouse::domain::user::{DisplayName, NewUser, Username};
use tokenhouse::storage::connection::Target;
use tokenhouse::storage::schema::{api_token_secrets, api_tokens, services, user_roles, users};
use tokenhouse::storage::{Connection, Db, Result, nonces, roles, users as stored};
use tokenhouse::{clock, randomness};
use url::Url;
use zeroize::Zeroizing;

use crate::repositories;

/// The user whose pages are opened.
pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "lantern orbit sixteen quiet";
/// Well-formed but for its checksum.
pub const MALFORMED: &str = "thp_0123456789abcdefghijABCDEFGHIJ01aaaaaa";

pub const TOKENS_EACH: usize = 5;
const USERS_AT_ONCE: usize = 2_000;
/// Rows of one statement: PostgreSQL takes 65,535 values.
const ROWS_AT_ONCE: usize = 1_000;

macro_rules! insert_all {
    ($connection:expr, $table:ident, $rows:expr) => {
        let mut rows = $rows;
        while !rows.is_empty() {
            let some = rows.split_off(rows.len().saturating_sub(ROWS_AT_ONCE));
            match $connection {
                Connection::Sqlite(c) => diesel::insert_into($table::table).values(some).execute(c)?,
                Connection::Postgres(c) => diesel::insert_into($table::table).values(some).execute(c)?,
            };
        }
    };
}

/// The secrets of all tokens, one after the other.
pub struct Data {
    secrets: Vec<u8>,
    /// The token of the busy repository.
    pub repository_token: String,
    pub service_token: String,
}

impl Data {
    /// Fills a new database with `tokens` tokens, and five for [`USERNAME`].
    pub fn prepare(target: &Target, tokens: usize) -> Self {
        let db = Db::open(target, 1).expect("the database opens");
        let now = clock::Clock::System.now();
        let hash = hash();
        let mut data = Self {
            secrets: Vec::with_capacity(tokens * LENGTH),
            repository_token: String::new(),
            service_token: String::new(),
        };
        let mut made = 0;
        while made < tokens {
            let from = made / TOKENS_EACH;
            let count = (tokens - made).min(USERS_AT_ONCE * TOKENS_EACH);
            let hash = hash.clone();
            let secrets = block_on(db.write(move |connection| insert_users(connection, from, count, &hash, now)));
            data.secrets.extend_from_slice(secrets.expect("the users can be inserted").as_bytes());
            made += count;
        }
        let insert = move |connection: &mut Connection| -> Result<(String, String)> {
            let user = insert_user(connection, USERNAME, "administrator", &hash, now)?;
            (0..TOKENS_EACH).try_for_each(|number| insert_token(connection, user, number, now))?;
            let others = users::table.order(users::username.asc()).limit(50).select(users::id);
            let others: Vec<UserId> = others.load(connection)?;
            Ok((repositories::insert(connection, &others, now)?, insert_service(connection, now)?))
        };
        (data.repository_token, data.service_token) =
            block_on(db.write(insert)).expect("users and repositories can be inserted");
        block_on(db.checkpoint()).expect("the file takes it all");
        data
    }

    pub fn len(&self) -> usize {
        self.secrets.len() / LENGTH
    }

    pub fn secret(&self, number: usize) -> &[u8] {
        &self.secrets[number * LENGTH..][..LENGTH]
    }

    pub fn first(&self) -> &str {
        std::str::from_utf8(self.secret(0)).expect("secrets are text")
    }
}

/// The username of one of those who have five tokens each.
pub fn username(number: usize) -> String {
    format!("user{number}")
}

/// Users whose numbers begin with `from`, with so many tokens between them. Many rows at once, and no events: one by one, as
/// the portal makes them, ten million take half a day.
fn insert_users(
    connection: &mut Connection,
    from: usize,
    tokens: usize,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<String> {
    let rng = &mut randomness::system();
    let role = roles::find_by_name(connection, "developer")?.expect("a built-in role").id;
    let mut made = String::with_capacity(tokens * LENGTH);
    let (mut people, mut held, mut all, mut secrets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for first in (0..tokens).step_by(TOKENS_EACH) {
        let (owner, name) = (UserId::new(now, rng), username(from + first / TOKENS_EACH));
        for number in 0..TOKENS_EACH.min(tokens - first) {
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            let id = ApiTokenId::new(now, rng);
            made.push_str(secret.reveal());
            secrets.push(secret_row(&secret, id, now));
            all.push(token_row(&secret, id, owner, number, now));
        }
        held.push((user_roles::user_id.eq(owner), user_roles::role_id.eq(role)));
        people.push((
            users::id.eq(owner),
            users::username.eq(name.clone()),
            users::display_name.eq(name.clone()),
            users::email.eq(""),
            users::password_hash.eq(Some(hash.as_phc())),
            users::created_at.eq(now.unix()),
            users::revision.eq(0),
            users::search_key.eq(format!("{name} {name} ")),
        ));
    }
    insert_all!(connection, users, people);
    insert_all!(connection, user_roles, held);
    insert_all!(connection, api_tokens, all);
    insert_all!(connection, api_token_secrets, secrets);
    Ok(made)
}

fn insert_user(
    connection: &mut Connection,
    name: &str,
    role: &str,
    hash: &PasswordHash,
    now: Timestamp,
) -> Result<UserId> {
    let user = NewUser {
        username: Username::parse(name).expect("a username"),
        display_name: DisplayName::parse(name).expect("a display name"),
        email: None,
    };
    let role = roles::find_by_name(connection, role)?.expect("a built-in role");
    let made = stored::insert(connection, &user, Some(hash), role.id, now, &mut randomness::system())?;
    Ok(made.expect("the username is free"))
}

fn insert_token(connection: &mut Connection, owner: UserId, number: usize, now: Timestamp) -> Result<()> {
    let rng = &mut randomness::system();
    let secret = Secret::generate(SecretKind::ApiToken, rng);
    let id = ApiTokenId::new(now, rng);
    let row = secret_row(&secret, id, now);
    let token = token_row(&secret, id, owner, number, now);
    diesel::insert_into(api_tokens::table).values(token).execute(connection)?;
    diesel::insert_into(api_token_secrets::table).values(row).execute(connection)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = api_tokens)]
pub struct TokenRow {
    pub id: i64,
    pub user_id: i64,
    pub name: String,
    pub name_key: String,
    pub hint: String,
    pub secret_number: i64,
    pub repositories_permission: &'static str,
    pub account_permission: &'static str,
    pub administration_permission: &'static str,
    pub repository_selection: &'static str,
    pub lifetime: i64,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Insertable)]
#[diesel(table_name = api_token_secrets)]
struct SecretRow {
    digest: Vec<u8>,
    api_token_id: i64,
    number: i64,
    hint: String,
    created_at: i64,
    form_nonce: i64,
}

fn token_row(secret: &Secret, id: ApiTokenId, owner: UserId, number: usize, now: Timestamp) -> TokenRow {
    TokenRow {
        id: id.number(),
        user_id: owner.number(),
        name: format!("Token {number}"),
        name_key: format!("token {number}"),
        hint: secret.hint(),
        secret_number: 1,
        repositories_permission: "read",
        account_permission: "none",
        administration_permission: "none",
        repository_selection: "all",
        lifetime: 90 * DAY,
        created_at: now.unix(),
        expires_at: now.plus(90 * DAY).unix(),
    }
}

fn secret_row(secret: &Secret, token: ApiTokenId, now: Timestamp) -> SecretRow {
    SecretRow {
        digest: secret.digest().as_bytes().to_vec(),
        api_token_id: token.number(),
        number: 1,
        hint: secret.hint(),
        created_at: now.unix(),
        form_nonce: nonces::number(secret.reveal()),
    }
}

fn insert_service(connection: &mut Connection, now: Timestamp) -> Result<String> {
    let rng = &mut randomness::system();
    let secret = Secret::generate(SecretKind::ServiceToken, rng);
    let id = ServiceId::new(now, rng);
    diesel::insert_into(services::table)
        .values((
            services::id.eq(id),
            services::name.eq("build-cache"),
            services::description.eq(""),
            services::digest.eq(secret.digest().as_bytes().as_slice()),
            services::hint.eq(secret.hint()),
            services::generation.eq(1),
            services::created_at.eq(now.unix()),
            services::created_by.eq(USERNAME),
            services::token_created_at.eq(now.unix()),
            services::token_created_by.eq(USERNAME),
            services::form_nonce.eq(nonces::number(secret.reveal())),
            services::search_key.eq("build-cache"),
            services::revision.eq(0),
        ))
        .execute(connection)?;
    Ok(secret.reveal().to_owned())
}

fn hash() -> PasswordHash {
    let password = Password::typed(Zeroizing::new(PASSWORD.to_owned()));
    Hasher::hash_here(Cost::OWASP, &password, &mut randomness::system()).expect("it hashes")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts").block_on(future)
}

/// A schema of somebody's PostgreSQL, dropped at the end.
pub struct Schema {
    server: Url,
    name: String,
}

impl Schema {
    pub fn create(server: &str) -> Self {
        let server = Url::parse(server).expect("--postgres is an address");
        let schema = Self { server, name: format!("bench_{}", std::process::id()) };
        schema.batch(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    /// An address at which this schema is the only one seen.
    pub fn url(&self) -> String {
        let mut url = self.server.clone();
        url.query_pairs_mut().append_pair("options", &format!("-csearch_path={}", self.name));
        // libpq reads %20 as a blank, and a plus sign as a plus sign.
        url.as_str().replace('+', "%20")
    }

    /// What the server does by itself some time after so many rows.
    pub fn analyze(&self) {
        self.batch("ANALYZE");
    }

    fn batch(&self, sql: &str) {
        let mut connection = PgConnection::establish(self.server.as_str()).expect("PostgreSQL answers");
        connection.batch_execute(sql).expect(sql);
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.batch(&format!("SET client_min_messages = warning; DROP SCHEMA {} CASCADE", self.name));
    }
}
