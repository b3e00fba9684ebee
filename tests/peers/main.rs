//! The portal beside the programs that ask it: real nginx and real Caddy in front of a service, a real registry and a real
//! client of registries. A file for each program; nothing here reaches into the portal but over the wire, except to let a token
//! expire.

#[path = "../support/mod.rs"]
mod support;

mod house;
mod image;
mod programs;
mod shell;
mod site;
mod upstream;

mod caddy;
mod containerd;
mod docker_registry;
mod examples;
mod nginx;
mod oauth_clients;
mod paths;
mod proxies;
mod readme;
mod registry_3;
mod registry_token;
mod restarts;

/// Runs each of the tests that it names once on SQLite and once on PostgreSQL.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::house::House::serve($crate::support::database::Database::sqlite()));
                }
            )+
        }
        mod postgres {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::house::House::serve($crate::support::database::Database::postgres()));
                }
            )+
        }
    };
}
pub(crate) use on_both;
