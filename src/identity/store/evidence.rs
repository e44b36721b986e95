//! Keys, consents, documents and their tags.

use super::{
    ALSO_BOUND_TO, DOCUMENT, INSERT_CONSENT, INSERT_DOCUMENT, INSERT_SUBJECT_KEY, INSERT_TAG,
    SET_DOCUMENT, SUBJECT_KEY, TAG_ELSEWHERE,
};
use crate::{
    identity::model::DocumentKind,
    kernel::{
        clock::Instant,
        db::{DbError, On, Tx},
        digest::Digest,
        ids::{AccountId, ConsentId, LeafId, VerificationId},
    },
};

/// Adds a person's wrapped key; false when there is one already.
pub(in crate::identity) async fn add_subject_key(
    tx: &mut Tx,
    account: AccountId,
    wrapped: &[u8],
    now: Instant,
) -> Result<bool, DbError> {
    let added = tx
        .sql(INSERT_SUBJECT_KEY)
        .bind(account)
        .bind(wrapped)
        .bind(now)
        .optional::<(AccountId,)>()
        .await?;
    Ok(added.is_some())
}

pub(in crate::identity) async fn subject_key(
    on: impl Into<On<'_>>,
    account: AccountId,
) -> Result<Option<Vec<u8>>, DbError> {
    let row: Option<(Vec<u8>,)> = on.into().sql(SUBJECT_KEY).bind(account).optional().await?;
    Ok(row.map(|(wrapped,)| wrapped))
}

/// A consent to store.
#[derive(Debug)]
pub(in crate::identity) struct NewConsent<'a> {
    pub(in crate::identity) consent_id: ConsentId,
    pub(in crate::identity) leaf_id: LeafId,
    pub(in crate::identity) account_id: AccountId,
    pub(in crate::identity) text_version: &'a str,
    pub(in crate::identity) text_sha256: Digest,
    pub(in crate::identity) given_at: Instant,
}

pub(in crate::identity) async fn add_consent(
    tx: &mut Tx,
    consent: &NewConsent<'_>,
) -> Result<(), DbError> {
    tx.sql(INSERT_CONSENT)
        .bind(consent.consent_id)
        .bind(consent.leaf_id)
        .bind(consent.account_id)
        .bind(consent.text_version)
        .bind(consent.text_sha256.as_slice())
        .bind(consent.given_at)
        .execute()
        .await?;
    Ok(())
}

/// A document as stored: everything personal is sealed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::identity) struct DocumentRow {
    pub(in crate::identity) verification_id: VerificationId,
    pub(in crate::identity) ordinal: i64,
    pub(in crate::identity) kind: DocumentKind,
    pub(in crate::identity) nationality_sealed: Vec<u8>,
    pub(in crate::identity) issuing_state_sealed: Vec<u8>,
    pub(in crate::identity) number_sealed: Vec<u8>,
    pub(in crate::identity) full_name_sealed: Vec<u8>,
    pub(in crate::identity) date_of_birth_sealed: Vec<u8>,
    pub(in crate::identity) expires_on_sealed: Vec<u8>,
    pub(in crate::identity) mrz_sealed: Vec<u8>,
    pub(in crate::identity) checks: String,
    pub(in crate::identity) submitted_at: Instant,
}

pub(in crate::identity) async fn add_document(
    tx: &mut Tx,
    leaf_id: LeafId,
    document: &DocumentRow,
) -> Result<(), DbError> {
    tx.sql(INSERT_DOCUMENT)
        .bind(document.verification_id)
        .bind(document.ordinal)
        .bind(leaf_id)
        .bind(document.kind)
        .bind(document.nationality_sealed.as_slice())
        .bind(document.issuing_state_sealed.as_slice())
        .bind(document.number_sealed.as_slice())
        .bind(document.full_name_sealed.as_slice())
        .bind(document.date_of_birth_sealed.as_slice())
        .bind(document.expires_on_sealed.as_slice())
        .bind(document.mrz_sealed.as_slice())
        .bind(&document.checks)
        .bind(document.submitted_at)
        .execute()
        .await?;
    Ok(())
}

pub(in crate::identity) async fn add_tag(
    tx: &mut Tx,
    document: &DocumentRow,
    tag: &crate::identity::vault::Tag,
    account: AccountId,
) -> Result<(), DbError> {
    tx.sql(INSERT_TAG)
        .bind(document.verification_id)
        .bind(document.ordinal)
        .bind(tag.key_version)
        .bind(tag.tag.as_slice())
        .bind(account)
        .execute()
        .await?;
    Ok(())
}

/// Whether another account holds a document of this tag.
pub(in crate::identity) async fn is_tagged_elsewhere(
    tx: &mut Tx,
    tag: &[u8],
    account: AccountId,
) -> Result<bool, DbError> {
    let other: Option<(AccountId,)> = tx
        .sql(TAG_ELSEWHERE)
        .bind(tag)
        .bind(account)
        .optional()
        .await?;
    Ok(other.is_some())
}

pub(in crate::identity) async fn also_bound_to(
    on: impl Into<On<'_>>,
    verification: VerificationId,
    ordinal: i64,
) -> Result<Vec<AccountId>, DbError> {
    let rows: Vec<(AccountId,)> = on
        .into()
        .sql(ALSO_BOUND_TO)
        .bind(verification)
        .bind(ordinal)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(account,)| account).collect())
}

pub(in crate::identity) async fn document(
    on: impl Into<On<'_>>,
    verification: VerificationId,
    ordinal: i64,
) -> Result<Option<DocumentRow>, DbError> {
    on.into()
        .sql(DOCUMENT)
        .bind(verification)
        .bind(ordinal)
        .optional()
        .await
}

pub(in crate::identity) async fn set_document(
    tx: &mut Tx,
    verification: VerificationId,
    ordinal: i64,
) -> Result<(), DbError> {
    tx.sql(SET_DOCUMENT)
        .bind(verification)
        .bind(ordinal)
        .execute()
        .await?;
    Ok(())
}
