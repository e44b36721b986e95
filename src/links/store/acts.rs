//! The SQL of acts on links, of what their owners are told, and of when each node had heard.

use std::collections::BTreeMap;

use super::super::model::{Act, ActEffect, CauseKind, Member};
use crate::kernel::{
    clock::Instant,
    db::{Db, DbError, On, Tx},
    ids::{AccountId, LeafId, LinkId, NodeId, NoticeId, TakedownId, TypedId as _},
    page::Limit,
};

crate::statements! {
    /// Links of an act.
    ADD_MEMBERS = { rows: "INSERT INTO takedown_link (takedown_id, link_id, effect, grounds)", width: 4, tail: "" };
    /// They die. One that was at rest is dead since then: a sale in between must not begin to earn.
    KILL = "UPDATE link SET status = 'taken_down', dead_at = COALESCE(dead_at, $2), dead_reason = $3, dead_leaf_id = $4
            WHERE link_id IN (SELECT link_id FROM takedown_link WHERE takedown_id = $1)";
    /// They rest.
    SUSPEND = "UPDATE link SET status = 'suspended', dead_at = $2, dead_reason = $3, dead_leaf_id = $4, has_rested = TRUE
               WHERE link_id IN (SELECT link_id FROM takedown_link WHERE takedown_id = $1)";
    /// They come back.
    REINSTATE = "UPDATE link SET status = 'active', dead_at = NULL, dead_reason = NULL, dead_leaf_id = NULL
                 WHERE link_id IN (SELECT link_id FROM takedown_link WHERE takedown_id = $1)";
    /// The act itself, last of all.
    ADD_ACT = "INSERT INTO takedown (takedown_id, cause_kind, cause_id, effect, reason_code, note, policy, link_count,
                                     account_count, links_sha256, actor, decided_at, committed_at, leaf_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    /// What the owners are told.
    ADD_NOTICES = { rows: "INSERT INTO notice (notice_id, account_id, takedown_id, effect, reason_code, link_count,
                                               notified_at, due_at)", width: 8, tail: "" };
    /// When a link was at rest, and came back.
    RESTS = "SELECT takedown.effect, takedown.decided_at, takedown.committed_at
             FROM takedown_link
             JOIN takedown ON takedown.takedown_id = takedown_link.takedown_id
             WHERE takedown_link.link_id = $1
             ORDER BY takedown.committed_at, takedown.takedown_id";
    /// Acts, newest first.
    EVERY_ACT = "SELECT takedown_id, cause_kind, cause_id, effect, reason_code, link_count, account_count, decided_at,
                        committed_at, leaf_id
                 FROM takedown
                 WHERE takedown_id < $1
                   AND (CAST($2 AS TEXT) IS NULL OR cause_kind = $2)
                 ORDER BY takedown_id DESC
                 LIMIT $3";
    /// Acts that touched an owner's links, newest first, counted as that owner may see them.
    OWN_ACTS = "SELECT takedown.takedown_id, takedown.cause_kind, CAST(NULL AS TEXT) AS cause_id, takedown.effect,
                       takedown.reason_code, notice.link_count, CAST(1 AS BIGINT) AS account_count,
                       takedown.decided_at, takedown.committed_at, takedown.leaf_id
                FROM notice
                JOIN takedown ON takedown.takedown_id = notice.takedown_id
                WHERE notice.account_id = $4
                  AND takedown.takedown_id < $1
                  AND (CAST($2 AS TEXT) IS NULL OR takedown.cause_kind = $2)
                ORDER BY takedown.takedown_id DESC
                LIMIT $3";
    /// One act.
    ONE_ACT = "SELECT takedown_id, cause_kind, cause_id, effect, reason_code, link_count, account_count, decided_at,
                      committed_at, leaf_id
               FROM takedown
               WHERE takedown_id = $1";
    /// One act, as an owner whose links it touched may see it.
    OWN_ACT = "SELECT takedown.takedown_id, takedown.cause_kind, CAST(NULL AS TEXT) AS cause_id, takedown.effect,
                      takedown.reason_code, notice.link_count, CAST(1 AS BIGINT) AS account_count,
                      takedown.decided_at, takedown.committed_at, takedown.leaf_id
               FROM notice
               JOIN takedown ON takedown.takedown_id = notice.takedown_id
               WHERE takedown.takedown_id = $1 AND notice.account_id = $2";
    /// The links of an act, one owner's or all.
    MEMBERS = "SELECT takedown_link.link_id, takedown_link.grounds
               FROM takedown_link
               JOIN link ON link.link_id = takedown_link.link_id
               WHERE takedown_link.takedown_id = $1
                 AND ($2 OR link.account_id = $3)
               ORDER BY takedown_link.link_id
               LIMIT $4";
    /// When each node had dropped the links of an act.
    NODES_OF = "SELECT node_id, dead_at FROM takedown_node WHERE takedown_id = $1 ORDER BY dead_at, node_id LIMIT 100";
    /// When the owners were told, the last of them.
    NOTIFIED = "SELECT MAX(notified_at) FROM notice WHERE takedown_id = $1";
    /// The times of the acts of a stretch of time, newest first.
    TIMES = "SELECT takedown.decided_at, takedown.committed_at, last.dead_at, told.notified_at
             FROM takedown
             LEFT JOIN (SELECT takedown_id, MAX(dead_at) AS dead_at FROM takedown_node GROUP BY takedown_id) AS last
               ON last.takedown_id = takedown.takedown_id
             LEFT JOIN (SELECT takedown_id, MAX(notified_at) AS notified_at FROM notice GROUP BY takedown_id) AS told
               ON told.takedown_id = takedown.takedown_id
             WHERE takedown.committed_at >= $1 AND takedown.committed_at < $2
               AND takedown.effect <> 'reinstated'
             ORDER BY takedown.committed_at DESC
             LIMIT $3";
    /// An owner's notices, newest first.
    NOTICES = "SELECT notice_id, account_id, takedown_id, effect, reason_code, link_count, notified_at, due_at, acknowledged_at
               FROM notice
               WHERE account_id = $1 AND notice_id < $2
               ORDER BY notice_id DESC
               LIMIT $3";
    /// Everybody's, newest first.
    EVERY_NOTICE = "SELECT notice_id, account_id, takedown_id, effect, reason_code, link_count, notified_at, due_at,
                           acknowledged_at
                    FROM notice
                    WHERE notice_id < $1
                    ORDER BY notice_id DESC
                    LIMIT $2";
    /// One of an owner's.
    NOTICE = "SELECT notice_id, account_id, takedown_id, effect, reason_code, link_count, notified_at, due_at, acknowledged_at
              FROM notice
              WHERE account_id = $1 AND notice_id = $2";
    /// Its owner has read it; the first time counts.
    ACKNOWLEDGE = "UPDATE notice SET acknowledged_at = $3
                   WHERE account_id = $1 AND notice_id = $2 AND acknowledged_at IS NULL";
    /// A process that redirects.
    SEE_NODE = "INSERT INTO node (node_id, started_at, last_seen_at) VALUES ($1, $2, $2)
                ON CONFLICT (node_id) DO UPDATE SET last_seen_at = excluded.last_seen_at";
    /// When a node had dropped the links of acts; of several times the last.
    ADD_DEATHS = { rows: "INSERT INTO takedown_node (takedown_id, node_id, dead_at)", width: 3,
                   tail: "ON CONFLICT (takedown_id, node_id) DO UPDATE SET dead_at = excluded.dead_at
                          WHERE excluded.dead_at > takedown_node.dead_at" };
    /// How far the pass for some versions has come.
    PASS = "SELECT after_link, finished_at FROM rescreen WHERE versions = $1";
    /// Newer versions take over.
    END_PASSES = "UPDATE rescreen SET finished_at = $2 WHERE versions <> $1 AND finished_at IS NULL";
    /// A pass begins.
    BEGIN_PASS = "INSERT INTO rescreen (versions, after_link, seen, taken_down, in_review, started_at, finished_at)
                  VALUES ($1, $2, 0, 0, 0, $3, NULL)
                  ON CONFLICT (versions) DO NOTHING";
    /// It goes on, unless another node did.
    MOVE_PASS = "UPDATE rescreen SET after_link = $3, seen = seen + $4, taken_down = taken_down + $5,
                                     in_review = in_review + $6, finished_at = $7
                 WHERE versions = $1 AND after_link = $2 AND finished_at IS NULL
                 RETURNING versions";
    /// Acts among those that a node heard of which are not rolled back.
    ACT = "SELECT takedown_id, committed_at FROM takedown WHERE takedown_id = $1";
}

/// Rows bound by one multi-row statement.
const ROWS_AT_ONCE: usize = 500;

pub(in crate::links) async fn add_members(
    tx: &mut Tx,
    takedown_id: TakedownId,
    effect: ActEffect,
    members: &[Member],
) -> Result<(), DbError> {
    for chunk in members.chunks(ROWS_AT_ONCE) {
        let mut insert = tx.sql(ADD_MEMBERS).rows(chunk.len());
        for member in chunk {
            insert = insert.bind(takedown_id).bind(member.link_id);
            insert = insert.bind(effect).bind(member.grounds.as_ref());
        }
        insert.execute().await?;
    }
    Ok(())
}

/// Changes the state of every member of the act and gives their number.
pub(in crate::links) async fn change_members(
    tx: &mut Tx,
    takedown_id: TakedownId,
    act: &Act<'_>,
    leaf: LeafId,
) -> Result<u64, DbError> {
    let change = match act.effect {
        ActEffect::Reinstated => tx.sql(REINSTATE).bind(takedown_id),
        ActEffect::TakenDown => tx.sql(KILL).bind(takedown_id),
        ActEffect::Suspended => tx.sql(SUSPEND).bind(takedown_id),
    };
    if act.effect == ActEffect::Reinstated {
        return change.execute().await;
    }
    let change = change.bind(act.decided_at).bind(act.reason_code);
    change.bind(leaf).execute().await
}

/// An act as it is stored.
#[derive(Debug)]
pub(in crate::links) struct NewAct<'a> {
    pub(in crate::links) id: TakedownId,
    pub(in crate::links) act: &'a Act<'a>,
    pub(in crate::links) policy: &'a str,
    pub(in crate::links) link_count: i64,
    pub(in crate::links) account_count: i64,
    pub(in crate::links) links_sha256: &'a [u8],
    pub(in crate::links) committed_at: Instant,
    pub(in crate::links) leaf: LeafId,
}

