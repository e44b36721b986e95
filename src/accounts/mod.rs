//! Accounts: the people and firms that sign in, and every way in which a request proves whose it is.
//!
//! Owns `account`, `account_role`, `session`, `refresh_token` and `api_key`, and the words for roles taken at sign-up.
//!
//! What always holds:
//! - An e-mail address or a name is nowhere in clear: sealed in its row, found by a keyed index, never in a log, a URL
//!   or a leaf. A password exists only as an Argon2id hash, a token or key only as a digest.
//! - Every request re-reads its session or key and the account's status and roles, so that signing out, a password
//!   change, a suspension or a lost role counts from the next request on, whatever a token still says.
//! - A session has one live refresh token. A used one that comes back ends the session, save when it was under way
//!   already while a parallel request exchanged it.
//! - Unknown address, wrong password and suspended account cost the same and are answered the same.
//! - Nobody can fill memory with password checks, and nobody can lock another out by failing in their name.
//!
//! It is cut here because a credential is one question, *who is this*, and everything behind it another. What an
//! account may do is asked by the web floor's `Caller`; whether a person is who they say is identity's matter.

mod access_token;
mod api_keys;
mod authority;
mod change_password;
mod email;
mod error;
mod hasher;
mod http;
mod model;
mod opaque;
mod rules;
mod sign_in;
mod sign_up;
mod store;
mod suspend;
mod throttle;
mod upkeep;

pub use access_token::{PublicKey, PublicKeys};
pub use authority::{AccountsOptions, Authority};
pub use email::{Email, EmailFault};
pub use error::{AccountsError, PROBLEMS};
pub use hasher::PasswordCost;
pub use http::{routes, well_known};
pub use model::{Account, AccountStatus, DisplayName, EndReason, KeyName, Password, SignUpRole};
pub use rules::{PASSWORD_CHARS_MIN, Weakness};
pub use sign_up::{create_staff, create_staff_at};
pub use store::by_id;
pub use suspend::{reinstate, suspend};
pub use upkeep::{laws, prune};

/// Every statement of this slice.
pub const STATEMENTS: &[crate::kernel::db::Statement] = store::ALL;
