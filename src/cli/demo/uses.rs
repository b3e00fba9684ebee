//! A month of use: more on working days than at weekends, and the same at every start.

use super::{Broken, World};
use crate::domain::caller::{Caller, UsedToken};
use crate::domain::timestamp::{DAY, HOUR, Timestamp};
use crate::storage::Connection;
use crate::storage::callers::{self, DAYS, Gathered};

/// Which token, of a user or of the repository itself.
enum By {
    Repository,
    Token(&'static str, &'static str),
    /// A service, which asks about tokens and at no repository.
    Service(&'static str),
}

/// A program that uses a token at a repository.
struct Program {
    repository: &'static str,
    by: By,
    address: &'static str,
    user_agent: &'static str,
    /// Uses on a working day, about.
    uses: i64,
    /// Days ago on which it stopped; 0 for one that goes on.
    stopped: i64,
}

const fn program(
    repository: &'static str,
    by: By,
    address: &'static str,
    user_agent: &'static str,
    uses: i64,
    stopped: i64,
) -> Program {
    Program { repository, by, address, user_agent, uses, stopped }
}

use By::{Repository, Service, Token};

const PROGRAMS: [Program; 22] = [
    program("payments", Repository, "198.51.100.21", "payments-worker/4.2", 640, 0),
    program("payments", Repository, "198.51.100.22", "payments-worker/4.2", 610, 0),
    program("payments", Repository, "203.0.113.9", "curl/8.14.1", 3, 9),
    program("payments", Token("priya", "payments pipeline"), "198.51.100.40", "buildkit/0.22", 45, 0),
    program("payments", Token("mira", "ci-build"), "198.51.100.41", "skopeo/1.18.0", 62, 0),
    program("web-shop", Repository, "198.51.100.31", "shop-renderer/12", 880, 0),
    program("web-shop", Token("mira", "ci-build"), "198.51.100.41", "skopeo/1.18.0", 118, 0),
    program("web-shop", Token("aiko", "shop pipeline"), "198.51.100.42", "docker/28.3.3", 74, 0),
    program("web-shop", Token("release-bot", "canary"), "198.51.100.50", "python-requests/2.32.5", 290, 0),
    program("search", Repository, "198.51.100.61", "indexer/1.9", 410, 13),
    program("search", Repository, "198.51.100.61", "indexer/2.0", 430, 0),
    program("search", Token("elif", "search indexer"), "198.51.100.62", "Go-http-client/2.0", 205, 0),
    program("mobile-app", Repository, "198.51.100.71", "fastlane/2.228", 36, 0),
    program("mobile-app", Token("tomas", "app builds"), "198.51.100.72", "gradle/9.0", 58, 0),
    program("docs", Token("mira", "laptop"), "192.0.2.17", "curl/8.14.1", 4, 0),
    program("docs", Token("aiko", "phone"), "192.0.2.80", "Shortcuts/3.0", 1, 0),
    program("infra.terraform", Token("jonas", "terraform"), "198.51.100.90", "Terraform/1.13.1", 22, 0),
    program("data-platform", Token("priya", "notebook"), "192.0.2.33", "python-httpx/0.28.1", 15, 0),
    program("inventory", Token("ada", "nightly mirror"), "198.51.100.12", "skopeo/1.18.0", 30, 0),
    program("", Service("artifact-store"), "198.51.100.45", "artifact-store/2.7", 760, 0),
    program("", Service("docs-preview"), "198.51.100.46", "Go-http-client/2.0", 18, 0),
    program("auth-gateway", Token("release-bot", "release"), "198.51.100.50", "buildkit/0.22", 9, 0),
];

pub(super) fn count(world: &World, connection: &mut Connection, now: Timestamp) -> Result<(), Broken> {
    let mut all = Vec::new();
    for (number, program) in (0_i64..).zip(&PROGRAMS) {
        let at = |name| world.repository(name);
        let (token, repository) = match program.by {
            Repository => {
                let (repository, token) = at(program.repository)?;
                (UsedToken::Repository { repository, token }, Some(repository))
            }
            Token(owner, name) => (UsedToken::Api(world.token(owner, name)?, 1), Some(at(program.repository)?.0)),
            Service(name) => (UsedToken::Service(world.service(name)?), None),
        };
        for ago in program.stopped..DAYS {
            let midnight = Timestamp::from_unix((now.day_number() - ago) * DAY);
            let uses = uses_on(program.uses, midnight.day_number(), number);
            let last = if ago == 0 { now.minus(number % 50 * 60 + 40) } else { midnight.plus(22 * HOUR + number * 97) };
            if uses == 0 || last < midnight {
                continue;
            }
            let caller = Caller {
                address: program.address.to_owned(),
                user_agent: program.user_agent.to_owned(),
                first_used_at: midnight.plus(number * 61).min(last),
                last_used_at: last,
                uses,
                writes: uses / 5,
            };
            all.push(Gathered { token, repository, day: midnight.day_number(), caller });
        }
    }
    Ok(callers::add(connection, &all)?)
}

/// About as many as usual, a fifth of it at weekends.
fn uses_on(usual: i64, day: i64, program: i64) -> i64 {
    // 1 January 1970 was a Thursday.
    let weekend = matches!((day + 4) % 7, 0 | 6);
    let sway = (day * 37 + program * 101) % 41 + 80;
    usual * sway / 100 / if weekend { 5 } else { 1 }
}
