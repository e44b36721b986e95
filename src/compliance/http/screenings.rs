//! The dry run: what the lists would say, stored nowhere.

use actix_web::{HttpResponse, post, web::Data};
use serde::{Deserialize, Serialize};

use super::views::GroundView;
use crate::{
    catalogue,
    compliance::{
        change::Compliance,
        facts::{goods_of, shop_facts_of},
        model::{
            Channel, ChannelKind, Goods, Head, ListVersions, Outcome, ScreeningOutcome, ShopFacts,
            Verdict,
        },
        papers,
        rules::{self, Exposure},
        screener::ListsFault,
        store,
    },
    kernel::{
        actor::Role,
        clock::legal_day,
        context::Context,
        db::{DbError, Tx},
        host::WebUrl,
        ids::{AccountId, ProductId, ShopId},
        money::Money,
    },
    web::{Answer, Caller, Lang, Posted, Problem, Scope, problem::kinds},
};

/// Who may ask.
const ASKERS: &[Role] = &[
    Role::Affiliate,
    Role::Livestreamer,
    Role::Shop,
    Role::ComplianceOfficer,
    Role::Admin,
];

/// Asks of a known product, or of one described here.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewScreening {
    /// A product of the catalogue. Shops may ask only of their own.
    #[serde(default)]
    product_id: Option<ProductId>,
    /// A product described here. One of the two must be given.
    #[serde(default)]
    product: Option<Described>,
    /// Where it would be promoted.
    #[serde(default)]
    channel: Option<ChannelAsked>,
}

/// A product as it would be added to the catalogue; texts are taken exactly as sent, so that spans fit them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Described {
    /// Whose it is, when that shall be screened too.
    #[serde(default)]
    shop_id: Option<ShopId>,
    /// Its title.
    #[schema(min_length = 1, max_length = 300)]
    title: String,
    /// Its description.
    #[serde(default)]
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// Where it is sold.
    #[serde(default)]
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
    /// Its category.
    #[serde(default)]
    #[schema(max_length = 200)]
    category: Option<String>,
    /// Its brand.
    #[serde(default)]
    #[schema(max_length = 200)]
    brand: Option<String>,
    /// The number under its bar code.
    #[serde(default)]
    #[schema(max_length = 50)]
    gtin: Option<String>,
    /// The number under which an authority admitted it.
    #[serde(default)]
    #[schema(max_length = 100)]
    registration_number: Option<String>,
    /// What it costs; prices are not screened.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "taken so that a product can be sent as it would be added"
    )]
    price: Option<Money>,
}

/// Where goods would be promoted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChannelAsked {
    /// What kind of place.
    kind: ChannelKind,
    /// Its address.
    #[serde(default)]
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
}

/// What the lists say, whoever asks. Identity is not part of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ScreeningView {
    /// What a request would meet.
    outcome: ScreeningOutcome,
    /// Why.
    grounds: Vec<GroundView>,
    /// The versions asked.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    list_versions: ListVersions,
}

/// What is screened, once looked up.
struct Asked {
    /// The product of the catalogue; none when it was described.
    id: Option<ProductId>,
    goods: Goods,
    shop: Option<ShopFacts>,
    channel: Option<Channel>,
}

/// Says what the lists would say to a product and a channel. Nothing is stored, nothing is decided.
#[utoipa::path(
    tag = "decisions",
    request_body = NewScreening,
    responses((status = 200, description = "What the lists say", body = ScreeningView)),
    security(("bearer" = [])),
)]
#[post("/screenings")]
pub(super) async fn create_screening(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    lang: Lang,
    posted: Posted,
) -> Result<HttpResponse, Problem> {
    caller.allow(ASKERS, Some(Scope::LinksRead))?;
    let body = posted.read::<NewScreening>()?;
    let of = only_of(&caller);
    let state = state.into_inner();
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let asked = look_up(tx, of, body).await?;
                let view = screen(tx, &ctx, &state, &asked, lang).await?;
                Ok(Answer::ok(&view))
            })
        })
        .await
}

/// The account whose shops alone may be asked about; promoters and officers may ask about all.
fn only_of(caller: &Caller) -> Option<AccountId> {
    let of_all = ASKERS.iter().filter(|role| **role != Role::Shop);
    let sees_all = of_all.into_iter().any(|role| caller.is(*role));
    (!sees_all).then_some(caller.account)
}

