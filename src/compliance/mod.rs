//! Lists and screening: what may not be promoted, and the record of every answer to a request for a link.
//!
//! Owns `list_head`, `list_version`, `list_entry`, `list_import`, `decision`, `decision_ground` and `decision_request`,
//! with a room of its own for orders of authorities (`authority`), for the desk where people rule (`desk`) and for lines
//! of orders (`lines`). Always true:
//! a list is a sequence of versions that are never edited, each named by a digest over the one before; a decision
//! rests on one version of each list, held until its transaction commits; replaying a decision's stored input on those
//! versions gives the same verdict; what cannot be screened is refused; each change and each decision has its leaf.
//!
//! Cut here because lists, rules and decisions change together and nothing else needs their inside. It knows no link
//! and no verification: who asks is handed in as a [`StandingSnapshot`], and what must die when a list changes is the
//! business of whoever implements [`LiveLinks`]. `rules` and what they use are pure; `decide` and `change` are the
//! two places where a race could let something through, and say why it cannot.

mod add_entry;
mod authority;
mod change;
mod close_entry;
mod deadlines;
mod decide;
mod desk;
mod draft;
mod edit_gate;
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
mod papers;
mod preview;
mod reach;
mod replay;
mod required;
mod rules;
mod screener;
mod sealed;
mod snapshot;
mod starter;
mod store;
mod turn_of_day;

pub use authority::{
    ClosingOutcome, DemandStatus, EvidenceKind, OrderActKind, OrderAction, OrderInForce,
    OrderSubject, SubjectKind, orders_naming,
};
pub use change::{Compliance, ListChange, LiveLinks, NoLinks, Planned, Reach, ReachSample};
pub use deadlines::Term;
pub use decide::{decide, decision_input, decision_waivers};
pub use desk::{
    AppealOutcome, AppealStatus, CaseAbout, CaseActKind, CaseHeard, CaseKind, CaseOutcome,
    EventKind, Grant, GrantFault, Grants, Heard, LinkFate, NewCase, NoGrants, ReviewStatus,
    Watch as DeskWatch, open_case,
};
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
    Channel, ChannelKind, Confirmation, Decision, Effect, Entry, Field, Goods, Ground, Input,
    ListName, ListVersions, MatchKind, OrderFact, Outcome, PaperFact, Requirement, Screening,
    ScreeningOutcome, ShopFacts, ShopStanding, SnapshotStatus, StandingSnapshot, Subject,
    Unwrapped, Verdict, Waiver,
};
pub use own_links::OwnLinks;
pub use papers::paper_grounds;
pub use preview::preview_order;
pub use reach::{
    KEYS_VERSION, KeyKind, Probe, SearchKey, asks_channels, asks_goods, places, places_under,
    probes, search_keys,
};
pub use replay::{Replayed, replay_all, verify_replay};
pub use rules::{Exposure, screen};
pub use screener::Screener;
pub use starter::install_starter_lists;
pub use turn_of_day::TurnOfDay;

/// Every statement over lists and decisions.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
/// Every statement over orders of authorities.
pub const AUTHORITY_STATEMENTS: &[crate::kernel::db::Statement] = authority::ALL;
/// Every statement over cases, appeals and rulings.
pub const DESK_STATEMENTS: &[crate::kernel::db::Statement] = desk::ALL;
