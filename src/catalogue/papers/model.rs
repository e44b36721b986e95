//! What a paper on file says.

use chrono::NaiveDate;

use crate::kernel::{
    clock::Instant,
    digest::{Digest, sha256},
    ids::{AccountId, DocumentId, ProductId, ShopId},
};

crate::words! {
    /// What kind of paper it is.
    pub enum PaperKind {
        /// An authority confirmed the content of the advertisement (Law 122 art 23.2).
        AdContentConfirmation = "ad_content_confirmation",
        /// An authority admitted the goods: registration or circulation number.
        ProductRegistration = "product_registration",
        /// The goods were declared to an authority, or by the seller where that is enough.
        ProductDeclaration = "product_declaration",
        /// The place of production or sale is safe for food.
        FoodSafety = "food_safety",
        /// The seller meets the conditions of a conditional business line (Law 122 art 23.1).
        BusinessConditionLicence = "business_condition_licence",
        /// A person or place may practise medicine.
        PracticeLicence = "practice_licence",
        /// The quality of the goods was tested or certified.
        QualityCertificate = "quality_certificate",
        /// The seller's signed statement that a paper is not required.
        NotRequiredStatement = "not_required_statement",
    }
}

crate::words! {
    /// Where a paper stands.
    pub enum PaperStatus {
        /// Filed, and nobody has said anything against it.
        OnFile = "on_file",
        /// An officer looked at it and found it good.
        Accepted = "accepted",
        /// An officer looked at it and found it wanting.
        Rejected = "rejected",
        /// Taken back.
        Withdrawn = "withdrawn",
    }
}

crate::words! {
    /// What a paper is about.
    pub enum Covers {
        /// The product for which it was filed.
        Product = "product",
        /// Everything the shop sells, or all of one category.
        Shop = "shop",
    }
}

crate::words! {
    /// What an officer says of a paper.
    pub enum PaperReview {
        /// It is good.
        Accepted = "accepted",
        /// It is wanting.
        Rejected = "rejected",
    }
}

/// A paper on file. The file itself stays with whoever filed it; its digest binds the two.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Paper {
    /// Names it.
    #[sqlx(rename = "document_id")]
    pub id: DocumentId,
    /// The product for which it was filed.
    pub product_id: ProductId,
    /// Whose it is.
    pub shop_id: ShopId,
    /// What kind of paper it is.
    pub kind: PaperKind,
    /// The kind that a statement says is not required.
    pub replaces: Option<PaperKind>,
    /// The number that its issuer gave it.
    pub number: Option<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When it was issued.
    pub issued_on: Option<NaiveDate>,
    /// First day on which it counts.
    pub valid_from: Option<NaiveDate>,
    /// Last day on which it counts.
    pub valid_to: Option<NaiveDate>,
    /// SHA-256 of the file.
    pub file_sha256: Vec<u8>,
    /// Where an officer may look at it.
    pub url: Option<String>,
    /// What it is about.
    pub covers: Covers,
    /// Only goods of this category.
    pub category: Option<String>,
    /// SHA-256 of the text that was confirmed, as [`text_sha256`] counts it.
    pub approved_text_sha256: Option<Vec<u8>>,
    /// What whoever filed it says of it.
    pub note: Option<String>,
    /// Where it stands.
    pub status: PaperStatus,
    /// Who filed it.
    pub filed_by: AccountId,
    /// When.
    pub filed_at: Instant,
}

impl Paper {
    /// Whether nothing more can be done with it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.status, PaperStatus::Rejected | PaperStatus::Withdrawn)
    }
}

/// A paper to be filed, read and checked.
#[derive(Debug, Clone)]
pub(in crate::catalogue) struct PaperDraft {
    pub(in crate::catalogue) kind: PaperKind,
    pub(in crate::catalogue) replaces: Option<PaperKind>,
    pub(in crate::catalogue) number: Option<String>,
    pub(in crate::catalogue) issuer: Option<String>,
    pub(in crate::catalogue) issued_on: Option<NaiveDate>,
    pub(in crate::catalogue) valid_from: Option<NaiveDate>,
    pub(in crate::catalogue) valid_to: Option<NaiveDate>,
    pub(in crate::catalogue) file_sha256: Digest,
    pub(in crate::catalogue) url: Option<String>,
    pub(in crate::catalogue) covers: Covers,
    pub(in crate::catalogue) category: Option<String>,
    pub(in crate::catalogue) approved_text_sha256: Option<Digest>,
    pub(in crate::catalogue) note: Option<String>,
}

/// SHA-256 of a product's text as it is shown: title, line feed, description.
#[must_use]
pub fn text_sha256(title: &str, description: Option<&str>) -> Digest {
    sha256(&[
        title.as_bytes(),
        b"\n",
        description.unwrap_or_default().as_bytes(),
    ])
}
