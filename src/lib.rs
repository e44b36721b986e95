//! Tinvia: one service that may be trusted with the sentence "this person, verified, may promote these goods, and
//! earned exactly this".
//!
//! Vertical slices stand on two shared floors. [`kernel`] knows no HTTP and no slice; [`web`] is the HTTP floor and
//! knows no slice. A slice owns its tables, its words and its laws, and reaches another only through that one's
//! `mod.rs`. `ARCHITECTURE.md` has the map, `tests/it/tidy.rs` enforces it.

// The floors.
pub mod kernel;
pub mod web;

// The slices, each standing on those above it.
pub mod audit;

pub mod accounts;
pub mod catalogue;
pub mod identity;
pub mod ledger;

pub mod compliance;

pub mod links;

pub mod clicks;

pub mod orders;

pub mod commissions;

// Around them.
pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod jobs;
pub mod verify;
pub mod worker;
