//! Issues a link after all, when a person ruled that nothing stands against it.
//!
//! The request is kept beside its decision as the applicant made it, and asked again on the day of the ruling: program,
//! product and slug as they are now, the owner's standing held. What has changed is told to the officer; nothing is
//! issued by halves, because all of it is the ruling's own transaction.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    error::LinkError,
    issue::{Made, Promoted, Wanted, ask, make},
    keeper::Keeper,
    model::TakedownReason,
    slug::Slug,
    store,
    take_down::{Sentence, take_down},
};
use crate::{
    compliance::{
        CaseAbout, CaseHeard, CaseOutcome, Channel, Grant, GrantFault, Grants, Heard, LinkFate,
        Subject,
    },
    kernel::{
        actor::Actor,
        context::Context,
        db::{Db, DbError, Tx},
        ids::{AccountId, DecisionId, LinkId, ProductId, ProgramId},
    },
};

/// A request for a link as it is kept beside its decision.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    program_id: ProgramId,
    product_id: ProductId,
    url: Option<String>,
    channel: Option<Channel>,
    sub_ids: [Option<String>; 5],
    slug: Option<String>,
}

impl Wanted {
    /// The request as it is kept.
    pub(super) fn kept(&self) -> Value {
        let kept = Kept {
            program_id: self.program_id,
            product_id: self.product_id,
            url: self.url.clone(),
            channel: self.channel.clone(),
            sub_ids: self.sub_ids.clone(),
            slug: self.slug.as_ref().map(|slug| slug.as_str().to_owned()),
        };
        // A struct of texts always serialises; read back, null names no request.
        serde_json::to_value(kept).unwrap_or_default()
    }

    fn of_kept(request: &Value) -> Result<Self, DbError> {
        let broken = |what: String| DbError::Broken(format!("a kept request: {what}"));
        let kept = Kept::deserialize(request).map_err(|fault| broken(fault.to_string()))?;
        let slug = kept.slug.map(|slug| slug.parse::<Slug>()).transpose();
        Ok(Self {
            program_id: kept.program_id,
            product_id: kept.product_id,
            url: kept.url,
            channel: kept.channel,
            sub_ids: kept.sub_ids,
            slug: slug.map_err(|fault| broken(fault.to_string()))?,
        })
    }
}

impl Grants for Keeper {
    fn ask_again<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        account: AccountId,
        request: &'t Value,
    ) -> BoxFuture<'t, Result<Subject, GrantFault>> {
        Box::pin(async move {
            let wanted = Wanted::of_kept(request)?;
            let asked = ask(tx, ctx, account, &wanted).await.map_err(changed)?;
            Ok(asked.1)
        })
    }

    fn grant<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        grant: Grant<'t>,
    ) -> BoxFuture<'t, Result<LinkId, GrantFault>> {
        Box::pin(async move {
            let wanted = Wanted::of_kept(grant.request)?;
            let goods = Promoted::look_up(tx, &wanted).await.map_err(changed)?;
            let made = Made {
                owner: grant.subject.account,
                url: grant.subject.url.clone(),
                decision_id: grant.decision.id,
                verification_id: grant.subject.standing.verification_id,
            };
            let link = make(tx, ctx, &goods, wanted, made).await.map_err(changed)?;
            Ok(link.id)
        })
    }

    fn fate<'t>(
        &'t self,
        db: &'t Db,
        decision: DecisionId,
    ) -> BoxFuture<'t, Result<Option<LinkFate>, DbError>> {
        Box::pin(async move {
            let link = store::by_decision(db, decision).await?;
            Ok(link.map(|link| LinkFate {
                link_id: link.id,
                issued_at: link.created_at,
                dead_at: link.dead_at,
                dead_reason: link.dead_reason,
            }))
        })
    }

    fn owner_and_product<'t>(
        &'t self,
        tx: &'t mut Tx,
        link: LinkId,
    ) -> BoxFuture<'t, Result<Option<(AccountId, ProductId)>, DbError>> {
        Box::pin(async move {
            let link = store::by_id(tx, link).await?;
            Ok(link.map(|link| (link.owner, link.product_id)))
        })
    }
}

impl CaseHeard for Keeper {
    fn case_ruled<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        heard: Heard<'t>,
        actor: &'t Actor,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        Box::pin(async move {
            let (CaseAbout::LiveLink(link), CaseOutcome::Refused) = (heard.about, heard.outcome)
            else {
                return Ok(());
            };
            let list = heard.grounds.iter().find_map(|ground| ground.list);
            let reason = list.and_then(|list| list.takedown_reason().parse().ok());
            let sentence = Sentence {
                reason_code: reason.unwrap_or(TakedownReason::Other),
                note: None,
                decided_at: ctx.ambient.now(),
            };
            match take_down(tx, ctx, actor, *link, sentence).await {
                // It died meanwhile of something else.
                Ok(_) | Err(LinkError::AlreadyDead | LinkError::UnknownLink) => Ok(()),
                Err(LinkError::Db(fault)) => Err(fault),
                Err(other) => Err(DbError::Broken(format!("{link} does not die: {other}"))),
            }
        })
    }
}

/// What an applicant would be told at once is told to the officer as what has changed.
fn changed(error: LinkError) -> GrantFault {
    match error {
        LinkError::Db(fault) => GrantFault::Db(fault),
        other => GrantFault::Changed(other.to_string()),
    }
}
