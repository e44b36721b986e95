//! What the log keeps of a click.

use super::{token::Nonce, visitor::Visitor};
use crate::kernel::{
    clock::Instant,
    ids::{ClickId, LinkId},
};

crate::words! {
    /// What kind of client clicked.
    pub enum Agent {
        /// Nothing says that it is not a person's browser.
        Person = "person",
        /// A messenger or social network that fetches the page to show a card.
        Preview = "preview",
        /// A crawler, a monitor or a programming library.
        Bot = "bot",
    }
}

crate::words! {
    /// How a visitor came to the address.
    pub enum Medium {
        /// By following or typing it.
        Link = "link",
        /// By scanning its QR.
        Qr = "qr",
    }
}

/// One row of the log.
#[derive(Debug, Clone)]
pub(super) struct Click {
    pub(super) id: ClickId,
    pub(super) link_id: LinkId,
    pub(super) at: Instant,
    pub(super) nonce: Nonce,
    pub(super) agent: Agent,
    pub(super) via: Medium,
    pub(super) visitor: Visitor,
}
