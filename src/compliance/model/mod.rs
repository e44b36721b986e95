//! The words of lists, requests, grounds and decisions. Pure.

mod list;
mod request;
mod verdict;
mod words;

pub use list::ListVersions;
pub use request::{
    Channel, Goods, Input, OrderFact, PaperFact, ShopFacts, StandingSnapshot, Subject, Unwrapped,
    Waiver,
};
pub use verdict::{Decision, Ground, Verdict};
pub use words::{
    ChannelKind, Effect, Field, ListName, MatchKind, Outcome, Screening, ScreeningOutcome,
    ShopStanding, SnapshotStatus,
};

pub(super) use list::{Draft, Entry, Head, Match, Source};
pub(super) use verdict::Record;
