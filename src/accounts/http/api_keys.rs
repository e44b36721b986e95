//! API keys: making, listing, revoking. A key may not manage keys.

use actix_web::{HttpResponse, delete, get, post, web::Data};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::super::{
    api_keys::{self, Order},
    error::AccountsError,
    model::{self, KeyName},
    opaque,
    store::{self, KeyRow},
};
use crate::{
    kernel::{
        actor::Role,
        clock::Instant,
        context::Context,
        db::{Tenant, View},
        ids::ApiKeyId,
        page::{Limit, Page},
    },
    web::{Answer, Caller, Path, Posted, Problem, Query, Scope, problem::kinds},
};

/// A key to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewApiKey {
    /// The owner's label for it.
    name: KeyName,
    /// What it may do: at least one.
    #[schema(min_items = 1, max_items = 8)]
    scopes: Vec<Scope>,
}

/// A key just made. The key itself is shown here and never again.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MadeApiKey {
    id: ApiKeyId,
    /// The whole key: `tv_live_<id>_<secret>_<check>`.
    key: String,
    /// The part by which it can be recognised.
    prefix: String,
    name: String,
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

/// A key as its owner sees it later.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ApiKeyView {
    id: ApiKeyId,
    /// The part by which it can be recognised.
    prefix: String,
    name: String,
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// Day in `Asia/Ho_Chi_Minh` on which it was last used.
    last_used_day: Option<NaiveDate>,
    revoked: bool,
}

impl From<KeyRow> for ApiKeyView {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.api_key_id,
            prefix: opaque::key_prefix(row.api_key_id),
            name: row.name,
            scopes: model::scopes_of(&row.scopes),
            created_at: row.created_at,
            last_used_day: row.last_used_day,
            revoked: row.revoked_at.is_some(),
        }
    }
}

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListApiKeys {
    /// Rows at most.
    #[serde(default)]
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    #[serde(default)]
    starting_after: Option<ApiKeyId>,
}

/// Make an API key
#[utoipa::path(
    tag = "sign-in",
    operation_id = "make_api_key",
    request_body = NewApiKey,
    responses((status = 201, body = MadeApiKey)),
    security(("bearer" = [])),
)]
#[post("/api-keys")]
pub(super) async fn make(
    ctx: Data<Context>,
    caller: Caller,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let NewApiKey { name, scopes } = posted.read()?;
    let order = Order {
        account: caller.account,
        name,
        scopes: distinct(scopes)?,
    };
    let actor = caller.actor();
    let made = posted.once(&ctx, &caller, move |tx, ctx| {
        Box::pin(async move {
            let (id, key) = api_keys::make(tx, &ctx, &actor, &order).await?;
            Ok(Answer::created(&MadeApiKey {
                id,
                key: key.expose().to_owned(),
                prefix: opaque::key_prefix(id),
                name: order.name.into_string(),
                scopes: order.scopes,
                created_at: ctx.ambient.now(),
            }))
        })
    });
    made.await
}

fn distinct(mut scopes: Vec<Scope>) -> Result<Vec<Scope>, Problem> {
    let wanted = scopes.len();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() || scopes.len() != wanted {
        let words = "must name at least one scope and none twice";
        return Err(Problem::of(&kinds::INVALID).field("/scopes", words));
    }
    Ok(scopes)
}

/// List the account's API keys
#[utoipa::path(
    tag = "sign-in",
    operation_id = "list_api_keys",
    params(ListApiKeys),
    responses((status = 200, body = Page<ApiKeyView>)),
    security(("bearer" = [])),
)]
#[get("/api-keys")]
pub(super) async fn list(
    ctx: Data<Context>,
    caller: Caller,
    Query(asked): Query<ListApiKeys>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let limit = asked.limit.unwrap_or_default();
    let list = async |view: &mut View| {
        store::list_keys(view, caller.account, asked.starting_after, limit).await
    };
    let rows = ctx.db.view(Tenant::Account(caller.account), list).await?;
    let page = Page::cut(rows, limit, |row| row.api_key_id);
    Ok(HttpResponse::Ok().json(page.map(ApiKeyView::from)))
}

/// Revoke an API key
///
/// It stops at once and stays in the list. Revoking it again changes nothing.
#[utoipa::path(
    tag = "sign-in",
    operation_id = "revoke_api_key",
    params(("id" = ApiKeyId, Path, description = "The key's id")),
    responses((status = 204, description = "Revoked")),
    security(("bearer" = [])),
)]
#[delete("/api-keys/{id}")]
pub(super) async fn revoke(
    ctx: Data<Context>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<HttpResponse, Problem> {
    caller.allow(Role::EVERY, None)?;
    let (account, actor) = (caller.account, caller.actor());
    let context = Context::clone(&ctx);
    let revoked = ctx.db.write(move |tx| {
        Box::pin(async move {
            let revoked = api_keys::revoke(tx, &context, &actor, account, id).await?;
            Ok::<bool, AccountsError>(revoked)
        })
    });
    if revoked.await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::of(&kinds::NOT_FOUND))
    }
}
