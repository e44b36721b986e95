//! What `tinvia verify` finds: places where stored rows break a law of the system.

/// Rows reported for one law at most; a broken deployment must not print for ever.
pub const BREACHES_MAX: i64 = 100;

/// One row that breaks a law.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Breach {
    /// Number of the law, as in `ARCHITECTURE.md`.
    pub law: u8,
    /// Prefixed id of the row.
    pub about: String,
    /// What is wrong with it, in words.
    pub what: &'static str,
}
