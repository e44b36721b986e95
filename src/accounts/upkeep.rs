//! What keeps the slice's tables small, and what proves them sound.

use chrono::TimeDelta;

use super::{rules, store};
use crate::{
    audit,
    kernel::{
        context::Context,
        db::{Db, DbError},
        law::Breach,
    },
};

/// How long an expired session's row is kept, so that questions about it can be answered.
const KEPT_DAYS: i64 = 30;

/// Forgets sessions that expired long ago, with their chains. Gives 0: there is never more to do at once.
pub async fn prune(ctx: Context) -> Result<u64, DbError> {
    let before = ctx.ambient.now() - TimeDelta::days(KEPT_DAYS);
    ctx.db
        .write(move |tx| {
            Box::pin(async move {
                store::prune(tx, before).await?;
                Ok(0)
            })
        })
        .await
}

/// Law 8: every act has its leaf. Law 9: no personal field is shorter than a sealed one. Law 10: no account exceeds its sessions or keys.
pub async fn laws(db: &Db) -> Result<Vec<Breach>, DbError> {
    let mut breaches = Vec::new();
    for account in store::unsealed(db).await? {
        breaches.push(Breach {
            law: 9,
            about: account.to_string(),
            what: "a personal field is not sealed",
        });
    }
    for account in store::over_limit(db, rules::SESSIONS_MAX, rules::API_KEYS_MAX).await? {
        breaches.push(Breach {
            law: 10,
            about: account.to_string(),
            what: "more live sessions or API keys than an account may have",
        });
    }
    breaches.extend(audit::gone(store::unrecorded(db).await?));
    Ok(breaches)
}