pub(in crate::links) async fn add_act(tx: &mut Tx, new: &NewAct<'_>) -> Result<(), DbError> {
    let act = new.act;
    tx.sql(ADD_ACT)
        .bind(new.id)
        .bind(act.cause)
        .bind(act.cause_id.as_deref())
        .bind(act.effect)
        .bind(act.reason_code)
        .bind(act.note.as_deref())
        .bind(new.policy)
        .bind(new.link_count)
        .bind(new.account_count)
        .bind(new.links_sha256)
        .bind(act.actor.to_string())
        .bind(act.decided_at)
        .bind(new.committed_at)
        .bind(new.leaf)
        .execute()
        .await?;
    Ok(())
}

/// One notice for each owner. `links` are how many of theirs the act touched.
pub(in crate::links) async fn add_notices(
    tx: &mut Tx,
    takedown_id: TakedownId,
    act: &Act<'_>,
    notices: &[(NoticeId, AccountId, i64)],
    (notified_at, due_at): (Instant, Instant),
) -> Result<(), DbError> {
    for chunk in notices.chunks(ROWS_AT_ONCE) {
        let mut insert = tx.sql(ADD_NOTICES).rows(chunk.len());
        for (notice_id, account_id, links) in chunk {
            insert = insert.bind(*notice_id).bind(*account_id).bind(takedown_id);
            insert = insert.bind(act.effect).bind(act.reason_code).bind(*links);
            insert = insert.bind(notified_at).bind(due_at);
        }
        insert.execute().await?;
    }
    Ok(())
}

