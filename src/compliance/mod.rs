//! Lists and screening: what may not be promoted, and the record of every answer to a request for a link.
//!
//! Owns `list_head`, `list_version`, `list_entry`, `list_import`, `decision` and `decision_ground`. Always true:
//! a list is a sequence of versions that are never edited, each named by a digest over the one before; a decision
//! rests on one version of each list, held until its transaction commits; replaying a decision's stored input on those
//! versions gives the same verdict; what cannot be screened is refused; each change and each decision has its leaf.
//!
//! Cut here because lists, rules and decisions change together and nothing else needs their inside. It knows no link
//! and no verification: who asks is handed in as a [`StandingSnapshot`], and what must die when a list changes is the
//! business of whoever implements [`LiveLinks`]. `rules` and what they use are pure; `decide` and `change` are the
//! two places where a race could let something through, and say why it cannot.

mod add_entry;
mod change;
mod close_entry;
mod decide;
mod draft;
mod error;
mod facts;
mod generic;
mod ground;
mod http;
mod import;
mod keys;
#[cfg(test)]
mod labelled;
mod laws;
mod lines;
mod lists;
mod model;
mod normal;
mod own_links;
mod replay;
mod rules;
mod screener;
mod snapshot;
mod starter;
mod store;
mod turn_of_day;

pub use change::{Compliance, LiveLinks, NoLinks};
pub use decide::{decide, decision_input};
pub use facts::{goods_of, shop_facts_of};
pub use ground::GroundCode;
pub use http::{GroundView, PROBLEMS, routes};
pub use laws::laws;
pub use lines::{
    LineOutcome, LineScreening, LineStanding, LineText, STATEMENTS as LINE_STATEMENTS,
    screen_lines, settled_lines, unsettled_orders,
};
pub use lists::{CompileFault, Lists};
pub use model::{
    Channel, ChannelKind, Decision, Effect, Field, Goods, Ground, Input, ListName, ListVersions,
    MatchKind, OrderFact, Outcome, PaperFact, Screening, ScreeningOutcome, ShopFacts, ShopStanding,
    SnapshotStatus, StandingSnapshot, Subject, Unwrapped, Verdict, Waiver,
};
pub use own_links::OwnLinks;
pub use replay::{Replayed, replay_all, verify_replay};
pub use rules::{Exposure, screen};
pub use screener::Screener;
pub use starter::install_starter_lists;
pub use turn_of_day::TurnOfDay;

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
