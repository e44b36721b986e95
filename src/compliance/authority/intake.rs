//! Records an order, from its commit on refuses what it names, and kills what lives of it.
//!
//! The head of the orders is taken first, and decisions hold it: a decision is either committed by then, so that its
//! link is found and killed here, or is made with the order in force.

use std::collections::HashSet;

use serde_json::json;

use super::{
    act::AuthorityError,
    model::{
        DemandStatus, Order, OrderActKind, OrderAction, OrderInForce, OrderSubject, SubjectKind,
    },
    naming::key_of,
    store,
};
use crate::{
    accounts, audit, catalogue,
    compliance::{
        change::Compliance,
        deadlines::{self, Term},
        sealed,
    },
    kernel::{
        actor::Actor,
        clock::Instant,
        context::Context,
        db::{DbError, Tx},
        digest::{hex, sha256},
        host::HostName,
        ids::{AccountId, AuthorityOrderId, ProductId},
        outbox,
        text::{Line, Prose},
    },
};

/// An order as an officer records it.
#[derive(Debug, Clone)]
pub(in crate::compliance) struct NewOrder {
    pub(in crate::compliance) agency: Line<200>,
    pub(in crate::compliance) document_number: Line<100>,
    pub(in crate::compliance) received_at: Instant,
    pub(in crate::compliance) action: OrderAction,
    pub(in crate::compliance) subjects: Vec<SubjectGiven>,
    pub(in crate::compliance) note: Option<Prose<4000>>,
}

/// What an order names, as it was written.
pub(in crate::compliance) type SubjectGiven = (SubjectKind, String);

/// Records the order. `arrived` is when the officer's request came.
pub(in crate::compliance) async fn record_order(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    actor: &Actor,
    arrived: Instant,
    new: NewOrder,
) -> Result<AuthorityOrderId, AuthorityError> {
    came_in_time(new.received_at, arrived)?;
    store::take_head(tx).await?;
    let (agency_key, number_key) = (
        one_spelling(new.agency.as_str()),
        one_spelling(new.document_number.as_str()),
    );
    if let Some(id) = store::by_document(tx, &agency_key, &number_key).await? {
        return Err(AuthorityError::Recorded(id));
    }
    let subjects = known_subjects(tx, state, &new.subjects).await?;
    let id: AuthorityOrderId = ctx.ambient.id();
    let due = deadlines::due(new.action.term(), new.received_at);
    let leaf_id = leaf(tx, ctx, actor, id, &new, due).await?;
    let first_watch = deadlines::reminders(new.received_at, due.at);
    let note = new.note.as_ref();
    let order = Order {
        id,
        agency: new.agency.as_str().to_owned(),
        document_number: new.document_number.as_str().to_owned(),
        action: new.action,
        note_sealed: note
            .map(|note| sealed::seal(ctx, "authority_order", id, note.as_str()))
            .transpose()?,
        received_at: new.received_at,
        due_at: due.at,
        rule_id: due.rule.to_owned(),
        recorded_at: ctx.ambient.now(),
        recorded_by: actor.to_string(),
        status: DemandStatus::Open,
        refuses: new.action.refuses(),
        taken_down: 0,
        met_at: None,
        overdue_at: None,
        reminded: 0,
        watch_at: Some(first_watch.first().copied().unwrap_or(due.at)),
    };
    let row = store::NewRow {
        order: &order,
        agency_key: &agency_key,
        number_key: &number_key,
        leaf_id,
    };
    if !store::add(tx, &row).await? {
        return Err(DbError::Broken("an order was recorded beside the head".to_owned()).into());
    }
    let rows: Vec<store::SubjectRow> = subjects
        .iter()
        .map(|(subject, key)| (subject.kind(), subject.value(), key.clone()))
        .collect();
    store::add_subjects(tx, id, &rows).await?;
    if new.action == OrderAction::TakeDown {
        let subjects: Vec<OrderSubject> =
            subjects.into_iter().map(|(subject, _)| subject).collect();
        let order = OrderInForce {
            id,
            subjects: &subjects,
        };
        carry_out(tx, ctx, state, actor, order, arrived).await?;
    }
    outbox::announce(tx, &ctx.ambient, "authority-order", &id.to_string()).await?;
    metrics::counter!("tinvia_authority_orders_total", "action" => new.action.word()).increment(1);
    Ok(id)
}

