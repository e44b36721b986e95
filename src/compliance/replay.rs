//! Rebuilds a decision from its stored input and the stored versions of the lists.

use super::{
    decide,
    lists::Lists,
    model::{Head, ListVersions, Outcome, Record, Screening},
    rules,
    screener::{self, Reader, Screener},
    store,
};
use crate::kernel::{
    db::{Db, DbError},
    ids::{DecisionId, TypedId as _},
    law::{BREACHES_MAX, Breach},
};

/// What a replay gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub(super) struct Replay {
    /// The outcome now computed.
    #[schema(inline)]
    pub outcome: Outcome,
    /// Whether outcome and every ground are what was stored.
    pub same: bool,
    /// The versions it was computed on: the stored ones.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    pub list_versions: ListVersions,
}

/// Replays `record`. `known` are compiled lists that may be of use.
pub(super) async fn replay(db: &Db, known: Lists, record: &Record) -> Result<Replay, DbError> {
    Versions::with(known).replay(db, record).await
}

/// Compiled lists of the versions that decisions rest on.
#[derive(Debug, Default)]
struct Versions {
    /// The last used at the end.
    walked: Vec<Lists>,
    /// Lists of a node, which may be of a change that was never committed: of use where their digest is the one meant.
    known: Lists,
}

/// Sets of versions kept compiled while decisions are walked. In order of time each set follows the one before; only
/// decisions that ran side by side with a change take turns.
const KEPT_MAX: usize = 4;

impl Versions {
    fn with(known: Lists) -> Self {
        Self {
            walked: Vec::new(),
            known,
        }
    }

    async fn replay(&mut self, db: &Db, record: &Record) -> Result<Replay, DbError> {
        let decision = &record.decision;
        let input = decide::input_of(record)?;
        let lists = match input.screening {
            Screening::Unavailable => None,
            Screening::Available => Some(self.at(db, &decision.list_versions).await?),
        };
        let engine = rules::Engine::of(record.engine_version).ok_or_else(|| {
            DbError::Broken(format!(
                "{}: decided by rules that this program does not have",
                decision.id
            ))
        })?;
        let verdict = rules::judge(engine, lists.as_ref(), &input);
        Ok(Replay {
            outcome: verdict.outcome,
            same: verdict == decision.verdict(),
            list_versions: decision.list_versions.clone(),
        })
    }

    /// The lists at `versions`. A version once compiled is known by its number: it is never edited, and what was
    /// altered below us is what [`super::laws()`] tells of.
    async fn at(&mut self, db: &Db, versions: &ListVersions) -> Result<Lists, DbError> {
        let same = |lists: &Lists| lists.versions() == *versions;
        let lists = if let Some(place) = self.walked.iter().rposition(same) {
            self.walked.remove(place)
        } else {
            let heads = heads(db, versions).await?;
            let last = self.walked.last().unwrap_or(&self.known);
            let lists = screener::assemble(last, Reader::Db(db), &heads).await?;
            if self.walked.len() >= KEPT_MAX {
                self.walked.remove(0);
            }
            lists
        };
        self.walked.push(lists.clone());
        Ok(lists)
    }
}

async fn heads(db: &Db, versions: &ListVersions) -> Result<Vec<Head>, DbError> {
    let mut heads = Vec::with_capacity(versions.len());
    for (list, version) in versions {
        let sha256 = store::version_digest(db, *list, *version).await?;
        let sha256 = sha256.ok_or_else(|| {
            DbError::Broken(format!(
                "version {version} of {list} is cited and does not exist"
            ))
        })?;
        heads.push(Head {
            list: *list,
            version: *version,
            sha256,
        });
    }
    Ok(heads)
}

/// Decisions read at once when all are replayed.
const PAGE: i64 = 500;

/// What a walk over the decisions found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Decisions replayed.
    pub decisions: u64,
    /// Decisions that came out otherwise.
    pub differing: u64,
    /// The first of those.
    pub breaches: Vec<Breach>,
}

/// Replays every decision, the oldest first, in bounded memory.
pub async fn replay_all(db: &Db) -> Result<Replayed, DbError> {
    walk(db, Versions::default(), None).await
}

/// Replays the oldest `decisions_max` decisions and tells which did not come out the same.
pub async fn verify_replay(
    db: &Db,
    screener: &Screener,
    decisions_max: u64,
) -> Result<Vec<Breach>, DbError> {
    let known = Versions::with(screener.last());
    Ok(walk(db, known, Some(decisions_max)).await?.breaches)
}

async fn walk(
    db: &Db,
    mut versions: Versions,
    decisions_max: Option<u64>,
) -> Result<Replayed, DbError> {
    let mut replayed = Replayed::default();
    let mut after = DecisionId::from_uuid(uuid::Uuid::nil());
    loop {
        let left = decisions_max.map_or(u64::MAX, |max| max.saturating_sub(replayed.decisions));
        let page = PAGE.min(left.try_into().unwrap_or(PAGE));
        let page = store::decisions_after(db, after, page).await?;
        let Some(last) = page.last() else {
            return Ok(replayed);
        };
        after = last.decision.id;
        for record in &page {
            let same = match versions.replay(db, record).await {
                Ok(replay) => replay.same,
                // What does not read does not replay; the walk goes on to tell of the others.
                Err(DbError::Broken(what)) => {
                    tracing::warn!(decision = %record.decision.id, fault = %what, "a decision does not replay");
                    false
                }
                Err(error) => return Err(error),
            };
            replayed.take(record.decision.id, same);
        }
    }
}

impl Replayed {
    fn take(&mut self, id: DecisionId, same: bool) {
        self.decisions += 1;
        if same {
            return;
        }
        self.differing += 1;
        if self.breaches.len() < usize::try_from(BREACHES_MAX).unwrap_or(usize::MAX) {
            self.breaches.push(Breach {
                law: 2,
                about: id.to_string(),
                what: "replayed on the stored lists, the decision comes out otherwise",
            });
        }
    }
}
