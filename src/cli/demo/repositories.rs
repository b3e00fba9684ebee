//! What the tokens open.

use super::people::MANAGERS;
use super::{Broken, History, World};
use crate::domain::permission::Permission;
use crate::domain::policy::Grace;
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::repository::{Description, RepositoryName};
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::timestamp::{DAY, HOUR, MINUTE, Timestamp};
use crate::randomness;
use crate::storage::acting::{Acting, By};
use crate::storage::repository_changes::{Change, Made, NewRepository, Renewal};
use crate::storage::{Connection, repository_tokens};

/// Name, description, days since it was made.
pub const REPOSITORIES: [(&str, &str, i64); 14] = [
    ("payments", "Card payments and refunds. Team Finance.", 398),
    ("web-shop", "The shop that customers see.", 396),
    ("inventory", "Stock levels and reservations.", 391),
    ("search", "Index and query service of the shop.", 340),
    ("mobile-app", "Builds for iOS and Android.", 322),
    ("billing.reports", "Monthly reports for accounting.", 301),
    ("data-platform", "Pipelines and schemas.", 288),
    ("design-tokens", "Colours, type and spacing for every surface.", 233),
    ("docs", "The public documentation.", 230),
    ("infra.terraform", "Modules and plans.", 204),
    ("ml-models", "Trained models, by version.", 151),
    ("auth-gateway", "Sign-in for customers.", 97),
    ("internal-tools", "", 60),
    ("legacy-crm", "Read-only since the move. Nobody should need it.", 395),
];

/// Which tokens were renewed, how many days ago, and how long the old ones went on.
const RENEWALS: [(&str, i64, Grace); 4] = [
    ("payments", 96, Grace::OneDay),
    ("web-shop", 31, Grace::SevenDays),
    ("search", 12, Grace::AtOnce),
    ("mobile-app", 2, Grace::SevenDays),
];

const GRANTS: [(&str, &str, Permission); 6] = [
    ("payments", "priya", Permission::Write),
    ("payments", "release-bot", Permission::Write),
    ("web-shop", "aiko", Permission::Write),
    ("web-shop", "release-bot", Permission::Write),
    ("mobile-app", "tomas", Permission::Write),
    ("docs", "noah", Permission::Write),
];

pub fn tell(history: &mut History, now: Timestamp) {
    for (index, (name, description, days)) in REPOSITORIES.into_iter().enumerate() {
        let manager = MANAGERS[index % MANAGERS.len()];
        // At some hour of the day.
        let moment = now.minus(days * DAY - days * 61 % 240 * MINUTE);
        history.at(moment, move |world, connection, moment| {
            let change = world.change(manager, moment)?;
            let wish = NewRepository { name: parse(name)?, description: describe(description)? };
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::RepositoryToken, rng);
            let nonce = random_code(rng);
            let (Made::Now(id) | Made::Before(id)) =
                change.create(connection, rng, &world.keys, &wish, &secret, &nonce).map_err(rule)?;
            world.remember(connection, name, id)
        });
    }
    for (name, days, grace) in RENEWALS {
        history.at(now.minus(days * DAY - 2 * HOUR), move |world, connection, moment| {
            let change = world.change(MANAGERS[0], moment)?;
            let (id, replaces) = world.repository(name)?;
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::RepositoryToken, rng);
            let renewal = Renewal { replaces, nonce: random_code(rng), grace };
            change.renew_token(connection, rng, &world.keys, id, &renewal, &secret).map_err(rule)?;
            world.remember(connection, name, id)
        });
    }
    for (name, username, permission) in GRANTS {
        history.at(now.minus(80 * DAY), move |world, connection, moment| {
            let (change, (id, _), (user, _)) =
                (world.change(MANAGERS[0], moment)?, world.repository(name)?, world.user(username)?);
            change.grant(connection, &mut randomness::system(), id, user, permission).map_err(rule)?;
            Ok(())
        });
    }
}

fn rule(refusal: impl ToString) -> Broken {
    Broken::Rule(refusal.to_string())
}

fn parse(name: &str) -> Result<RepositoryName, Broken> {
    RepositoryName::parse(name).map_err(rule)
}

fn describe(description: &str) -> Result<Description, Broken> {
    Description::parse(description).map_err(rule)
}

impl World {
    fn change(&self, username: &str, now: Timestamp) -> Result<Change, Broken> {
        let (user, session) = self.user(username)?;
        let needs = Privileges::NONE.with(Privilege::RepositoryManagement);
        let (user, by) = (Some(user), By::Session(session));
        Ok(Change { acting: Acting { user, actor: self.actor(username)?, by, needs, now } })
    }

    pub fn repository(
        &self,
        name: &str,
    ) -> Result<(crate::domain::id::RepositoryId, crate::domain::id::RepositoryTokenId), Broken> {
        self.repositories.get(name).copied().ok_or_else(|| Broken::Rule(format!("{name} is not there yet")))
    }

    fn remember(
        &mut self,
        connection: &mut Connection,
        name: &'static str,
        id: crate::domain::id::RepositoryId,
    ) -> Result<(), Broken> {
        let token = repository_tokens::current(connection, id)?.ok_or_else(|| rule("a repository without a token"))?;
        self.repositories.insert(name, (id, token.id));
        Ok(())
    }
}
