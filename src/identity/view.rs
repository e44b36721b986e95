//! Reading cases: a person sees their own state, staff see all cases, an officer sees the evidence, and that is itself
//! recorded.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    document::DocumentNumber,
    error::IdentityError,
    evidence::{self, Evidence},
    model::{
        Case, CaseStatus, Check, CheckName, DocumentKind, Level, Method, ProposalReason,
        ProposedOutcome,
    },
    store::{self, ListedCase, ProposalRow},
    submit::leaf,
    vault::{Place, Vault},
};
use crate::kernel::{
    actor::Actor,
    context::Context,
    db::Tx,
    ids::{AccountId, VerificationId},
};

/// A verification case.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct VerificationView {
    /// Its id.
    pub(super) id: VerificationId,
    /// Whose it is.
    pub(super) account_id: AccountId,
    /// How the person is verified.
    pub(super) method: Method,
    /// Where it stands.
    pub(super) status: CaseStatus,
    /// How sure it is: L0 until verified.
    pub(super) level: Level,
    /// First instant at which the verification no longer holds; null until verified.
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// When it was opened.
    pub(super) created_at: DateTime<Utc>,
    /// When it was decided, revoked or ended.
    pub(super) decided_at: Option<DateTime<Utc>>,
    /// Why it was decided, revoked or ended.
    pub(super) reason_code: Option<String>,
    /// The last three characters of the document's number; to the person alone, on a single case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document_number_last3: Option<String>,
    /// What an officer must look at; to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) flags: Option<Vec<CheckName>>,
    /// What was checked and how it came out; to staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checks: Option<Vec<Check>>,
    /// What is staged; to staff, on a single case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proposal: Option<ProposalView>,
    /// What the person declared; to compliance officers, on a single case. Reading it is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<EvidenceView>,
}

/// A staged proposal.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct ProposalView {
    /// What is proposed.
    outcome: ProposedOutcome,
    /// Why.
    reason_code: ProposalReason,
    /// The officer's words; to compliance officers.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Who proposed it, and cannot decide it.
    proposed_by: AccountId,
    /// When.
    proposed_at: DateTime<Utc>,
}

/// What a person declared.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub(super) struct EvidenceView {
    /// Which document of the case this is: 1, 2, …
    ordinal: i64,
    /// Its kind.
    #[serde(rename = "type")]
    kind: DocumentKind,
    /// The declared nationality.
    nationality: String,
    /// Who issued it.
    issuing_state: String,
    /// Its number.
    number: String,
    /// The holder's name.
    full_name: String,
    /// The holder's birthday.
    date_of_birth: String,
    /// Its last day.
    expires_on: String,
    /// Its machine-readable zone.
    mrz: Vec<String>,
    /// When it was submitted.
    submitted_at: DateTime<Utc>,
    /// Other accounts that hold the same document.
    also_bound_to: Vec<AccountId>,
}

impl std::fmt::Debug for EvidenceView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvidenceView")
            .field("ordinal", &self.ordinal)
            .finish_non_exhaustive()
    }
}

impl From<Case> for VerificationView {
    fn from(case: Case) -> Self {
        Self {
            id: case.verification_id,
            account_id: case.account_id,
            method: case.method,
            status: case.status,
            level: case.level,
            expires_at: case.expires_at,
            created_at: case.created_at,
            decided_at: case.decided_at,
            reason_code: case.reason_code,
            document_number_last3: None,
            flags: None,
            checks: None,
            proposal: None,
            evidence: None,
        }
    }
}

impl VerificationView {
    /// The case as its owner sees it.
    pub(super) fn to_owner(case: Case, number: Option<&DocumentNumber>) -> Self {
        let mut view = Self::from(case);
        view.document_number_last3 = number.and_then(DocumentNumber::last3).map(str::to_owned);
        view
    }

    /// The case with what officers must look at.
    pub(super) fn flagged(case: Case, evidence: &Evidence) -> Self {
        let mut view = Self::from(case);
        view.flags = Some(evidence.flags());
        view.checks = Some(evidence.checks.clone());
        view
    }

    /// A row of the officers' list.
    pub(super) fn listed(row: ListedCase) -> Result<Self, IdentityError> {
        let checks = row
            .checks
            .as_deref()
            .map(evidence::checks_of)
            .transpose()?
            .unwrap_or_default();
        let mut view = Self::from(row.case);
        view.flags = Some(evidence::flags(&checks, row.bound > 0));
        view.checks = Some(checks);
        Ok(view)
    }
}

