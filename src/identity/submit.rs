//! A person opens a case, or corrects the document of an open one.

use serde_json::json;

use super::{
    consent::{self, ConsentText},
    document::{Document, Nationality},
    error::IdentityError,
    evidence::document_row,
    model::{Case, CaseStatus, Check, CheckName, CheckOutcome, ConsentPurpose, Method},
    policy::{self, Rule},
    store::{self, DocumentRow, NewCase, NewConsent},
    vault::{self, Place, Tag, Vault},
    zone,
};
use crate::{
    audit::{self, Act},
    kernel::{
        actor::Actor,
        clock::legal_day,
        context::Context,
        db::{DbError, Tx},
        ids::{AccountId, ConsentId, LeafId, VerificationId},
    },
};

/// What a person asks to be verified by.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) method: Method,
    pub(super) nationality: Nationality,
    /// The accepted text's version; none when nothing was accepted.
    pub(super) consent: Option<String>,
    pub(super) document: Option<Document>,
}

/// Opens a case, which goes to review at once.
pub(super) async fn start(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    account: AccountId,
    application: Application,
) -> Result<Case, IdentityError> {
    let today = legal_day(ctx.ambient.now());
    allowed(application.method, application.nationality.as_str(), today)?;
    if !application.method.is_available() {
        return Err(IdentityError::MethodNotAvailable);
    }
    let text = agreed(application.consent.as_deref())?;
    let document = application.document.ok_or(IdentityError::DocumentMissing)?;
    let checks = examine(&document, &application.nationality, today)?;

    let consent_id = record_consent(tx, ctx, actor, account, text).await?;
    let verification_id: VerificationId = ctx.ambient.id();
    let tags = vault::document_tags(
        &ctx.keys,
        document.issuing_state.as_str(),
        document.number.as_str(),
    )?;
    let checks = with_binding(tx, account, &tags, checks).await?;
    let facts = json!({
        "method": application.method, "consent": consent_id, "document": 1, "flags": super::evidence::flags(&checks, false),
    });
    let leaf_id = leaf(
        tx,
        ctx,
        actor,
        "identity.submitted",
        verification_id,
        account,
        facts,
    )
    .await?;
    let case = NewCase {
        verification_id,
        leaf_id,
        account_id: account,
        consent_id,
        method: application.method,
        created_at: ctx.ambient.now(),
    };
    if !store::add_case(tx, &case).await? {
        return Err(IdentityError::CaseOpen);
    }
    let declared = Declared {
        document: &document,
        nationality: &application.nationality,
        checks: &checks,
        tags: &tags,
    };
    keep_document(tx, ctx, account, (verification_id, 1), leaf_id, &declared).await?;
    metrics::counter!("tinvia_identity_cases_total").increment(1);
    stored(tx, verification_id).await
}

/// Puts a corrected document in the place of the one that counted. What is staged stays staged, and falls when the
/// second officer looks, because the evidence is no longer what the first one saw.
pub(super) async fn correct(
    tx: &mut Tx,
    ctx: &Context,
    (account, actor): (AccountId, &Actor),
    verification: VerificationId,
    nationality: Nationality,
    document: Document,
) -> Result<Case, IdentityError> {
    let case = store::hold(tx, verification)
        .await?
        .filter(|case| case.account_id == account);
    let case = case.ok_or(IdentityError::NotFound)?;
    if !matches!(case.status, CaseStatus::InReview | CaseStatus::Proposed) {
        return Err(IdentityError::State);
    }
    let today = legal_day(ctx.ambient.now());
    let ordinal = case.document_ordinal.unwrap_or(0) + 1;
    if ordinal > policy::documents_max(today) {
        return Err(IdentityError::AttemptsExhausted);
    }
    allowed(case.method, nationality.as_str(), today)?;
    let checks = examine(&document, &nationality, today)?;
    let tags = vault::document_tags(
        &ctx.keys,
        document.issuing_state.as_str(),
        document.number.as_str(),
    )?;
    let checks = with_binding(tx, account, &tags, checks).await?;
    let facts = json!({ "document": ordinal, "flags": super::evidence::flags(&checks, false) });
    let leaf_id = leaf(
        tx,
        ctx,
        actor,
        "identity.document_replaced",
        verification,
        account,
        facts,
    )
    .await?;
    let declared = Declared {
        document: &document,
        nationality: &nationality,
        checks: &checks,
        tags: &tags,
    };
    keep_document(
        tx,
        ctx,
        account,
        (verification, ordinal),
        leaf_id,
        &declared,
    )
    .await?;
    store::set_document(tx, verification, ordinal).await?;
    stored(tx, verification).await
}

fn allowed(
    method: Method,
    nationality: &str,
    today: chrono::NaiveDate,
) -> Result<(), IdentityError> {
    let allowed = policy::methods(nationality, today);
    if allowed.methods.contains(&method) {
        Ok(())
    } else {
        Err(IdentityError::MethodNotAllowed {
            methods: allowed.methods,
            duty: allowed.duty,
        })
    }
}

fn agreed(version: Option<&str>) -> Result<&'static ConsentText, IdentityError> {
    let text = version.and_then(|version| consent::text(ConsentPurpose::Identity, version));
    text.ok_or(IdentityError::ConsentMissing)
}

