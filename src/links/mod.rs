//! Links: a verified person's tracked link to a shop's goods, and the code by which it is spoken.
//!
//! Owns `link`, its acts (`takedown`, `takedown_link`, `takedown_node`, `notice`), the index by which a change finds
//! what it hits (`promoted_product`, `promoted_key`, `link_place`, `link_index`, `rescreen`) and `node`. What must hold:
//!
//! - No link without a decision that issued it to its owner, and without the verification under which it was issued;
//!   both were read and held in the transaction that made the link (laws 1 and 2, also triggers of the table).
//! - A code is unique for ever, and no other link answers to a misheard one ([`Code`]) or to its look-alike ([`Slug`]).
//! - A dead link keeps its row and its leaf. It is dead on this node before the act is answered, and on every other
//!   when that one next hears the outbox; a node that hears nothing asks the database (law 4, [`Directory`]).
//!
//! It is cut here because issuing needs people, goods and lists together, while the redirect over it (`clicks`) needs
//! none of them.

mod act;
mod clock;
mod code;
mod directory;
mod error;
mod find;
mod grant;
mod http;
mod index;
mod issue;
mod keeper;
mod landing;
mod laws;
mod model;
mod policy;
mod preview;
mod rescreen;
mod rules;
mod seek;
mod slug;
mod store;
mod summary;
mod take_down;
mod unwrap;
mod watch;

pub use clock::NodeClock;
pub use code::{CODE_LEN, Code, CodeFault};
pub use directory::{Directory, DirectoryOptions, Found, TOPIC_LINK, TOPIC_LINKS, Target};
pub use error::LinkError;
pub use http::{PROBLEMS, routes};
pub use index::index_older_links;
pub use keeper::Keeper;
pub use landing::{Landing, TOKEN_KEY};
pub use laws::laws;
pub use model::{ActEffect, CauseKind, Link, LinkStatus, TakedownReason};
pub use rescreen::Rescreen;
pub use slug::{Slug, SlugFault};
pub use unwrap::ShortLinks;
pub use watch::Neighbour;

use crate::kernel::{
    clock::Instant,
    db::{DbError, On, Statement},
    ids::LinkId,
};

/// Every statement of this slice.
pub const STATEMENTS: &[Statement] = store::ALL;
/// And of its index.
pub const INDEX_STATEMENTS: &[Statement] = store::index::ALL;
/// And of acts.
pub const ACT_STATEMENTS: &[Statement] = store::acts::ALL;

/// The link of that id, dead or alive.
pub async fn by_id(on: impl Into<On<'_>>, link_id: LinkId) -> Result<Option<Link>, DbError> {
    store::by_id(on, link_id).await
}

/// When the link was at rest: from when, and until when if it came back. Ask only of one that [`Link::has_rested`].
pub async fn rests(
    on: impl Into<On<'_>>,
    link_id: LinkId,
) -> Result<Vec<(Instant, Option<Instant>)>, DbError> {
    store::acts::rests(on, link_id).await
}

/// The link behind a code in any spelling, as a coupon carries it. A slug is an address, not a coupon: it could be any
/// word that a shop's own coupon is, too.
pub async fn by_code(on: impl Into<On<'_>>, text: &str) -> Result<Option<Link>, DbError> {
    match Code::read(text) {
        Some(code) => store::by_code(on, code).await,
        None => Ok(None),
    }
}