/// The person's own case.
pub(super) async fn own(
    ctx: &Context,
    account: AccountId,
    verification: VerificationId,
) -> Result<VerificationView, IdentityError> {
    let case = store::by_id(&ctx.db, verification)
        .await?
        .filter(|case| case.account_id == account);
    let case = case.ok_or(IdentityError::NotFound)?;
    let number = match (
        case.document_ordinal,
        Vault::existing(&ctx.db, ctx, account).await?,
    ) {
        (Some(ordinal), Some(vault)) => {
            let document = store::document(&ctx.db, verification, ordinal).await?;
            let number = document
                .map(|document| evidence::open(&document, &vault, "number"))
                .transpose()?;
            number.and_then(|number| number.parse::<DocumentNumber>().ok())
        }
        _ => None,
    };
    Ok(VerificationView::to_owner(case, number.as_ref()))
}

/// A case for staff who may not see personal values.
pub(super) async fn for_staff(
    ctx: &Context,
    verification: VerificationId,
) -> Result<VerificationView, IdentityError> {
    let case = store::by_id(&ctx.db, verification)
        .await?
        .ok_or(IdentityError::NotFound)?;
    let evidence = Evidence::read(&ctx.db, &case).await?;
    let proposal = match case.proposal_leaf_id {
        Some(leaf_id) => store::proposal(&ctx.db, leaf_id).await?,
        None => None,
    };
    let mut view = VerificationView::flagged(case, &evidence);
    view.proposal = proposal.map(|row| shown(&row, None));
    Ok(view)
}

/// A case with its evidence opened, for a compliance officer. The leaf is written first: no leaf, no look.
pub(super) async fn for_officer(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    verification: VerificationId,
) -> Result<VerificationView, IdentityError> {
    let case = store::by_id(&mut *tx, verification)
        .await?
        .ok_or(IdentityError::NotFound)?;
    let facts = json!({ "document": case.document_ordinal });
    leaf(
        tx,
        ctx,
        actor,
        "identity.evidence_read",
        verification,
        case.account_id,
        facts,
    )
    .await?;
    let evidence = Evidence::held(tx, &case).await?;
    let staged = match case.proposal_leaf_id {
        Some(leaf_id) => store::proposal(&mut *tx, leaf_id).await?,
        None => None,
    };
    let vault = Vault::existing(tx, ctx, case.account_id).await?;
    let mut view = VerificationView::flagged(case, &evidence);
    let note = match (&vault, &staged) {
        (Some(vault), Some(row)) => opened_note(vault, row)?,
        _ => None,
    };
    view.proposal = staged.map(|row| shown(&row, note.map(|note| note.to_string())));
    // After an erasure there is a case and no evidence.
    view.evidence = vault.map(|vault| opened(&evidence, &vault)).transpose()?;
    Ok(view)
}

fn opened_note(
    vault: &Vault,
    row: &ProposalRow,
) -> Result<Option<Zeroizing<String>>, IdentityError> {
    let named = row.leaf_id.to_string();
    let place = Place {
        table: "identity_proposal",
        row: &named,
        column: "note",
    };
    row.note_sealed
        .as_deref()
        .map(|sealed| vault.open(place, sealed))
        .transpose()
}

fn shown(row: &ProposalRow, note: Option<String>) -> ProposalView {
    ProposalView {
        outcome: row.outcome,
        reason_code: row.reason_code,
        note,
        proposed_by: row.proposed_by,
        proposed_at: row.proposed_at,
    }
}

fn opened(evidence: &Evidence, vault: &Vault) -> Result<EvidenceView, IdentityError> {
    let field = |column| evidence.open(vault, column).map(|plain| plain.to_string());
    Ok(EvidenceView {
        ordinal: evidence.document.ordinal,
        kind: evidence.document.kind,
        nationality: field("nationality")?,
        issuing_state: field("issuing_state")?,
        number: field("number")?,
        full_name: field("full_name")?,
        date_of_birth: field("date_of_birth")?,
        expires_on: field("expires_on")?,
        mrz: field("mrz")?.lines().map(str::to_owned).collect(),
        submitted_at: evidence.document.submitted_at,
        also_bound_to: evidence.also_bound_to.clone(),
    })
}