/// Looks at a document as a machine can, and says what a person must still look at.
fn examine(
    document: &Document,
    nationality: &Nationality,
    today: chrono::NaiveDate,
) -> Result<Vec<Check>, IdentityError> {
    let zone = zone::read(document, nationality.as_str(), today).map_err(IdentityError::Zone)?;
    // The zone's own word about the nationality cannot be talked around.
    allowed(Method::DocumentReview, &zone.nationality, today)?;
    let lasting = policy::valid_long_enough(document.expires_on.0, today).map_err(|rule| {
        IdentityError::DocumentExpiring {
            months: rule.map(|rule| rule.value),
        }
    })?;
    let grown = policy::old_enough(document.date_of_birth.0, today).map_err(|rule| {
        IdentityError::UnderAge {
            years: rule.map(|rule| rule.value),
        }
    })?;
    let mut checks = vec![
        check(CheckName::MrzCheckDigits, CheckOutcome::Pass, None),
        check(CheckName::MrzAgreement, CheckOutcome::Pass, None),
        check(
            CheckName::DocumentValidity,
            CheckOutcome::Pass,
            Some(lasting),
        ),
        check(CheckName::MinimumAge, CheckOutcome::Pass, Some(grown)),
    ];
    for name in [
        CheckName::Name,
        CheckName::Nationality,
        CheckName::BirthCentury,
    ] {
        let outcome = if zone.doubts.contains(&name) {
            CheckOutcome::Review
        } else {
            CheckOutcome::Pass
        };
        checks.push(check(name, outcome, None));
    }
    Ok(checks)
}

fn check(name: CheckName, outcome: CheckOutcome, rule: Option<&Rule>) -> Check {
    Check {
        name,
        outcome,
        duty: rule.map(|rule| rule.duty.clone()),
        rule_from: rule.map(|rule| rule.from),
    }
}

/// Adds whether another account holds the same document, under whichever root it was stored.
async fn with_binding(
    tx: &mut Tx,
    account: AccountId,
    tags: &[Tag],
    mut checks: Vec<Check>,
) -> Result<Vec<Check>, DbError> {
    let mut outcome = CheckOutcome::Pass;
    for tag in tags {
        if store::is_tagged_elsewhere(tx, &tag.tag, account).await? {
            outcome = CheckOutcome::Review;
        }
    }
    checks.push(check(CheckName::Binding, outcome, None));
    Ok(checks)
}

async fn record_consent(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    account: AccountId,
    text: &ConsentText,
) -> Result<ConsentId, DbError> {
    let consent_id: ConsentId = ctx.ambient.id();
    let text_sha256 = text.sha256();
    let act = Act {
        kind: "consent.given",
        act: consent_id.to_string(),
        subject: Some(account.to_string()),
        actor,
        facts: json!({
            "purpose": text.purpose, "text_version": text.version, "text_sha256": crate::kernel::digest::hex(&text_sha256),
        }),
    };
    let leaf_id = audit::record(tx, &ctx.ambient, act).await?;
    let given_at = ctx.ambient.now();
    let consent = NewConsent {
        consent_id,
        leaf_id,
        account_id: account,
        text_version: text.version,
        text_sha256,
        given_at,
    };
    store::add_consent(tx, &consent).await?;
    Ok(consent_id)
}

/// What was declared and what was found in it.
struct Declared<'a> {
    document: &'a Document,
    nationality: &'a Nationality,
    checks: &'a [Check],
    tags: &'a [Tag],
}

async fn keep_document(
    tx: &mut Tx,
    ctx: &Context,
    account: AccountId,
    (verification_id, ordinal): (VerificationId, i64),
    leaf_id: LeafId,
    declared: &Declared<'_>,
) -> Result<(), IdentityError> {
    let vault = Vault::of(tx, ctx, account).await?;
    let row = document_row(verification_id, ordinal);
    let seal = |column: &'static str, plain: &str| {
        vault.seal(
            ctx,
            Place {
                table: "identity_document",
                row: &row,
                column,
            },
            plain,
        )
    };
    let document = declared.document;
    let [first, second] = &document.mrz;
    let sealed = DocumentRow {
        verification_id,
        ordinal,
        kind: document.kind,
        nationality_sealed: seal("nationality", declared.nationality.as_str())?,
        issuing_state_sealed: seal("issuing_state", document.issuing_state.as_str())?,
        number_sealed: seal("number", document.number.as_str())?,
        full_name_sealed: seal("full_name", document.full_name.as_str())?,
        date_of_birth_sealed: seal("date_of_birth", &document.date_of_birth.to_string())?,
        expires_on_sealed: seal("expires_on", &document.expires_on.to_string())?,
        mrz_sealed: seal("mrz", &format!("{first}\n{second}"))?,
        checks: serde_json::to_string(declared.checks)
            .map_err(|error| DbError::Broken(error.to_string()))?,
        submitted_at: ctx.ambient.now(),
    };
    store::add_document(tx, leaf_id, &sealed).await?;
    if let Some(current) = declared.tags.last() {
        store::add_tag(tx, &sealed, current, account).await?;
    }
    Ok(())
}

/// Writes the leaf of a step of a case.
pub(super) async fn leaf(
    tx: &mut Tx,
    ctx: &Context,
    actor: &Actor,
    kind: &'static str,
    verification: VerificationId,
    account: AccountId,
    facts: serde_json::Value,
) -> Result<LeafId, DbError> {
    let act = Act {
        kind,
        act: verification.to_string(),
        subject: Some(account.to_string()),
        actor,
        facts,
    };
    audit::record(tx, &ctx.ambient, act).await
}

/// The case as it now stands.
pub(super) async fn stored(
    tx: &mut Tx,
    verification: VerificationId,
) -> Result<Case, IdentityError> {
    store::by_id(tx, verification)
        .await?
        .ok_or(IdentityError::NotFound)
}
