//! What an entry would take down, before it does.

use actix_web::{HttpResponse, post, web::Data};
use serde::Serialize;

use super::WRITERS;
use crate::{
    compliance::{
        change::{Compliance, Reach, ReachSample},
        draft::NewEntry,
        model::{Field, ListName},
        preview::preview_entry,
    },
    kernel::{
        context::Context,
        ids::{LinkId, ProductId},
    },
    web::{Answer, Caller, Path, Posted, Problem},
};

/// What an entry would take down.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReachView {
    /// Live links that would die.
    links: u64,
    /// Their owners.
    affiliates: u64,
    /// The shops whose goods they promote.
    shops: u64,
    /// Those goods.
    products: u64,
    /// Live links that an officer would look at.
    reviewed: u64,
    /// Whether all links were looked at; otherwise the figures are lower bounds.
    is_complete: bool,
    /// At most ten of those that would die, of different products first.
    samples: Vec<ReachSampleView>,
}

/// A link that would die.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReachSampleView {
    /// The link.
    link_id: LinkId,
    /// What it promotes.
    product_id: ProductId,
    /// The product's title.
    title: String,
    /// Where the entry matches.
    field: Option<Field>,
    /// The original text that matches.
    matched: Option<String>,
    /// First code point of it in that field, and one past the last.
    span: Option<[i64; 2]>,
}

impl From<Reach> for ReachView {
    fn from(reach: Reach) -> Self {
        Self {
            links: reach.links,
            affiliates: reach.affiliates,
            shops: reach.shops,
            products: reach.products,
            reviewed: reach.reviewed,
            is_complete: reach.is_complete,
            samples: reach.samples.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ReachSample> for ReachSampleView {
    fn from(sample: ReachSample) -> Self {
        let ground = sample.ground.as_ref();
        Self {
            link_id: sample.link_id,
            product_id: sample.product_id,
            title: sample.title,
            field: ground.and_then(|ground| ground.field),
            matched: ground.and_then(|ground| ground.matched.clone()),
            span: ground.and_then(|ground| ground.span),
        }
    }
}

/// Says what an entry would take down. Nothing is changed; an entry with a future day is shown as of that day.
#[utoipa::path(
    tag = "lists",
    params(("list" = ListName, Path, description = "The list")),
    request_body = NewEntry,
    responses((status = 200, description = "What would die", body = ReachView)),
    security(("bearer" = [])),
)]
#[post("/lists/{list}/previews")]
pub(super) async fn create_preview(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    Path(list): Path<ListName>,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let entry = posted.read::<NewEntry>()?;
    // Looked up on the readers: nobody waits for a preview.
    let reach = preview_entry(&ctx, &state, list, entry).await?;
    let view = ReachView::from(reach);
    posted
        .once(&ctx, &caller, move |_, _| {
            Box::pin(async move { Ok(Answer::ok(&view)) })
        })
        .await
}
