//! The systems that ask whether a token is good.

use super::people::ADMINISTRATOR;
use super::{Broken, History, World};
use crate::domain::privilege::{Privilege, Privileges};
use crate::domain::repository::Description;
use crate::domain::secret::{Secret, SecretKind, random_code};
use crate::domain::service::ServiceName;
use crate::domain::timestamp::{DAY, HOUR, Timestamp};
use crate::randomness;
use crate::storage::acting::{Acting, By};
use crate::storage::service_changes::{Change, Made, NewService, Rotation};

/// Name, description, days since it was made.
const SERVICES: [(&str, &str, i64); 2] = [
    ("artifact-store", "Build artifacts and packages. Asks about every upload. Team Platform.", 310),
    ("docs-preview", "Previews of the documentation, for whoever may read it.", 64),
];

/// Which token was rotated, and how many days ago.
const ROTATED: (&str, i64) = ("artifact-store", 45);

pub fn tell(history: &mut History, now: Timestamp) {
    for (name, description, days) in SERVICES {
        history.at(now.minus(days * DAY - 5 * HOUR), move |world, connection, moment| {
            let wish = NewService {
                name: ServiceName::parse(name).map_err(rule)?,
                description: Description::parse(description).map_err(rule)?,
            };
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ServiceToken, rng);
            let nonce = random_code(rng);
            let (Made::Now(id) | Made::Before(id)) =
                world.change_services(moment)?.create(connection, rng, &wish, &secret, &nonce).map_err(rule)?;
            world.services.insert(name, id);
            Ok(())
        });
    }
    history.at(now.minus(ROTATED.1 * DAY - 3 * HOUR), |world, connection, moment| {
        let id = world.service(ROTATED.0)?;
        let rng = &mut randomness::system();
        let secret = Secret::generate(SecretKind::ServiceToken, rng);
        let rotation = Rotation { replaces: 1, nonce: random_code(rng) };
        world.change_services(moment)?.rotate_token(connection, rng, id, &rotation, &secret).map_err(rule)?;
        Ok(())
    });
}

fn rule(refusal: impl ToString) -> Broken {
    Broken::Rule(refusal.to_string())
}

impl World {
    fn change_services(&self, now: Timestamp) -> Result<Change, Broken> {
        let (user, session) = self.user(ADMINISTRATOR)?;
        let (user, by) = (Some(user), By::Session(session));
        let needs = Privileges::NONE.with(Privilege::SystemManagement);
        Ok(Change { acting: Acting { user, actor: self.actor(ADMINISTRATOR)?, by, needs, now } })
    }

    pub fn service(&self, name: &str) -> Result<crate::domain::id::ServiceId, Broken> {
        self.services.get(name).copied().ok_or_else(|| Broken::Rule(format!("{name} is not there yet")))
    }
}
