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
    law::Breach,
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

/// Replays `record`. `known` are compiled lists that may be of use, and become those of this replay.
pub(super) async fn replay(db: &Db, known: &mut Lists, record: &Record) -> Result<Replay, DbError> {
    let decision = &record.decision;
    let input = decide::input_of(record)?;
    let lists = match input.screening {
        Screening::Unavailable => None,
        Screening::Available => {
            let heads = heads(db, &decision.list_versions).await?;
            *known = screener::assemble(known, Reader::Db(db), &heads).await?;
            Some(&*known)
        }
    };
    let engine = rules::Engine::of(record.engine_version).ok_or_else(|| {
        DbError::Broken(format!(
            "{}: decided by rules that this program does not have",
            decision.id
        ))
    })?;
    let verdict = rules::judge(engine, lists, &input);
    Ok(Replay {
        outcome: verdict.outcome,
        same: verdict == decision.verdict(),
        list_versions: decision.list_versions.clone(),
    })
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

/// Replays the oldest `decisions_max` decisions and tells which did not come out the same.
pub async fn verify_replay(
    db: &Db,
    screener: &Screener,
    decisions_max: u64,
) -> Result<Vec<Breach>, DbError> {
    let mut known = screener.last();
    let mut breaches = Vec::new();
    let mut after = DecisionId::from_uuid(uuid::Uuid::nil());
    let mut left = decisions_max;
    while left > 0 {
        let page =
            store::decisions_after(db, after, PAGE.min(left.try_into().unwrap_or(PAGE))).await?;
        let Some(last) = page.last() else {
            break;
        };
        after = last.decision.id;
        left = left.saturating_sub(page.len().try_into().unwrap_or(u64::MAX));
        for record in &page {
            if !replay(db, &mut known, record).await?.same {
                breaches.push(Breach {
                    law: 2,
                    about: record.decision.id.to_string(),
                    what: "replayed on the stored lists, the decision comes out otherwise",
                });
            }
        }
        if i64::try_from(breaches.len()).unwrap_or(i64::MAX) >= crate::kernel::law::BREACHES_MAX {
            break;
        }
    }
    Ok(breaches)
}
