//! Orders over HTTP: sources, the inbound address, orders.

mod inbound;
mod orders;
mod sources;

use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    error::{InboundError, SourceError},
    sources::Asker,
};
use crate::{
    kernel::{actor::Role, batch::BatchFault},
    web::{Caller, Kind, Problem, problem::kinds},
};

/// A delivery that is not rightly signed: also a missing, doubled or stale signature, and an empty body.
const SIGNATURE_WRONG: Kind = Kind {
    code: "inbound-signature-wrong",
    status: 401,
    en: "The delivery is not rightly signed",
    vi: "Chữ ký của gói tin không đúng",
};

/// The platform has no adaptor yet.
const PLATFORM_NOT_AVAILABLE: Kind = Kind {
    code: "order-source-platform-not-available",
    status: 422,
    en: "Orders of this platform cannot be taken yet",
    vi: "Chưa nhận được đơn hàng từ nền tảng này",
};

/// The source is closed, or was changed meanwhile.
const SOURCE_STATE: Kind = Kind {
    code: "order-source-state",
    status: 409,
    en: "The order source is not in a state for this",
    vi: "Trạng thái của nguồn đơn hàng không cho phép thao tác này",
};

/// The codes of this slice.
pub const PROBLEMS: &[&Kind] = &[&SIGNATURE_WRONG, &PLATFORM_NOT_AVAILABLE, &SOURCE_STATE];

/// Who opens and changes sources.
const SELLERS: &[Role] = &[Role::Shop, Role::Admin];
/// Who reads sources, deliveries and orders: owners their own, staff all.
const READERS: &[Role] = &[
    Role::Shop,
    Role::Admin,
    Role::ComplianceOfficer,
    Role::Finance,
    Role::Auditor,
];

/// Mounts the address of deliveries under `/v1`.
pub fn inbound(cfg: &mut ServiceConfig) {
    cfg.service(inbound::take_delivery);
}

/// Mounts orders under `/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(sources::open_source)
        .service(sources::list_sources)
        .service(sources::get_source)
        .service(sources::rotate_source)
        .service(sources::drop_previous_secret)
        .service(sources::close_source)
        .service(sources::list_deliveries)
        .service(orders::list_orders)
        .service(orders::get_order);
}

impl From<InboundError> for Problem {
    fn from(error: InboundError) -> Self {
        match error {
            InboundError::Unknown => Self::of(&kinds::NOT_FOUND),
            InboundError::Closed => Self::of(&kinds::GONE).detail("this order source is closed"),
            InboundError::SignatureWrong(_) => Self::of(&SIGNATURE_WRONG),
            InboundError::Busy | InboundError::NotKept(BatchFault::Full) => {
                Self::of(&kinds::BUSY).retry_after(1)
            }
            InboundError::NotKept(fault) => {
                tracing::error!(error = %fault, "a delivery was not kept");
                Self::of(&kinds::BUSY).retry_after(5)
            }
            InboundError::Keys(fault) => {
                tracing::error!(error = %fault, "a delivery was not sealed");
                Self::of(&kinds::INTERNAL)
            }
            InboundError::Db(fault) => fault.into(),
        }
    }
}

impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::UnknownShop => {
                Self::of(&kinds::INVALID).field("/shop_id", error.to_string())
            }
            SourceError::UnknownProgram => {
                Self::of(&kinds::INVALID).field("/program_id", error.to_string())
            }
            SourceError::UnknownSource => Self::of(&kinds::NOT_FOUND),
            SourceError::PlatformNotAvailable(_) => {
                Self::of(&PLATFORM_NOT_AVAILABLE).field("/platform", error.to_string())
            }
            SourceError::Config(fault) => Self::of(&kinds::INVALID).field(fault.field, fault.what),
            SourceError::State(_) | SourceError::Raced => {
                Self::of(&SOURCE_STATE).detail(error.to_string())
            }
            SourceError::Keys(fault) => {
                tracing::error!(error = %fault, "a secret cannot be sealed");
                Self::of(&kinds::INTERNAL)
            }
            SourceError::Db(fault) => fault.into(),
        }
    }
}

/// The caller as one who asks; `over_all` are the roles that are not bound to their own shops.
fn asker(caller: &Caller, over_all: &[Role]) -> Asker {
    Asker {
        account: caller.account,
        sees_all: over_all.iter().any(|role| caller.is(*role)),
        actor: caller.actor(),
    }
}
