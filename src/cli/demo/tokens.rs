//! API tokens, one of them in every status.

use super::{Broken, History, World};
use crate::domain::api_token::{NewApiToken, RepositorySelection};
use crate::domain::id::ApiTokenId;
use crate::domain::name::TokenName;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::timestamp::{DAY, HOUR, Timestamp};
use crate::randomness;
use crate::storage::api_token_changes::{Change, Made, Rotation};
use crate::storage::{Connection, api_tokens};

struct Token {
    owner: &'static str,
    name: &'static str,
    permission: Permission,
    account: Permission,
    /// All repositories, where empty.
    repositories: &'static [&'static str],
    /// Days since it was made.
    days: i64,
    /// Days from then to its end; none for no expiry.
    lifetime: Option<i64>,
    fate: Fate,
}

#[derive(Clone, Copy)]
enum Fate {
    Works,
    Disabled,
    Revoked,
    /// Rotated some hours ago, and the old secret still works.
    Replaced,
}

const READ: Permission = Permission::Read;
const WRITE: Permission = Permission::Write;

const fn token(
    owner: &'static str,
    name: &'static str,
    permission: Permission,
    repositories: &'static [&'static str],
    (days, lifetime): (i64, Option<i64>),
    fate: Fate,
) -> Token {
    Token { owner, name, permission, account: Permission::None, repositories, days, lifetime, fate }
}

/// The first owner has one in every status, and room for another.
const TOKENS: [Token; 19] = [
    Token {
        account: Permission::Write,
        ..token("mira", "ci-build", WRITE, &["payments", "web-shop"], (41, Some(90)), Fate::Replaced)
    },
    token("mira", "laptop", READ, &[], (57, Some(60)), Fate::Works),
    token("mira", "release-2026.2", WRITE, &["web-shop"], (121, Some(90)), Fate::Works),
    token("mira", "old runner", WRITE, &[], (300, Some(365)), Fate::Disabled),
    token("mira", "workshop", READ, &[], (22, Some(30)), Fate::Revoked),
    token("ada", "backup audit", READ, &[], (15, Some(30)), Fate::Works),
    token("ada", "nightly mirror", READ, &[], (64, Some(90)), Fate::Works),
    token("jonas", "terraform", WRITE, &["infra.terraform"], (33, Some(365)), Fate::Works),
    token("jonas", "laptop", READ, &[], (85, Some(90)), Fate::Works),
    token("aiko", "shop pipeline", WRITE, &["web-shop", "search"], (12, Some(90)), Fate::Works),
    token("aiko", "phone", READ, &["docs"], (3, Some(7)), Fate::Works),
    token("priya", "payments pipeline", WRITE, &["payments"], (70, Some(365)), Fate::Works),
    token("priya", "notebook", READ, &["data-platform", "ml-models"], (8, Some(60)), Fate::Works),
    token("tomas", "app builds", WRITE, &["mobile-app"], (29, Some(90)), Fate::Works),
    token("elif", "search indexer", READ, &["search", "inventory"], (150, None), Fate::Works),
    token("release-bot", "release", WRITE, &[], (44, Some(365)), Fate::Works),
    token("release-bot", "canary", READ, &["web-shop"], (44, Some(90)), Fate::Works),
    token("chiamaka", "auth tests", READ, &["auth-gateway"], (61, Some(60)), Fate::Works),
    token("sven", "laptop", READ, &[], (140, Some(365)), Fate::Works),
];

pub fn tell(history: &mut History, now: Timestamp) {
    for token in &TOKENS {
        // A few hours into the day, so that neither ends exactly now.
        history.at(now.minus(token.days * DAY - 5 * HOUR), move |world, connection, moment| {
            create(world, connection, token, moment)
        });
        let later = match token.fate {
            Fate::Works => continue,
            Fate::Disabled | Fate::Revoked => now.minus(6 * DAY),
            Fate::Replaced => now.minus(3 * HOUR),
        };
        history.at(later, move |world, connection, moment| meet(world, connection, token, moment));
    }
}

fn create(world: &mut World, connection: &mut Connection, token: &'static Token, now: Timestamp) -> Result<(), Broken> {
    let ids: Result<Vec<_>, Broken> =
        token.repositories.iter().map(|name| world.repository(name).map(|(id, _)| id)).collect();
    let wish = NewApiToken {
        note: None,
        name: TokenName::parse(token.name).map_err(|invalid| Broken::Rule(invalid.0))?,
        permissions: Permissions { repositories: token.permission, account: token.account, ..Permissions::default() },
        repositories: match ids? {
            ids if ids.is_empty() => RepositorySelection::All,
            ids => RepositorySelection::Selected(ids),
        },
        expires_at: token.lifetime.map(|days| now.plus(days * DAY)),
        recreates: None,
    };
    let rng = &mut randomness::system();
    let secret = Secret::generate(SecretKind::ApiToken, rng);
    let nonce = random_code(rng);
    let change = world.token_change(token.owner, now)?;
    let (Made::Now(id) | Made::Before(id)) = change
        .create(connection, rng, &wish, &secret, &nonce, 100)
        .map_err(|refusal| Broken::Rule(refusal.to_string()))?;
    world.tokens.insert((token.owner, token.name), id);
    Ok(())
}

fn meet(world: &mut World, connection: &mut Connection, token: &Token, now: Timestamp) -> Result<(), Broken> {
    let (change, id) = (world.token_change(token.owner, now)?, world.token(token.owner, token.name)?);
    let rng = &mut randomness::system();
    let met = match token.fate {
        Fate::Works => Ok(()),
        Fate::Disabled => change.disable(connection, rng, id).map(|_| ()),
        Fate::Revoked => change.revoke(connection, rng, id).map(|_| ()),
        Fate::Replaced => {
            let stored = api_tokens::find(connection, change.owner, id)?
                .ok_or_else(|| Broken::Rule(format!("{} is not there", token.name)))?;
            let rotation = Rotation {
                replaces: stored.current_secret,
                nonce: random_code(rng),
                old_ends_at: now.plus(DAY),
                expires_at: token.lifetime.map(|days| now.plus(days * DAY)),
            };
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            change.rotate(connection, rng, id, &rotation, &secret).map(|_| ())
        }
    };
    met.map_err(|refusal| Broken::Rule(refusal.to_string()))
}

impl World {
    fn token_change(&self, owner: &str, now: Timestamp) -> Result<Change, Broken> {
        Ok(Change { owner: self.user(owner)?.0, actor: self.actor(owner)?, by: None, now })
    }

    pub fn token(&self, owner: &'static str, name: &'static str) -> Result<ApiTokenId, Broken> {
        let found = self.tokens.get(&(owner, name)).copied();
        found.ok_or_else(|| Broken::Rule(format!("{owner} has no token {name}")))
    }
}
