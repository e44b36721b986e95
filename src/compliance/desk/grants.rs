//! What the desk needs of whoever issues links, and of those who wait for a ruling on something else.

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::model::{Grant, GrantFault, Heard, LinkFate};
use crate::{
    compliance::model::Subject,
    kernel::{
        actor::Actor,
        context::Context,
        db::{Db, DbError, Tx},
        ids::{AccountId, DecisionId, LinkId, ProductId},
    },
};

/// Issues a link after all, by a person's ruling. The links slice implements it.
pub trait Grants: Send + Sync {
    /// The kept request as it stands today: the catalogue read again, the standing of `account` held in `tx`.
    fn ask_again<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        account: AccountId,
        request: &'t Value,
    ) -> BoxFuture<'t, Result<Subject, GrantFault>>;

    /// Issues the link in `tx`.
    fn grant<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        grant: Grant<'t>,
    ) -> BoxFuture<'t, Result<LinkId, GrantFault>>;

    /// What became of the link that a decision issued; none where it issued none.
    fn fate<'t>(
        &'t self,
        db: &'t Db,
        decision: DecisionId,
    ) -> BoxFuture<'t, Result<Option<LinkFate>, DbError>>;

    /// Whose a link is and what it promotes; none when there is no such link.
    fn owner_and_product<'t>(
        &'t self,
        tx: &'t mut Tx,
        link: LinkId,
    ) -> BoxFuture<'t, Result<Option<(AccountId, ProductId)>, DbError>>;
}

/// Nobody issues: for a database that has no links.
#[derive(Debug, Clone, Copy)]
pub struct NoGrants;

impl Grants for NoGrants {
    fn ask_again<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: AccountId,
        _: &'t Value,
    ) -> BoxFuture<'t, Result<Subject, GrantFault>> {
        Box::pin(async { Err(GrantFault::Changed("no links are issued here".to_owned())) })
    }

    fn grant<'t>(
        &'t self,
        _: &'t mut Tx,
        _: &'t Context,
        _: Grant<'t>,
    ) -> BoxFuture<'t, Result<LinkId, GrantFault>> {
        Box::pin(async { Err(GrantFault::Changed("no links are issued here".to_owned())) })
    }

    fn fate<'t>(
        &'t self,
        _: &'t Db,
        _: DecisionId,
    ) -> BoxFuture<'t, Result<Option<LinkFate>, DbError>> {
        Box::pin(async { Ok(None) })
    }

    fn owner_and_product<'t>(
        &'t self,
        _: &'t mut Tx,
        _: LinkId,
    ) -> BoxFuture<'t, Result<Option<(AccountId, ProductId)>, DbError>> {
        Box::pin(async { Ok(None) })
    }
}

/// Acts, in the ruling's transaction, on a ruling about something else than a request.
pub trait CaseHeard: Send + Sync {
    /// A person ruled. Whoever the case is not about does nothing.
    fn case_ruled<'t>(
        &'t self,
        tx: &'t mut Tx,
        ctx: &'t Context,
        heard: Heard<'t>,
        actor: &'t Actor,
    ) -> BoxFuture<'t, Result<(), DbError>>;
}