/// The stretches in which a link was at rest: from when, until when.
pub(in crate::links) async fn rests(
    on: impl Into<On<'_>>,
    link_id: LinkId,
) -> Result<Vec<(Instant, Option<Instant>)>, DbError> {
    let acts: Vec<(ActEffect, Instant, Instant)> = on.into().sql(RESTS).bind(link_id).all().await?;
    let mut rests: Vec<(Instant, Option<Instant>)> = Vec::new();
    for (effect, decided_at, committed_at) in acts {
        match (effect, rests.last_mut()) {
            (ActEffect::Reinstated, Some((_, until))) if until.is_none() => {
                *until = Some(committed_at);
            }
            // The first of several that follow each other is when it stopped.
            (ActEffect::Suspended | ActEffect::TakenDown, Some((_, None)))
            | (ActEffect::Reinstated, _) => {}
            (ActEffect::Suspended | ActEffect::TakenDown, _) => rests.push((decided_at, None)),
        }
    }
    Ok(rests)
}

/// An act, read.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::links) struct ActRow {
    pub(in crate::links) takedown_id: TakedownId,
    pub(in crate::links) cause_kind: CauseKind,
    pub(in crate::links) cause_id: Option<String>,
    pub(in crate::links) effect: ActEffect,
    pub(in crate::links) reason_code: String,
    pub(in crate::links) link_count: i64,
    pub(in crate::links) account_count: i64,
    pub(in crate::links) decided_at: Instant,
    pub(in crate::links) committed_at: Instant,
    pub(in crate::links) leaf_id: LeafId,
}