/// An order that is still to come, or came long ago, is a slip of the date.
fn came_in_time(received_at: Instant, arrived: Instant) -> Result<(), AuthorityError> {
    if received_at > arrived {
        return Err(AuthorityError::Field(
            "/received_at".to_owned(),
            "must not be in the future",
        ));
    }
    if deadlines::due(Term::AuthorityIntake, received_at).at < arrived {
        return Err(AuthorityError::Field(
            "/received_at".to_owned(),
            "is too long ago",
        ));
    }
    Ok(())
}

/// One spelling of what people type from a document.
fn one_spelling(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// The subjects with what they are looked up by, each of them known, none twice.
async fn known_subjects(
    tx: &mut Tx,
    state: &Compliance,
    given: &[SubjectGiven],
) -> Result<Vec<(OrderSubject, String)>, AuthorityError> {
    let mut subjects = Vec::with_capacity(given.len());
    let mut keys = HashSet::new();
    for (position, (kind, value)) in given.iter().enumerate() {
        let pointer = format!("/subjects/{position}/value");
        let Some(subject) = read(*kind, value) else {
            let words = match kind {
                SubjectKind::Domain => "must be a public host name",
                _ => "is no id of this kind",
            };
            return Err(AuthorityError::Field(pointer, words));
        };
        let (is_known, link) = look_up(tx, state, &subject).await?;
        if !is_known {
            return Err(AuthorityError::Field(pointer, "names nothing we know"));
        }
        if keys.insert(subject.value()) {
            let key = key_of(&subject, link);
            subjects.push((subject, key));
        }
    }
    Ok(subjects)
}

fn read(kind: SubjectKind, value: &str) -> Option<OrderSubject> {
    Some(match kind {
        SubjectKind::Domain => OrderSubject::Domain(HostName::parse(value).ok()?),
        SubjectKind::Shop => OrderSubject::Shop(value.parse().ok()?),
        SubjectKind::Account => OrderSubject::Account(value.parse().ok()?),
        SubjectKind::Product => OrderSubject::Product(value.parse().ok()?),
        SubjectKind::Link => OrderSubject::Link(value.parse().ok()?),
    })
}

type Seen = (bool, Option<(AccountId, ProductId)>);

/// Whether it exists, and of a link whose and for what it is.
async fn look_up(tx: &mut Tx, state: &Compliance, subject: &OrderSubject) -> Result<Seen, DbError> {
    Ok(match subject {
        OrderSubject::Domain(_) => (true, None),
        OrderSubject::Shop(id) => (catalogue::shop_by_id(tx, *id).await?.is_some(), None),
        OrderSubject::Account(id) => (accounts::by_id(tx, *id).await?.is_some(), None),
        OrderSubject::Product(id) => (catalogue::product_by_id(tx, *id).await?.is_some(), None),
        OrderSubject::Link(id) => {
            let link = state.grants.owner_and_product(tx, *id).await?;
            (link.is_some(), link)
        }
    })
}

async fn leaf(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    id: AuthorityOrderId,
    new: &NewOrder,
    due: deadlines::Due,
) -> Result<crate::kernel::ids::LeafId, DbError> {
    let named: Vec<String> = new
        .subjects
        .iter()
        .map(|(kind, value)| format!("{kind} {value}\n"))
        .collect();
    let parts: Vec<&[u8]> = named.iter().map(String::as_bytes).collect();
    let note = new.note.as_ref();
    let act = audit::Act {
        kind: "authority_order.recorded",
        act: id.to_string(),
        subject: None,
        actor,
        facts: json!({
            "action": new.action,
            "agency": new.agency,
            "document_number": new.document_number,
            "due_at": due.at.timestamp_micros(),
            "note_sha256": note.map(|note| sealed::digest_of(note.as_str())),
            "received_at": new.received_at.timestamp_micros(),
            "rule": due.rule,
            "subjects": new.subjects.len(),
            "subjects_sha256": hex(&sha256(&parts)),
        }),
    };
    audit::record(tx, &ctx.ambient, act).await
}

async fn carry_out(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    actor: &Actor,
    order: OrderInForce<'_>,
    arrived: Instant,
) -> Result<(), DbError> {
    let links = state
        .live_links
        .take_down_for_order(tx, ctx, order, actor, arrived)
        .await?;
    let links = i64::try_from(links).unwrap_or(i64::MAX);
    let act = audit::Act {
        kind: "authority_order.carried_out",
        act: order.id.to_string(),
        subject: None,
        actor,
        facts: json!({ "decided_at": arrived.timestamp_micros(), "links": links }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    let mut row = store::blank(
        leaf_id,
        order.id,
        OrderActKind::CarriedOut,
        actor.to_string(),
        ctx.ambient.now(),
    );
    row.link_count = Some(links);
    store::add_act(tx, &row).await?;
    store::carried_out(tx, order.id, links).await
}
