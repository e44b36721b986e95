//! The words of lists, requests, grounds and decisions. Pure.

mod list;
mod request;
mod verdict;
mod words;

pub use list::{Entry, ListVersions};
pub use request::{
    Channel, Confirmation, Goods, Input, OrderFact, PaperFact, Requirement, ShopFacts,
    StandingSnapshot, Subject, Unwrapped, Waiver,
};
pub use verdict::{Decision, Ground, Verdict};
pub use words::{
    ChannelKind, Effect, Field, ListName, MatchKind, Outcome, Screening, ScreeningOutcome,
    ShopStanding, SnapshotStatus,
};

pub(super) use list::{Draft, Head, Match, Source};
pub(super) use verdict::Record;
