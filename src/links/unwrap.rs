//! Where our own short links lead, for screening: a request that hides goods behind one of our links is about those goods.

use futures_util::future::BoxFuture;

use super::{Code, Slug, store};
use crate::{
    compliance::OwnLinks,
    kernel::db::{DbError, Tx},
};

/// The stored links. No network call leads through them.
#[derive(Debug, Clone, Copy)]
pub struct ShortLinks;

impl OwnLinks for ShortLinks {
    fn target<'t>(
        &'t self,
        tx: &'t mut Tx,
        name: &'t str,
    ) -> BoxFuture<'t, Result<Option<String>, DbError>> {
        Box::pin(async move {
            if let Some(code) = Code::read(name)
                && let Some(face) = store::face_by_code(&mut *tx, code).await?
            {
                return Ok(Some(face.url));
            }
            let Ok(slug) = name.parse::<Slug>() else {
                return Ok(None);
            };
            let face = store::face_by_slug(&mut *tx, &slug).await?;
            Ok(face.map(|face| face.url))
        })
    }
}
