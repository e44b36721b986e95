//! The document of a case that counts, what was checked of it, and the digest that ties a decision to both.

use zeroize::Zeroizing;

use super::{
    document::Day,
    error::IdentityError,
    model::{Case, Check, CheckName, CheckOutcome},
    policy,
    store::{self, DocumentRow},
    vault::{Place, Vault},
};
use crate::kernel::{
    clock::{Instant, legal_day},
    db::{Db, DbError, Tx},
    digest::Digest,
    ids::{AccountId, VerificationId},
};

/// A document, its checks, and who else holds it at this moment.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) document: DocumentRow,
    pub(super) checks: Vec<Check>,
    pub(super) also_bound_to: Vec<AccountId>,
}

impl Evidence {
    /// What counts for `case`, within the transaction that decides on it.
    pub(super) async fn held(tx: &mut Tx, case: &Case) -> Result<Self, IdentityError> {
        let ordinal = case.document_ordinal.ok_or_else(incomplete)?;
        let document = store::document(&mut *tx, case.verification_id, ordinal).await?;
        let also_bound_to = store::also_bound_to(tx, case.verification_id, ordinal).await?;
        Self::of(document, also_bound_to)
    }

    /// What counts for `case`, for reading.
    pub(super) async fn read(db: &Db, case: &Case) -> Result<Self, IdentityError> {
        let ordinal = case.document_ordinal.ok_or_else(incomplete)?;
        let document = store::document(db, case.verification_id, ordinal).await?;
        let also_bound_to = store::also_bound_to(db, case.verification_id, ordinal).await?;
        Self::of(document, also_bound_to)
    }

    fn of(
        document: Option<DocumentRow>,
        also_bound_to: Vec<AccountId>,
    ) -> Result<Self, IdentityError> {
        let document = document.ok_or_else(incomplete)?;
        let checks = checks_of(&document.checks)?;
        Ok(Self {
            document,
            checks,
            also_bound_to,
        })
    }

    /// What officers must look at.
    pub(super) fn flags(&self) -> Vec<CheckName> {
        flags(&self.checks, !self.also_bound_to.is_empty())
    }

    /// The digest that a proposal freezes: every stored byte of the document, every check and its outcome now.
    pub(super) fn fingerprint(&self, vault: &Vault) -> Digest {
        let document = &self.document;
        let row = document_row(document.verification_id, document.ordinal);
        let flags: Vec<&str> = self.flags().into_iter().map(CheckName::word).collect();
        vault.fingerprint(&[
            row.as_bytes(),
            document.kind.word().as_bytes(),
            &document.nationality_sealed,
            &document.issuing_state_sealed,
            &document.number_sealed,
            &document.full_name_sealed,
            &document.date_of_birth_sealed,
            &document.expires_on_sealed,
            &document.mrz_sealed,
            document.checks.as_bytes(),
            flags.join(",").as_bytes(),
        ])
    }

    /// One field, opened.
    pub(super) fn open(
        &self,
        vault: &Vault,
        column: &'static str,
    ) -> Result<Zeroizing<String>, IdentityError> {
        open(&self.document, vault, column)
    }

    /// Whether the document still lasts and the person is old enough on the day of `now`; gives the last day.
    pub(super) fn still_holds(&self, vault: &Vault, now: Instant) -> Result<Day, IdentityError> {
        let expires_on = self.day(vault, "expires_on")?;
        let born = self.day(vault, "date_of_birth")?;
        let today = legal_day(now);
        policy::valid_long_enough(expires_on.0, today).map_err(|rule| {
            IdentityError::DocumentExpiring {
                months: rule.map(|rule| rule.value),
            }
        })?;
        policy::old_enough(born.0, today).map_err(|rule| IdentityError::UnderAge {
            years: rule.map(|rule| rule.value),
        })?;
        Ok(expires_on)
    }

    fn day(&self, vault: &Vault, column: &'static str) -> Result<Day, IdentityError> {
        self.open(vault, column)?
            .parse()
            .map_err(|_| DbError::Broken(format!("a sealed {column} is no day")).into())
    }
}

/// One field of a document, opened.
pub(super) fn open(
    document: &DocumentRow,
    vault: &Vault,
    column: &'static str,
) -> Result<Zeroizing<String>, IdentityError> {
    let sealed = match column {
        "nationality" => &document.nationality_sealed,
        "issuing_state" => &document.issuing_state_sealed,
        "number" => &document.number_sealed,
        "full_name" => &document.full_name_sealed,
        "date_of_birth" => &document.date_of_birth_sealed,
        "expires_on" => &document.expires_on_sealed,
        _ => &document.mrz_sealed,
    };
    let row = document_row(document.verification_id, document.ordinal);
    vault.open(
        Place {
            table: "identity_document",
            row: &row,
            column,
        },
        sealed,
    )
}

/// How a document's row is named where its fields are sealed.
pub(super) fn document_row(verification: VerificationId, ordinal: i64) -> String {
    format!("{verification}/{ordinal}")
}

/// Reads stored checks.
pub(super) fn checks_of(stored: &str) -> Result<Vec<Check>, DbError> {
    serde_json::from_str(stored).map_err(|error| DbError::Broken(format!("stored checks: {error}")))
}

/// The checks that an officer must look at, with what others submitted since.
pub(super) fn flags(checks: &[Check], is_bound_elsewhere: bool) -> Vec<CheckName> {
    let doubtful = checks
        .iter()
        .filter(|check| check.outcome == CheckOutcome::Review);
    let mut flags: Vec<CheckName> = doubtful.map(|check| check.name).collect();
    if is_bound_elsewhere && !flags.contains(&CheckName::Binding) {
        flags.push(CheckName::Binding);
    }
    flags
}

fn incomplete() -> IdentityError {
    DbError::Broken("a case lacks its document".to_owned()).into()
}
