//! Papers on file: what shows that goods may be advertised or sold (Law 122 art 23.1 and 23.2).
//!
//! The seller hands a paper over and it counts from then on: the law asks that it is there, and that somebody can
//! look. An officer may accept or reject it later; what is rejected, withdrawn or past its last day counts no more. Only
//! the seller's own statement that no paper is required counts from its acceptance on, since no authority stands behind
//! it. Which goods need which papers is not decided here.
//!
//! Everything that changes a paper takes the shop's row first; a decision holds that row, so a withdrawal at the same
//! time is either seen by it or waits for it.

mod close;
mod file;
mod hold;
mod lapse;
mod model;
mod rules;

pub(super) use close::{Closing, close};
pub(super) use file::{FiledPaper, file};
pub use hold::papers_of;
pub use lapse::lapse_due;
pub(super) use model::PaperDraft;
pub use model::{Covers, Paper, PaperKind, PaperReview, PaperStatus, text_sha256};
