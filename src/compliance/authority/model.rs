//! Orders of authorities: what they demand, what they name, what was done about them.

use crate::{
    compliance::deadlines::Term,
    kernel::{
        clock::Instant,
        host::{HostName, WebUrl},
        ids::{AccountId, AuthorityOrderId, LeafId, LinkId, ProductId, ShopId},
        page::Limit,
    },
};

crate::words! {
    /// What an authority demands.
    pub enum OrderAction {
        /// No new link for what it names.
        Refuse = "refuse",
        /// That, and the live ones go.
        TakeDown = "take_down",
        /// An answer.
        ProvideInformation = "provide_information",
    }
}

impl OrderAction {
    /// Whether new requests that the order names are refused.
    pub(super) fn refuses(self) -> bool {
        self != Self::ProvideInformation
    }

    pub(super) fn term(self) -> Term {
        match self {
            Self::Refuse => Term::AuthorityRefuse,
            Self::TakeDown => Term::AuthorityTakeDown,
            Self::ProvideInformation => Term::AuthorityProvideInformation,
        }
    }
}

crate::words! {
    /// What an order can name.
    pub enum SubjectKind {
        /// A host and everything below it.
        Domain = "domain",
        /// A shop.
        Shop = "shop",
        /// An account.
        Account = "account",
        /// A product.
        Product = "product",
        /// A link, and its like: the same account's for the same product.
        Link = "link",
    }
}

crate::words! {
    /// Where an order stands.
    pub enum DemandStatus {
        /// Neither answered nor closed.
        Open = "open",
        /// Answered.
        Answered = "answered",
        /// Closed. It goes on to refuse unless it was lifted.
        Closed = "closed",
    }
}

crate::words! {
    /// What was done about an order.
    pub enum OrderActKind {
        /// Live links were taken down.
        CarriedOut = "carried_out",
        /// Evidence was put on file.
        Evidence = "evidence",
        /// The authority was answered.
        Answer = "answer",
        /// The order was closed.
        Closing = "closing",
        /// The clock reminded of it.
        Reminder = "reminder",
        /// The clock found it overdue.
        Overdue = "overdue",
    }
}

crate::words! {
    /// What a piece of evidence is.
    pub enum EvidenceKind {
        /// The authority's own document.
        Document = "document",
        /// A picture of a page.
        Screenshot = "screenshot",
        /// An export of records.
        Export = "export",
        /// A letter or a message.
        Correspondence = "correspondence",
        /// Something else.
        Other = "other",
    }
}

crate::words! {
    /// How an order was closed.
    pub enum ClosingOutcome {
        /// Done. What it names stays refused.
        Complied = "complied",
        /// The authority asks no more. What it names stays refused.
        Withdrawn = "withdrawn",
        /// The authority allows it again: new requests are no longer refused by this order.
        Lifted = "lifted",
    }
}

/// One thing that an order names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderSubject {
    /// A host and everything below it.
    Domain(HostName),
    /// A shop.
    Shop(ShopId),
    /// An account.
    Account(AccountId),
    /// A product.
    Product(ProductId),
    /// A link.
    Link(LinkId),
}

impl OrderSubject {
    pub(super) fn kind(&self) -> SubjectKind {
        match self {
            Self::Domain(_) => SubjectKind::Domain,
            Self::Shop(_) => SubjectKind::Shop,
            Self::Account(_) => SubjectKind::Account,
            Self::Product(_) => SubjectKind::Product,
            Self::Link(_) => SubjectKind::Link,
        }
    }

    pub(super) fn value(&self) -> String {
        match self {
            Self::Domain(host) => host.to_string(),
            Self::Shop(id) => id.to_string(),
            Self::Account(id) => id.to_string(),
            Self::Product(id) => id.to_string(),
            Self::Link(id) => id.to_string(),
        }
    }
}

/// The host of an address from the catalogue, a request or a link; none when it does not read.
pub(super) fn host_of(address: &str) -> Option<HostName> {
    WebUrl::parse(address)
        .map(|url| url.host().clone())
        .or_else(|_| HostName::parse(address))
        .ok()
}

/// An order as whoever takes links down needs it.
#[derive(Debug, Clone, Copy)]
pub struct OrderInForce<'a> {
    /// The order.
    pub id: AuthorityOrderId,
    /// What it names.
    pub subjects: &'a [OrderSubject],
}

/// A subject as it is stored.
#[derive(Debug, Clone)]
pub(in crate::compliance) struct StoredSubject {
    pub(in crate::compliance) kind: SubjectKind,
    pub(in crate::compliance) value: String,
}

/// An order as it is stored, but for its subjects and acts.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::compliance) struct Order {
    #[sqlx(rename = "order_id")]
    pub(in crate::compliance) id: AuthorityOrderId,
    pub(in crate::compliance) agency: String,
    pub(in crate::compliance) document_number: String,
    pub(in crate::compliance) action: OrderAction,
    pub(in crate::compliance) note_sealed: Option<Vec<u8>>,
    pub(in crate::compliance) received_at: Instant,
    pub(in crate::compliance) due_at: Instant,
    pub(in crate::compliance) rule_id: String,
    pub(in crate::compliance) recorded_at: Instant,
    pub(in crate::compliance) recorded_by: String,
    pub(in crate::compliance) status: DemandStatus,
    pub(in crate::compliance) refuses: bool,
    pub(in crate::compliance) taken_down: i64,
    pub(in crate::compliance) met_at: Option<Instant>,
    pub(in crate::compliance) overdue_at: Option<Instant>,
    pub(in crate::compliance) reminded: i64,
    pub(in crate::compliance) watch_at: Option<Instant>,
}

impl Order {
    /// Whether it is overdue at `now`: due, and neither answered nor closed.
    pub(in crate::compliance) fn is_overdue(&self, now: Instant) -> bool {
        self.met_at.is_none() && self.due_at <= now
    }
}

/// What was done about an order, as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::compliance) struct OrderAct {
    pub(in crate::compliance) leaf_id: LeafId,
    pub(in crate::compliance) order_id: AuthorityOrderId,
    pub(in crate::compliance) kind: OrderActKind,
    pub(in crate::compliance) word: Option<String>,
    pub(in crate::compliance) text_sealed: Option<Vec<u8>>,
    pub(in crate::compliance) reference: Option<String>,
    pub(in crate::compliance) sha256: Option<Vec<u8>>,
    pub(in crate::compliance) link_count: Option<i64>,
    pub(in crate::compliance) said_at: Option<Instant>,
    pub(in crate::compliance) actor: String,
    pub(in crate::compliance) acted_at: Instant,
}

/// Which orders to list.
#[derive(Debug, Clone, Copy)]
pub(in crate::compliance) struct OrdersAsked {
    pub(in crate::compliance) status: Option<DemandStatus>,
    pub(in crate::compliance) overdue: Option<bool>,
    pub(in crate::compliance) before: Option<AuthorityOrderId>,
    pub(in crate::compliance) limit: Limit,
}
