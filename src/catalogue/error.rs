//! Why a use case of the catalogue was refused.

use super::{edits::EditStatus, model::ShopStatus, papers::PaperStatus};
use crate::kernel::{clock::Instant, db::DbError, ids::ProductEditId, secret::KeyFault};

/// A refused change.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The shop does not exist or is not the caller's.
    #[error("names no shop you can use")]
    UnknownShop,
    /// There is no such shop.
    #[error("names no shop")]
    NoShop,
    /// The program does not exist or is not the caller's.
    #[error("names no program you can use")]
    UnknownProgram,
    /// The product does not exist or is not the caller's.
    #[error("names no product you can use")]
    UnknownProduct,
    /// The paper does not exist or is not the caller's.
    #[error("names no document you can use")]
    UnknownDocument,
    /// The edit does not exist.
    #[error("names no edit")]
    UnknownEdit,
    /// What a paper says is not enough: fields and words.
    #[error("the paper cannot be filed")]
    Paper(Vec<(&'static str, &'static str)>),
    /// The product has that many papers.
    #[error("at most {0} papers count for one product; withdraw some")]
    TooManyPapers(usize),
    /// Nothing more can be done with the paper, or it is so already.
    #[error("the paper is {0}")]
    PaperClosed(PaperStatus),
    /// The officer filed the paper.
    #[error("another officer must look at it")]
    OwnPaper,
    /// An edit of the product waits for an officer.
    #[error("{0} waits for an officer")]
    EditPending(ProductEditId),
    /// Somebody ruled on the edit before.
    #[error("the edit is {0}")]
    EditRuled(EditStatus),
    /// The officer asked for the edit.
    #[error("another officer must rule on it")]
    OwnEdit,
    /// The shop is so already.
    #[error("the shop is {0} already")]
    SameShopStatus(ShopStatus),
    /// The shop must be told first.
    #[error("the shop must be told {days} whole days before")]
    NoticeOwed {
        /// How many whole days lie between notice and suspension.
        days: u64,
        /// From when on it may be stopped, if it was told.
        earliest: Option<Instant>,
    },
    /// The notice lies in the future.
    #[error("is an instant to come")]
    NoticeToCome,
    /// Somebody else's edit came first; this is the version that stands now.
    #[error("version {0} is current")]
    Stale(i64),
    /// The keys do not seal.
    #[error("the tax code cannot be sealed")]
    Keys(#[from] KeyFault),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
