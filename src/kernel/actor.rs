//! Who acts: the words by which decisions, transfers and audit leaves name an actor.

use std::fmt;

use super::ids::{AccountId, OrderSourceId};

crate::words! {
    /// What an account may do. The first three are taken at sign-up, the others are given by the operator.
    pub enum Role {
        /// Promotes goods by links and codes.
        Affiliate = "affiliate",
        /// Promotes goods in live broadcasts.
        Livestreamer = "livestreamer",
        /// Sells goods and pays commission.
        Shop = "shop",
        /// Runs the service.
        Admin = "admin",
        /// Keeps the lists, decides cases, takes links down.
        ComplianceOfficer = "compliance_officer",
        /// Pays and reconciles.
        Finance = "finance",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
    }
}

impl Role {
    /// The roles that only the operator gives.
    pub const STAFF: &'static [Self] = &[
        Self::Admin,
        Self::ComplianceOfficer,
        Self::Finance,
        Self::Auditor,
    ];

    /// Whether the operator gave it.
    #[must_use]
    pub fn is_staff(self) -> bool {
        Self::STAFF.contains(&self)
    }
}

/// Who caused a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in account, in the role that let it act.
    Account {
        /// The account.
        id: AccountId,
        /// Its role.
        role: Role,
    },
    /// A shop's platform, by a signed delivery.
    Source(OrderSourceId),
    /// A job of this service, by its name.
    System(&'static str),
    /// Somebody who is not signed in.
    Anonymous,
}

impl fmt::Display for Actor {
    /// As the tables of acts name who acted: a prefixed id, or the name of a job.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account { id, .. } => id.fmt(f),
            Self::Source(id) => id.fmt(f),
            Self::System(job) => f.write_str(job),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}
