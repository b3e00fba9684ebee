//! A real portal for each test, and who comes to it.

#[path = "../../support/database.rs"]
#[allow(dead_code, reason = "each test crate uses its own part of this")]
pub mod database;

pub mod answer;
pub mod browser;
pub mod dump;
pub mod form;
pub mod outline;
pub mod page;
pub mod people;
pub mod portal;
pub mod race;
pub mod raw;
pub mod redact;
pub mod request;
pub mod resources;
pub mod routes;

pub use answer::Answer;
pub use browser::Browser;
pub use database::Database;
pub use page::Page;
pub use people::{PASSWORD, Token, User};
pub use portal::Portal;
pub use race::{at_once, rounds};

/// Runs each of the tests that it names on a portal of its own, once on SQLite and once on PostgreSQL.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::support::Portal::start($crate::support::Database::sqlite()));
                }
            )+
        }
        mod postgres {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::support::Portal::start($crate::support::Database::postgres()));
                }
            )+
        }
    };
}
pub(crate) use on_both;
