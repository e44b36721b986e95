//! The person's standing.

use super::{
    super::{
        ground::GroundCode,
        model::{Ground, SnapshotStatus, StandingSnapshot},
    },
    plain,
};
use crate::kernel::clock::Instant;

pub(super) fn identity(standing: &StandingSnapshot, now: Instant) -> Option<Ground> {
    match standing.status {
        SnapshotStatus::Verified if standing.expires_at.is_some_and(|end| end <= now) => {
            Some(plain(GroundCode::IdentityExpired))
        }
        SnapshotStatus::Verified => None,
        SnapshotStatus::Expired => Some(plain(GroundCode::IdentityExpired)),
        SnapshotStatus::Unverified | SnapshotStatus::Suspended | SnapshotStatus::Revoked => {
            Some(plain(GroundCode::IdentityNotVerified))
        }
    }
}
