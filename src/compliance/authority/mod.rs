//! Orders of authorities: what they demand is due by a dated rule, refused from their commit on, and on record for the
//! inspector with everything that was done about it (AP-06, AP-08, AP-09, PL-12).
//!
//! Always true: one document is one order; what an order says never changes; an order that refuses is found by every
//! decision that commits after it, because decisions hold the one row that orders take first; it stops refusing only
//! by a closing that lifts it; what is overdue stays on record and is said again until it is met.

mod act;
mod intake;
mod model;
mod naming;
mod store;
mod view;
mod watch;

pub(super) use act::{AuthorityError, NewAnswer, NewClosing, NewEvidence, answer, close, evidence};
pub(super) use intake::{NewOrder, record_order};
pub(super) use model::{Order, OrdersAsked, StoredSubject};
pub(super) use store::{ALL, unrecorded};
pub(super) use view::{WholeOrder, list, whole};
pub(super) use watch::watch;

pub use model::{
    ClosingOutcome, DemandStatus, EvidenceKind, OrderActKind, OrderAction, OrderInForce,
    OrderSubject, SubjectKind,
};
pub use naming::orders_naming;
