//! What every use case is handed: the database, time and randomness, the keys.

use std::sync::Arc;

use super::{ambient::Ambient, db::Db, secret::KeyRing};

/// The service's means. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    /// The database of either engine.
    pub db: Db,
    /// Time and randomness.
    pub ambient: Ambient,
    /// The keys of this deployment.
    pub keys: Arc<KeyRing>,
    /// How the outside reaches us: scheme and authority, no trailing slash.
    pub public_url: Arc<str>,
    /// Whether request quotas apply; sign-in throttling always does.
    pub limits_on: bool,
}