/// Acts before `before`, newest first: those that touched `owner`'s links, or all.
pub(in crate::links) async fn acts(
    on: impl Into<On<'_>>,
    owner: Option<AccountId>,
    cause: Option<CauseKind>,
    before: Option<TakedownId>,
    limit: Limit,
) -> Result<Vec<ActRow>, DbError> {
    let before = before.unwrap_or_else(|| TakedownId::from_uuid(uuid::Uuid::max()));
    match owner {
        None => {
            let acts = on.into().sql(EVERY_ACT).bind(before).bind(cause);
            acts.bind(limit.probe()).all().await
        }
        Some(owner) => {
            let acts = on.into().sql(OWN_ACTS).bind(before).bind(cause);
            acts.bind(limit.probe()).bind(owner).all().await
        }
    }
}

/// One act, where it touched `owner`'s links, or whoever's.
pub(in crate::links) async fn act(
    on: impl Into<On<'_>>,
    owner: Option<AccountId>,
    takedown_id: TakedownId,
) -> Result<Option<ActRow>, DbError> {
    match owner {
        None => on.into().sql(ONE_ACT).bind(takedown_id).optional().await,
        Some(owner) => {
            let act = on.into().sql(OWN_ACT).bind(takedown_id);
            act.bind(owner).optional().await
        }
    }
}

/// At most `most` links of an act with their grounds: `owner`'s, or all.
pub(in crate::links) async fn members(
    on: impl Into<On<'_>>,
    takedown_id: TakedownId,
    owner: Option<AccountId>,
    most: i64,
) -> Result<Vec<(LinkId, String)>, DbError> {
    on.into()
        .sql(MEMBERS)
        .bind(takedown_id)
        .bind(owner.is_none())
        .bind(owner.unwrap_or_else(|| AccountId::from_uuid(uuid::Uuid::nil())))
        .bind(most)
        .all()
        .await
}

pub(in crate::links) async fn nodes_of(
    on: impl Into<On<'_>>,
    takedown_id: TakedownId,
) -> Result<Vec<(NodeId, Instant)>, DbError> {
    on.into().sql(NODES_OF).bind(takedown_id).all().await
}

pub(in crate::links) async fn notified_at(
    on: impl Into<On<'_>>,
    takedown_id: TakedownId,
) -> Result<Option<Instant>, DbError> {
    let (at,): (Option<Instant>,) = on.into().sql(NOTIFIED).bind(takedown_id).one().await?;
    Ok(at)
}

/// The times of one act: decided, committed, dead on the last node, last owner told.
pub(in crate::links) type Times = (Instant, Instant, Option<Instant>, Option<Instant>);

pub(in crate::links) async fn times(
    db: &Db,
    since: Instant,
    until: Instant,
    most: i64,
) -> Result<Vec<Times>, DbError> {
    let times = db.sql(TIMES).bind(since).bind(until);
    times.bind(most).all().await
}

/// What an owner was told.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::links) struct NoticeRow {
    pub(in crate::links) notice_id: NoticeId,
    pub(in crate::links) account_id: AccountId,
    pub(in crate::links) takedown_id: TakedownId,
    pub(in crate::links) effect: ActEffect,
    pub(in crate::links) reason_code: String,
    pub(in crate::links) link_count: i64,
    pub(in crate::links) notified_at: Instant,
    pub(in crate::links) due_at: Instant,
    pub(in crate::links) acknowledged_at: Option<Instant>,
}

