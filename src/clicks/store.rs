//! The only SQL over `click`.

use super::model::Click;
use crate::kernel::{
    batch::groups,
    clock::Instant,
    db::{DbError, On, Tx},
    ids::LinkId,
};

crate::statements! {
    /// A group of clicks.
    ADD = {
        rows: "INSERT INTO click (click_id, link_id, clicked_at, nonce, agent, via, visitor)",
        width: 7,
        tail: ""
    };
    /// A link's figures: people's clicks, the visitors among them by day, and what was marked as no person.
    FIGURES = "SELECT COUNT(*) FILTER (WHERE agent = 'person') AS clicks,
                      COUNT(DISTINCT CASE WHEN agent = 'person' THEN visitor END) AS visitors,
                      COUNT(*) FILTER (WHERE agent = 'preview') AS previews,
                      COUNT(*) FILTER (WHERE agent = 'bot') AS bots,
                      MAX(CASE WHEN agent = 'person' THEN clicked_at END) AS last_clicked_at
               FROM click
               WHERE link_id = $1";
}

/// Rows of one statement: 7 values each, far below the 32,766 that SQLite binds.
const ROWS_MAX: usize = 1024;

pub(super) async fn add(tx: &mut Tx, clicks: &[Click]) -> Result<(), DbError> {
    for group in groups(clicks, ROWS_MAX) {
        let mut statement = tx.sql(ADD).rows(group.len());
        for click in group {
            statement = statement
                .bind(click.id)
                .bind(click.link_id)
                .bind(click.at)
                .bind(click.nonce.as_slice())
                .bind(click.agent)
                .bind(click.via)
                .bind(click.visitor.as_slice());
        }
        statement.execute().await?;
    }
    Ok(())
}

/// What the log says of one link.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Figures {
    pub(super) clicks: i64,
    pub(super) visitors: i64,
    pub(super) previews: i64,
    pub(super) bots: i64,
    pub(super) last_clicked_at: Option<Instant>,
}

pub(super) async fn figures(on: impl Into<On<'_>>, link_id: LinkId) -> Result<Figures, DbError> {
    on.into().sql(FIGURES).bind(link_id).one().await
}
