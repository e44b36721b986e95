//! Issuing: the request becomes a decision, and the decision perhaps a link, in one transaction.
//!
//! Order matters. First what is merely wrong with the request is found, which stores nothing. Then the owner's standing
//! is read and held: a revocation that runs at the same time either comes first and is seen, or waits for the commit
//! and suspends this link with the rest. The shop was held before its goods were read, for the same reason. Then the lists are read and held the same way by the decision. Only then is
//! the link inserted. A refusal and a review commit as decisions, with no link.

use super::{
    code::Code,
    directory::TOPIC_LINK,
    error::LinkError,
    index,
    model::{Link, LinkStatus},
    rules,
    slug::Slug,
    store::{self, index::Indexed},
};
use crate::{
    catalogue::{self, Product, Program, ProgramStatus, Shop},
    compliance::{self, Channel, Decision, Outcome, Screener, StandingSnapshot, Subject},
    identity::{self, Standing},
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, On, Tx},
        host::WebUrl,
        ids::{AccountId, DecisionId, ProductId, ProgramId, VerificationId},
        outbox,
    },
};

/// Draws of a code before giving up. At ten million links one draw meets another 1.3 times in 10,000.
const DRAWS_MAX: usize = 8;

/// A request for a link, read.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) program_id: ProgramId,
    pub(super) product_id: ProductId,
    /// The deep link; none is the product's own address.
    pub(super) url: Option<String>,
    /// None is a channel that nobody declared.
    pub(super) channel: Option<Channel>,
    pub(super) sub_ids: [Option<String>; 5],
    pub(super) slug: Option<Slug>,
}

/// What became of a request.
#[derive(Debug)]
pub(super) enum Issued {
    /// A link.
    Link(Box<Link>),
    /// An officer looks first.
    InReview(Decision),
    /// No link, and why.
    Refused(Decision),
}

/// Decides on `wanted` and issues the link if nothing stands against it.
pub(super) async fn issue(
    tx: &mut Tx,
    ctx: &Context,
    screener: &Screener,
    actor: &Actor,
    owner: AccountId,
    wanted: Wanted,
) -> Result<Issued, LinkError> {
    let (goods, subject) = ask(tx, ctx, owner, &wanted).await?;
    let verification_id = subject.standing.verification_id;
    let url = subject.url.clone();
    let request = wanted.kept();
    let decision = compliance::decide(tx, ctx, screener, actor, subject, Some(&request)).await?;
    match decision.outcome {
        Outcome::Refused => return Ok(Issued::Refused(decision)),
        Outcome::InReview => return Ok(Issued::InReview(decision)),
        Outcome::Issued => {}
    }
    let made = Made {
        owner,
        url,
        decision_id: decision.id,
        verification_id,
    };
    let link = make(tx, ctx, &goods, wanted, made).await?;
    Ok(Issued::Link(Box::new(link)))
}

/// What is merely wrong with the request is found here, which stores nothing; then the owner's standing is held.
pub(super) async fn ask(
    tx: &mut Tx,
    ctx: &Context,
    owner: AccountId,
    wanted: &Wanted,
) -> Result<(Promoted, Subject), LinkError> {
    let goods = Promoted::look_up(&mut *tx, wanted).await?;
    let terms = &goods.program.terms;
    let url = rules::target_of(
        wanted.url.as_deref(),
        &goods.product.url,
        terms,
        &ctx.public_url,
    )?;
    if let Some(slug) = &wanted.slug
        && store::slug_is_taken(tx, slug).await?
    {
        return Err(LinkError::SlugTaken);
    }
    let standing = identity::hold_standing(tx, ctx.ambient.now(), owner).await?;
    let subject = goods.subject(owner, snapshot(&standing), &url, wanted.channel.clone());
    Ok((goods, subject))
}

/// What a granted link rests on.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) owner: AccountId,
    /// Where it leads, as it was judged.
    pub(super) url: String,
    pub(super) decision_id: DecisionId,
    pub(super) verification_id: Option<VerificationId>,
}