/// Notices before `before`, newest first: `owner`'s, or all.
pub(in crate::links) async fn notices(
    on: impl Into<On<'_>>,
    owner: Option<AccountId>,
    before: Option<NoticeId>,
    limit: Limit,
) -> Result<Vec<NoticeRow>, DbError> {
    let before = before.unwrap_or_else(|| NoticeId::from_uuid(uuid::Uuid::max()));
    let notices = match owner {
        Some(owner) => on.into().sql(NOTICES).bind(owner),
        None => on.into().sql(EVERY_NOTICE),
    };
    notices.bind(before).bind(limit.probe()).all().await
}

pub(in crate::links) async fn notice(
    on: impl Into<On<'_>>,
    account: AccountId,
    notice: NoticeId,
) -> Result<Option<NoticeRow>, DbError> {
    let row = on.into().sql(NOTICE).bind(account);
    row.bind(notice).optional().await
}

pub(in crate::links) async fn acknowledge(
    tx: &mut Tx,
    account: AccountId,
    notice: NoticeId,
    now: Instant,
) -> Result<(), DbError> {
    let acknowledged = tx.sql(ACKNOWLEDGE).bind(account).bind(notice).bind(now);
    acknowledged.execute().await?;
    Ok(())
}

pub(in crate::links) async fn see_node(
    tx: &mut Tx,
    node: NodeId,
    now: Instant,
) -> Result<(), DbError> {
    tx.sql(SEE_NODE).bind(node).bind(now).execute().await?;
    Ok(())
}

/// When an act was committed; none when it never was.
pub(in crate::links) async fn committed_at(
    tx: &mut Tx,
    takedown_id: TakedownId,
) -> Result<Option<Instant>, DbError> {
    let act: Option<(TakedownId, Instant)> = tx.sql(ACT).bind(takedown_id).optional().await?;
    Ok(act.map(|(_, at)| at))
}

pub(in crate::links) async fn add_deaths(
    tx: &mut Tx,
    node: NodeId,
    deaths: &BTreeMap<TakedownId, Instant>,
) -> Result<(), DbError> {
    let deaths: Vec<_> = deaths.iter().collect();
    for chunk in deaths.chunks(ROWS_AT_ONCE) {
        let mut insert = tx.sql(ADD_DEATHS).rows(chunk.len());
        for (takedown_id, dead_at) in chunk {
            insert = insert.bind(**takedown_id).bind(node).bind(**dead_at);
        }
        insert.execute().await?;
    }
    Ok(())
}

/// How far a pass over all links has come.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::links) struct Pass {
    pub(in crate::links) after_link: LinkId,
    pub(in crate::links) finished_at: Option<Instant>,
}

pub(in crate::links) async fn pass(
    on: impl Into<On<'_>>,
    versions: &str,
) -> Result<Option<Pass>, DbError> {
    on.into().sql(PASS).bind(versions).optional().await
}

/// Begins the pass unless it runs, and ends those for other versions.
pub(in crate::links) async fn begin_pass(
    tx: &mut Tx,
    versions: &str,
    now: Instant,
) -> Result<(), DbError> {
    let end = tx.sql(END_PASSES).bind(versions).bind(now);
    end.execute().await?;
    let begin = tx.sql(BEGIN_PASS).bind(versions);
    let begin = begin.bind(LinkId::from_uuid(uuid::Uuid::nil())).bind(now);
    begin.execute().await?;
    Ok(())
}

/// Moves the pass on by what was seen, taken down and found doubtful; `false` when another node did.
pub(in crate::links) async fn move_pass(
    tx: &mut Tx,
    (versions, from, to): (&str, LinkId, LinkId),
    counts: [usize; 3],
    finished_at: Option<Instant>,
) -> Result<bool, DbError> {
    let mut moved = tx.sql(MOVE_PASS).bind(versions).bind(from).bind(to);
    for count in counts {
        moved = moved.bind(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let moved: Option<(String,)> = moved.bind(finished_at).optional().await?;
    Ok(moved.is_some())
}
