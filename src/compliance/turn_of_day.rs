//! What a list's dates change when nobody touches the list: an entry begins to count, or a certificate ends.
//!
//! Decisions look at the day by themselves. Links that live already do not, so on every new legal day they are screened
//! again where a date has come. The lists concerned are taken first, as for a change: a decision of the day before is
//! either committed by then and its link is looked at, or is made on the new day.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use tokio::sync::Mutex;

use super::{
    change::{self, Compliance, ListChange},
    model::ListName,
    store,
};
use crate::kernel::{
    actor::Actor,
    clock::legal_day,
    context::Context,
    db::{DbError, Tx},
};

/// The job, as an actor.
const TURN: Actor = Actor::System("lists.turn_of_day");

/// Days looked back at the start: for so long may a service have stood still.
const LOOK_BACK: Days = Days::new(60);

/// Screens live links again on every new day. One for a process.
#[derive(Debug)]
pub struct TurnOfDay {
    state: Arc<Compliance>,
    /// The day up to which it was done.
    done: Mutex<Option<NaiveDate>>,
}

impl TurnOfDay {
    /// Nothing done yet.
    #[must_use]
    pub fn new(state: Arc<Compliance>) -> Self {
        Self {
            state,
            done: Mutex::default(),
        }
    }

    /// Does what the day asks for, once, and gives the number of links taken down.
    pub async fn run(&self, ctx: &Context) -> Result<u64, DbError> {
        let mut done = self.done.lock().await;
        let today = legal_day(ctx.ambient.now());
        let since = done.or_else(|| today.checked_sub_days(LOOK_BACK));
        let since = since.unwrap_or(NaiveDate::MIN);
        if since >= today {
            return Ok(0);
        }
        let turned = store::turned(&ctx.db, since, today).await?;
        let taken_down = if turned.is_empty() {
            0
        } else {
            let (context, state) = (ctx.clone(), Arc::clone(&self.state));
            let screened = ctx.db.write(move |tx| {
                Box::pin(async move {
                    screen_again(tx, &context, &state, &turned, (since, today)).await
                })
            });
            screened.await?
        };
        *done = Some(today);
        Ok(taken_down)
    }
}

async fn screen_again(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    turned: &[ListName],
    (since, today): (NaiveDate, NaiveDate),
) -> Result<u64, DbError> {
    let decided_at = ctx.ambient.now();
    for list in turned {
        store::take_head(tx, *list).await?;
    }
    let entries = store::turned_entries(tx, since, today).await?;
    let lists = state.lists_in_force(tx).await?;
    let change = ListChange {
        lists: &lists,
        entries: &entries,
        cause: &format!("day:{today}"),
        reason_code: turned
            .first()
            .map_or("other", |list| list.takedown_reason()),
        actor: &TURN,
        decided_at,
    };
    change::screen_again(tx, ctx, state, change).await
}