/// Makes the link that a decision grants.
pub(super) async fn make(
    tx: &mut Tx,
    ctx: &Context,
    goods: &Promoted,
    wanted: Wanted,
    made: Made,
) -> Result<Link, LinkError> {
    let verification_id = made.verification_id.ok_or_else(|| {
        DbError::Broken("a link was granted to somebody who was never verified".to_owned())
    })?;
    let channel = wanted.channel.ok_or_else(|| {
        DbError::Broken("a link was granted to somebody who declared no channel".to_owned())
    })?;
    let [sub_id1, sub_id2, sub_id3, sub_id4, sub_id5] = wanted.sub_ids;
    let link = Link {
        id: ctx.ambient.id(),
        code: Code::fresh(&ctx.ambient),
        slug: wanted.slug,
        owner: made.owner,
        shop_id: goods.shop.id,
        program_id: goods.program.id,
        program_version: goods.program.version,
        product_id: goods.product.id,
        url: made.url,
        channel_kind: channel.kind.to_string(),
        channel_url: channel.url,
        sub_id1,
        sub_id2,
        sub_id3,
        sub_id4,
        sub_id5,
        status: LinkStatus::Active,
        decision_id: made.decision_id,
        verification_id,
        created_at: ctx.ambient.now(),
        dead_at: None,
        dead_reason: None,
        has_rested: false,
    };
    let link = add(tx, ctx, link).await?;
    index::keep_product(tx, goods.indexed.clone(), &goods.product, &goods.shop).await?;
    index::keep_link(tx, &link).await?;
    if let Some(slug) = &link.slug {
        outbox::announce(tx, &ctx.ambient, TOPIC_LINK, slug.as_str()).await?;
    }
    metrics::counter!("tinvia_links_issued_total").increment(1);
    Ok(link)
}

/// Inserts the link, drawing another code while the drawn one is taken.
async fn add(tx: &mut Tx, ctx: &Context, mut link: Link) -> Result<Link, LinkError> {
    for _ in 0..DRAWS_MAX {
        if store::add(tx, &link).await? {
            return Ok(link);
        }
        if let Some(slug) = &link.slug
            && store::slug_is_taken(tx, slug).await?
        {
            return Err(LinkError::SlugTaken);
        }
        metrics::counter!("tinvia_link_codes_met_total").increment(1);
        link.code = Code::fresh(&ctx.ambient);
    }
    Err(LinkError::NoCodeLeft)
}

/// What a link promotes, as the catalogue has it now.
#[derive(Debug)]
pub(super) struct Promoted {
    pub(super) program: Program,
    pub(super) product: Product,
    pub(super) shop: Shop,
    /// What is known of the product's keys, held since before the product was read.
    indexed: Option<Indexed>,
}

impl Promoted {
    pub(super) async fn look_up(tx: &mut Tx, wanted: &Wanted) -> Result<Self, LinkError> {
        let indexed = index::hold(tx, wanted.product_id).await?;
        let program = catalogue::program_by_id(&mut *tx, wanted.program_id).await?;
        let program = program.ok_or(LinkError::UnknownProgram)?;
        if program.status != ProgramStatus::Active {
            return Err(LinkError::ProgramPaused);
        }
        // Held before anything of it is read: neither the shop nor its goods nor its papers change until the commit.
        let shop = catalogue::hold_shop(tx, program.shop_id).await?;
        let shop = shop.ok_or(LinkError::UnknownProgram)?;
        let product = catalogue::product_by_id(&mut *tx, wanted.product_id).await?;
        let product = product.filter(|product| product.shop_id == program.shop_id);
        let product = product.ok_or(LinkError::UnknownProduct)?;
        Ok(Self {
            program,
            product,
            shop,
            indexed,
        })
    }

    fn subject(
        &self,
        owner: AccountId,
        standing: StandingSnapshot,
        url: &WebUrl,
        channel: Option<Channel>,
    ) -> Subject {
        Subject {
            account: owner,
            standing,
            shop: compliance::shop_facts_of(&self.shop),
            product_id: self.product.id,
            product: compliance::goods_of(&self.product),
            url: url.to_string(),
            channel,
        }
    }
}

pub(super) async fn shop_of(on: impl Into<On<'_>>, product: &Product) -> Result<Shop, DbError> {
    let shop = catalogue::shop_by_id(on, product.shop_id).await?;
    shop.ok_or_else(|| DbError::Broken(format!("{} is of no shop", product.id)))
}

fn snapshot(standing: &Standing) -> StandingSnapshot {
    use compliance::SnapshotStatus as Seen;
    use identity::StandingStatus as Held;
    StandingSnapshot {
        status: match standing.status {
            Held::Unverified => Seen::Unverified,
            Held::Verified => Seen::Verified,
            Held::Expired => Seen::Expired,
            Held::Suspended => Seen::Suspended,
            Held::Revoked => Seen::Revoked,
        },
        verification_id: standing.verification_id,
        expires_at: standing.expires_at,
    }
}
