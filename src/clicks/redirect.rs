//! One click, from address to location.
//!
//! Everything needed is in memory: the directory knows the target, the minter signs the token, the log takes the row.
//! Only a link that this node has not seen for a while costs a read.

use std::{net::IpAddr, sync::Arc};

use super::{
    agent,
    log::ClickLog,
    model::{Click, Medium},
    token::{ClickToken, Minter},
    visitor::Pseudonyms,
};
use crate::{
    kernel::{context::Context, db::DbError},
    links::{Directory, LinkStatus},
};

/// What redirects share: built once, handed to every worker.
#[derive(Debug)]
pub struct Redirects {
    directory: Arc<Directory>,
    log: ClickLog,
    minter: Minter,
    pseudonyms: Pseudonyms,
}

/// Who follows a link, as far as its row says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follower<'a> {
    pub(super) peer: Option<IpAddr>,
    pub(super) user_agent: &'a [u8],
    pub(super) via: Medium,
    /// False for what is no visit: HEAD, and a browser that fetches ahead.
    pub(super) counts: bool,
}

/// What an address answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Go there.
    To(String),
    /// The link is dead, in this state.
    Blocked(LinkStatus),
    /// No link.
    Unknown,
}

impl Redirects {
    /// Signs by the ring's current keys. A rotation shows after a restart.
    #[must_use]
    pub fn new(ctx: &Context, directory: Arc<Directory>, log: ClickLog) -> Self {
        Self {
            directory,
            log,
            minter: Minter::new(&ctx.keys),
            pseudonyms: Pseudonyms::new(&ctx.keys),
        }
    }

    /// The log, for those who read figures.
    #[must_use]
    pub fn log(&self) -> &ClickLog {
        &self.log
    }

    pub(super) async fn follow(
        &self,
        ctx: &Context,
        address: &str,
        follower: Follower<'_>,
    ) -> Result<Outcome, DbError> {
        let now = ctx.ambient.now();
        let Some(found) = self.directory.find(address, now).await? else {
            return Ok(Outcome::Unknown);
        };
        let target = &found.target;
        if target.status != LinkStatus::Active {
            return Ok(Outcome::Blocked(target.status));
        }
        let nonce = ctx.ambient.bytes();
        let token = self.minter.mint(&ClickToken {
            link_id: target.link_id,
            terms_version: found.terms_version,
            at: now,
            nonce,
        });
        if follower.counts {
            self.log.leave(Click {
                id: ctx.ambient.id(),
                link_id: target.link_id,
                at: now,
                nonce,
                agent: agent::kind_of(follower.user_agent),
                via: follower.via,
                visitor: self.pseudonyms.of(now, follower.peer, follower.user_agent),
            });
        }
        Ok(Outcome::To(target.landing.with(&token)))
    }
}
