//! The harness: a service per test on a fresh database of either engine, a clock moved by hand, signed-in actors.

pub(crate) mod actors;
pub(crate) mod app;
pub(crate) mod engines;
pub(crate) mod process;
pub(crate) mod seed;
pub(crate) mod webhook;

pub(crate) use actors::Actor;
pub(crate) use app::TestApp;

/// Makes of one claim a test per engine.
macro_rules! both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$meta])*
            async fn claim($app: TestApp) $body

            #[test]
            fn sqlite() {
                crate::support::app::run(tinvia::kernel::db::Engine::Sqlite, claim);
            }

            #[test]
            fn postgres() {
                crate::support::app::run(tinvia::kernel::db::Engine::Postgres, claim);
            }
        }
    )*};
}
