//! Requests for links, read.

use serde::Deserialize;

use crate::{
    catalogue,
    compliance::{Channel, ChannelKind},
    kernel::{
        host::WebUrl,
        ids::{ProductId, ProgramId},
        text::{Line, Prose},
    },
    links::{issue::Wanted, model::TakedownReason, slug::Slug},
    web::{Problem, problem::kinds},
};

/// Where the link will be promoted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChannel {
    /// What kind of place.
    kind: ChannelKind,
    /// Its address; needed for `website` and `other`.
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
}

/// A link to be issued.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLink {
    /// The program that pays.
    program_id: ProgramId,
    /// What is promoted; of the program's shop.
    product_id: ProductId,
    /// Where it leads, if not to the product's own address.
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
    /// Where it will be promoted. A request that leaves it out is refused, and the refusal kept.
    #[serde(default, deserialize_with = "declared")]
    #[schema(value_type = Option<NewChannel>)]
    channel: Option<NewChannel>,
    /// Your own tag.
    sub_id1: Option<Line<100>>,
    /// Your own tag.
    sub_id2: Option<Line<100>>,
    /// Your own tag.
    sub_id3: Option<Line<100>>,
    /// Your own tag.
    sub_id4: Option<Line<100>>,
    /// Your own tag.
    sub_id5: Option<Line<100>>,
    /// A second address, `/r/{slug}`: 3 to 64 of `a-z 0-9 -`.
    #[schema(
        min_length = 3,
        max_length = 64,
        pattern = "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$"
    )]
    slug: Option<String>,
    /// The livestream it belongs to. Livestreams cannot be named yet.
    #[schema(max_length = 40)]
    livestream_id: Option<String>,
}

/// Left out it is undeclared; null is no channel at all.
fn declared<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<NewChannel>, D::Error> {
    NewChannel::deserialize(from).map(Some)
}

impl NewLink {
    pub(super) fn wanted(self) -> Result<Wanted, Problem> {
        if self.livestream_id.is_some() {
            return Err(invalid("/livestream_id", "names no livestream you can use"));
        }
        let slug = self.slug.map(|text| Slug::choose(&text)).transpose();
        let text = |sub_id: Option<Line<100>>| sub_id.map(Line::into_string);
        Ok(Wanted {
            program_id: self.program_id,
            product_id: self.product_id,
            url: self.url,
            channel: self.channel.map(NewChannel::read).transpose()?,
            sub_ids: [
                text(self.sub_id1),
                text(self.sub_id2),
                text(self.sub_id3),
                text(self.sub_id4),
                text(self.sub_id5),
            ],
            slug: slug.map_err(|fault| invalid("/slug", &fault.to_string()))?,
        })
    }
}

impl NewChannel {
    fn read(self) -> Result<Channel, Problem> {
        let url = match self.url {
            Some(text) => Some(WebUrl::parse(&text).map_err(|fault| {
                Problem::of(&catalogue::URL_NOT_ALLOWED).field("/channel/url", fault.to_string())
            })?),
            None if matches!(self.kind, ChannelKind::Website | ChannelKind::Other) => {
                return Err(invalid(
                    "/channel/url",
                    "is needed for this kind of channel",
                ));
            }
            None => None,
        };
        Ok(Channel {
            kind: self.kind,
            url: url.map(|url| url.to_string()),
        })
    }
}

fn invalid(pointer: &str, detail: &str) -> Problem {
    Problem::of(&kinds::INVALID).field(pointer, detail)
}

/// Why a link is taken down.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTakedown {
    /// Why.
    pub(super) reason_code: TakedownReason,
    /// Why, in words for the file.
    pub(super) note: Option<Prose<2000>>,
}
