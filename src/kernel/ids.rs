//! Typed ids: `UUIDv7` inside, prefixed text outside (`link_01h…`).
//!
//! The text is a `TypeID` (specification 0.3.0): prefix, underscore, 26 characters of lower-case Crockford
//! base32, the first of them at most 7. Ids order by creation time, so a list's cursor is an id. An id is
//! never a secret.

use std::fmt;

use uuid::Uuid;

use super::clock::Instant;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;

/// What every typed id can do.
pub trait TypedId: Copy + Sized {
    /// The text in front of the underscore.
    const PREFIX: &'static str;

    /// Wraps a raw key.
    fn from_uuid(uuid: Uuid) -> Self;

    /// The raw key.
    fn uuid(self) -> Uuid;

    /// A `UUIDv7` of `at`; the 12 bits under the millisecond hold its fraction, so ids keep microsecond order.
    #[must_use]
    fn fresh(at: Instant, entropy: [u8; 8]) -> Self {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        let fraction = u64::from(at.timestamp_subsec_micros() % 1000) * 4;
        let high = (millis << 16) | 0x7000 | fraction;
        let low = (u64::from_be_bytes(entropy) & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        Self::from_uuid(Uuid::from_u64_pair(high, low))
    }
}

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {0}_… with 26 characters")]
pub struct IdFault(pub &'static str);

/// Writes `id` as prefixed text.
pub fn write_text<I: TypedId>(id: I, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut rest = id.uuid().as_u128();
    let mut text = [b'0'; TEXT_LEN];
    for symbol in text.iter_mut().rev() {
        let digit = usize::try_from(rest & 31).unwrap_or(0);
        *symbol = ALPHABET.get(digit).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    f.write_str(I::PREFIX)?;
    f.write_str("_")?;
    f.write_str(str::from_utf8(&text).unwrap_or_default())
}

/// Reads prefixed text: strict lower case, the right prefix, no overflow.
pub fn read_text<I: TypedId>(text: &str) -> Result<I, IdFault> {
    let fault = IdFault(I::PREFIX);
    let body = text
        .strip_prefix(I::PREFIX)
        .and_then(|t| t.strip_prefix('_'))
        .ok_or(fault)?;
    if body.len() != TEXT_LEN || body.as_bytes().first().is_none_or(|first| *first > b'7') {
        return Err(fault);
    }
    let mut value: u128 = 0;
    for byte in body.bytes() {
        let digit = ALPHABET
            .iter()
            .position(|symbol| *symbol == byte)
            .ok_or(fault)?;
        value = (value << 5) | u128::try_from(digit).map_err(|_| fault)?;
    }
    Ok(I::from_uuid(Uuid::from_u128(value)))
}

/// A set of ids as one value of a statement: a JSON list of their digits, which each engine takes apart in its own words.
#[must_use]
pub fn set_of<I: TypedId>(ids: &[I]) -> String {
    let mut set = String::with_capacity(ids.len() * 36 + 2);
    set.push('[');
    for (place, id) in ids.iter().enumerate() {
        set.push_str(if place == 0 { "\"" } else { ",\"" });
        set.push_str(id.uuid().simple().encode_lower(&mut Uuid::encode_buffer()));
        set.push('"');
    }
    set.push(']');
    set
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(Uuid);

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write_text(*self, f) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write_text(*self, f) }
        }

        impl std::str::FromStr for $name {
            type Err = IdFault;
            fn from_str(text: &str) -> Result<Self, IdFault> { read_text(text) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> { to.collect_str(self) }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .examples([serde_json::json!(concat!($prefix, "_01kaqk2v7me9rtz0d5b8n3c6wf"))])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

typed_ids! {
    /// A person or a firm that signs in.
    AccountId = "acc";
    /// A signed-in session: one family of refresh tokens.
    SessionId = "ses";
    /// A key for programs.
    ApiKeyId = "key";
    /// An identity verification case.
    VerificationId = "idv";
    /// A consent given.
    ConsentId = "cons";
    /// A shop.
    ShopId = "shop";
    /// A product of a shop.
    ProductId = "prod";
    /// An affiliate program of a shop.
    ProgramId = "prog";
    /// An entry of a list.
    EntryId = "ent";
    /// A snapshot import into a list.
    ImportId = "imp";
    /// A decision on a request for a link.
    DecisionId = "dec";
    /// A tracked link.
    LinkId = "link";
    /// An act that takes links down, puts them to rest or brings them back.
    TakedownId = "tkd";
    /// What an owner is told of such an act.
    NoticeId = "ntc";
    /// A suspension of all links of one owner.
    SuspensionId = "susp";
    /// An order of an authority.
    AuthorityOrderId = "aord";
    /// A case that waits for an officer.
    CaseId = "case";
    /// A protest against a decision.
    AppealId = "appl";
    /// What an officer ruled.
    RulingId = "rul";
    /// A paper on file.
    DocumentId = "doc";
    /// An edit of a product that waits for an officer.
    ProductEditId = "edit";
    /// A running process of the service.
    NodeId = "node";
    /// A recorded click.
    ClickId = "clk";
    /// A place where a shop's platform delivers its orders.
    OrderSourceId = "osrc";
    /// A stored delivery.
    DeliveryId = "dlv";
    /// An order.
    OrderId = "ord";
    /// A commission.
    CommissionId = "com";
    /// A change of a commission downwards.
    ReversalId = "rev";
    /// A ledger account.
    LedgerAccountId = "lac";
    /// A ledger transfer.
    TransferId = "ltx";
    /// A leaf of the audit log.
    LeafId = "evt";
    /// An announcement to the other nodes.
    AnnouncementId = "ann";
    /// A request, as named in problems and log lines.
    RequestId = "req";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_key_agree_both_ways() {
        // The specification's own vector.
        let uuid = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        let text = "link_01h455vb4pex5vsknk084sn02q";
        assert_eq!(LinkId::from_uuid(uuid).to_string(), text);
        assert_eq!(text.parse::<LinkId>().unwrap().uuid(), uuid);
    }

    #[test]
    fn another_kind_upper_case_and_overflow_are_refused() {
        assert!("dec_01h455vb4pex5vsknk084sn02q".parse::<LinkId>().is_err());
        assert!("link_01H455VB4PEX5VSKNK084SN02Q".parse::<LinkId>().is_err());
        assert!("link_81h455vb4pex5vsknk084sn02q".parse::<LinkId>().is_err());
        assert!("link_01h455vb4pex5vsknk084sn02".parse::<LinkId>().is_err());
        assert!("link_".parse::<LinkId>().is_err());
    }

    #[test]
    fn later_ids_sort_later() {
        let at = chrono::DateTime::from_timestamp_micros(1_764_000_000_000_001).unwrap();
        let earlier = LinkId::fresh(at, [0xff; 8]);
        let later = LinkId::fresh(at + chrono::TimeDelta::microseconds(1), [0; 8]);
        assert!(earlier < later);
        assert_eq!(earlier.uuid().get_version_num(), 7);
    }
}