async fn screen(
    tx: &mut Tx,
    ctx: &Context,
    state: &Compliance,
    asked: &Asked,
    lang: Lang,
) -> Result<ScreeningView, DbError> {
    let heads: Vec<Head> = store::heads(&mut *tx)
        .await?
        .into_iter()
        .map(|(head, _)| head)
        .collect();
    let lists = match state.screener.lists_for_decision(tx, &ctx.db, &heads).await {
        Ok(lists) => lists,
        Err(ListsFault::Db(error)) => return Err(error),
        Err(ListsFault::Broken(what)) => {
            tracing::error!(fault = %what, "lists cannot be screened against; a dry run says so");
            return Ok(ScreeningView::of(&rules::unavailable(), &heads, lang));
        }
    };
    let exposure = Exposure {
        product: &asked.goods,
        shop: asked.shop.as_ref(),
        url: None,
        channel: asked.channel.as_ref(),
    };
    let today = legal_day(ctx.ambient.now());
    // What was only described has no paper on file.
    let on_file = asked.id.zip(asked.shop.as_ref().map(|shop| shop.id));
    let papers = papers::paper_grounds(&mut *tx, on_file, &asked.goods, today).await?;
    let verdict = rules::screen(&lists, exposure, today).and(papers);
    Ok(ScreeningView::of(&verdict, &heads, lang))
}

impl ScreeningView {
    fn of(verdict: &Verdict, heads: &[Head], lang: Lang) -> Self {
        Self {
            outcome: match verdict.outcome {
                Outcome::Issued => ScreeningOutcome::Allowed,
                Outcome::Refused => ScreeningOutcome::Refused,
                Outcome::InReview => ScreeningOutcome::InReview,
            },
            grounds: GroundView::all(&verdict.grounds, lang),
            list_versions: heads.iter().map(|head| (head.list, head.version)).collect(),
        }
    }
}

async fn look_up(tx: &mut Tx, of: Option<AccountId>, body: NewScreening) -> Result<Asked, Problem> {
    let channel = body.channel.map(channel).transpose()?;
    let id = body.product_id;
    let (goods, shop) = match (id, body.product) {
        (Some(id), None) => {
            let (goods, shop) = known(tx, of, id).await?;
            (goods, Some(shop))
        }
        (None, Some(described)) => {
            let shop = match described.shop_id {
                Some(id) => Some(shop(tx, of, id, "/product/shop_id").await?),
                None => None,
            };
            (described.goods()?, shop)
        }
        _ => return Err(invalid("", "must have either product_id or product")),
    };
    Ok(Asked {
        id,
        goods,
        shop,
        channel,
    })
}

async fn known(
    tx: &mut Tx,
    of: Option<AccountId>,
    id: ProductId,
) -> Result<(Goods, ShopFacts), Problem> {
    let product = catalogue::product_by_id(&mut *tx, id).await?;
    let product = product.ok_or_else(|| invalid("/product_id", UNKNOWN_PRODUCT))?;
    let shop = shop(tx, of, product.shop_id, "/product_id").await?;
    Ok((goods_of(&product), shop))
}

const UNKNOWN_PRODUCT: &str = "names no product you can use";

async fn shop(
    tx: &mut Tx,
    of: Option<AccountId>,
    id: ShopId,
    pointer: &str,
) -> Result<ShopFacts, Problem> {
    let shop = catalogue::shop_by_id(&mut *tx, id).await?;
    shop.filter(|shop| of.is_none_or(|owner| owner == shop.owner))
        .map(|shop| shop_facts_of(&shop))
        .ok_or_else(|| {
            let words = match pointer {
                "/product_id" => UNKNOWN_PRODUCT,
                _ => "names no shop you can use",
            };
            invalid(pointer, words)
        })
}

impl Described {
    fn goods(self) -> Result<Goods, Problem> {
        let title = text("/product/title", Some(self.title), 300)?;
        let title = title.filter(|title| !title.trim().is_empty());
        let goods = Goods {
            title: title.ok_or_else(|| invalid("/product/title", "must not be blank"))?,
            description: text("/product/description", self.description, 10_000)?,
            url: self.url,
            category: text("/product/category", self.category, 200)?,
            brand: text("/product/brand", self.brand, 200)?,
            gtin: text("/product/gtin", self.gtin, 50)?,
            registration_number: text(
                "/product/registration_number",
                self.registration_number,
                100,
            )?,
        };
        if let Some(url) = &goods.url {
            WebUrl::parse(url).map_err(|fault| invalid("/product/url", fault.to_string()))?;
        }
        Ok(goods)
    }
}

fn channel(asked: ChannelAsked) -> Result<Channel, Problem> {
    if let Some(url) = &asked.url {
        WebUrl::parse(url).map_err(|fault| invalid("/channel/url", fault.to_string()))?;
    }
    Ok(Channel {
        kind: asked.kind,
        url: asked.url,
    })
}

/// A text exactly as sent, of at most `max` characters.
fn text(pointer: &str, text: Option<String>, max: usize) -> Result<Option<String>, Problem> {
    match &text {
        Some(words) if words.chars().count() > max => Err(invalid(
            pointer,
            format!("must have at most {max} characters"),
        )),
        _ => Ok(text),
    }
}

fn invalid(pointer: &str, words: impl Into<String>) -> Problem {
    Problem::of(&kinds::INVALID).field(pointer, words)
}
