//! A person's own data key, and what is sealed under it.
//!
//! The key is made on the first use, wrapped under the key file and stored beside nothing else; deleting that row
//! erases every field of the person. Each field is bound to its table, row and column, so that moved bytes do not open.

use zeroize::Zeroizing;

use super::{error::IdentityError, store};
use crate::kernel::{
    context::Context,
    db::{On, Tx},
    digest::{Digest, hmac_sha256},
    ids::AccountId,
    secret::{self, Key, KeyFault, KeyRing, Purpose},
};

/// An unwrapped key of one person.
#[derive(Debug)]
pub(super) struct Vault {
    key: Key,
}

/// Where a sealed field lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) table: &'static str,
    pub(super) row: &'a str,
    pub(super) column: &'static str,
}

impl Place<'_> {
    fn context(self) -> Vec<u8> {
        format!("{}|{}|{}", self.table, self.row, self.column).into_bytes()
    }
}

impl Vault {
    /// The person's vault, made on the first use.
    pub(super) async fn of(
        tx: &mut Tx,
        ctx: &Context,
        account: AccountId,
    ) -> Result<Self, IdentityError> {
        if let Some(vault) = Self::existing(&mut *tx, ctx, account).await? {
            return Ok(vault);
        }
        let fresh = Zeroizing::new(ctx.ambient.bytes::<32>());
        let wrapped = ctx.keys.seal(
            Purpose::SubjectKeyWrap,
            &wrapping(account),
            fresh.as_slice(),
            &ctx.ambient,
        )?;
        if store::add_subject_key(tx, account, &wrapped, ctx.ambient.now()).await? {
            return Ok(Self {
                key: Key::new(*fresh),
            });
        }
        // Somebody made it meanwhile; theirs stands.
        Ok(Self::existing(tx, ctx, account)
            .await?
            .ok_or(KeyFault::DoesNotOpen)?)
    }

    /// The person's vault; none when it was never made or was erased.
    pub(super) async fn existing(
        on: impl Into<On<'_>>,
        ctx: &Context,
        account: AccountId,
    ) -> Result<Option<Self>, IdentityError> {
        let Some(wrapped) = store::subject_key(on, account).await? else {
            return Ok(None);
        };
        let plain = ctx
            .keys
            .open(Purpose::SubjectKeyWrap, &wrapping(account), &wrapped)?;
        let key = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| KeyFault::DoesNotOpen)?;
        Ok(Some(Self { key: Key::new(key) }))
    }

    /// Seals a field.
    pub(super) fn seal(
        &self,
        ctx: &Context,
        place: Place<'_>,
        plain: &str,
    ) -> Result<Vec<u8>, IdentityError> {
        Ok(secret::seal(
            &self.key,
            &place.context(),
            plain.as_bytes(),
            &ctx.ambient,
        )?)
    }

    /// Opens a field.
    pub(super) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<String>, IdentityError> {
        let plain = secret::open(&self.key, &place.context(), sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| KeyFault::DoesNotOpen)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// A digest over `parts` that nobody without this person's key can make or test.
    pub(super) fn fingerprint(&self, parts: &[&[u8]]) -> Digest {
        let key = Zeroizing::new(hmac_sha256(
            self.key.bytes(),
            &[b"tinvia identity fingerprint v1"],
        ));
        let mut framed: Vec<Vec<u8>> = Vec::with_capacity(parts.len() * 2);
        for part in parts {
            framed.push(
                u64::try_from(part.len())
                    .unwrap_or(u64::MAX)
                    .to_be_bytes()
                    .to_vec(),
            );
            framed.push(part.to_vec());
        }
        let framed: Vec<&[u8]> = framed.iter().map(Vec::as_slice).collect();
        hmac_sha256(key.as_slice(), &framed)
    }
}

fn wrapping(account: AccountId) -> Vec<u8> {
    Place {
        table: "subject_key",
        row: &account.to_string(),
        column: "wrapped_key",
    }
    .context()
}

/// A tag under one root of the key file.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) key_version: i64,
    pub(super) tag: Digest,
}

/// The tags of a document under every root, the current one last: older ones find what was stored before a rotation.
pub(super) fn document_tags(
    ring: &KeyRing,
    issuing_state: &str,
    number: &str,
) -> Result<Vec<Tag>, IdentityError> {
    let state = canonical_state(issuing_state);
    let tag = |version: u8| {
        let key = ring.key_of(Purpose::DocumentIndex, version)?;
        let tag = hmac_sha256(
            key.bytes(),
            &[b"passport\0", state.as_bytes(), b"\0", number.as_bytes()],
        );
        Ok::<_, IdentityError>(Tag {
            key_version: i64::from(version),
            tag,
        })
    };
    ring.roots().iter().map(|root| tag(root.version)).collect()
}

/// One spelling for a state that has two, so that they are one document. Kept here, not in a library's table, because
/// another spelling would orphan the stored tags.
fn canonical_state(state: &str) -> &str {
    match state {
        "D" => "DEU",
        "RKS" => "XKX",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{ambient::Ambient, digest::hex};

    const HERE: Place<'_> = Place {
        table: "identity_document",
        row: "idv_1/1",
        column: "number",
    };

    #[test]
    fn a_field_opens_only_in_its_place_and_under_its_persons_key() {
        let ambient = Ambient::system();
        let vault = Vault {
            key: Key::new([3; 32]),
        };
        let sealed = secret::seal(&vault.key, &HERE.context(), b"A1", &ambient).unwrap();
        assert_eq!(vault.open(HERE, &sealed).unwrap().as_str(), "A1");
        for elsewhere in [
            Place {
                row: "idv_1/2",
                ..HERE
            },
            Place {
                column: "full_name",
                ..HERE
            },
            Place {
                table: "identity_verdict",
                ..HERE
            },
        ] {
            assert!(vault.open(elsewhere, &sealed).is_err(), "{elsewhere:?}");
        }
        let other = Vault {
            key: Key::new([4; 32]),
        };
        assert!(other.open(HERE, &sealed).is_err());
    }

    #[test]
    fn a_fingerprint_tells_where_one_part_ends() {
        let vault = Vault {
            key: Key::new([3; 32]),
        };
        let (left, right) = (
            vault.fingerprint(&[b"ab", b"c"]),
            vault.fingerprint(&[b"a", b"bc"]),
        );
        assert_ne!(left, right);
        assert_eq!(left, vault.fingerprint(&[b"ab", b"c"]));
    }

    #[test]
    fn tags_are_keyed_and_know_germany_under_both_names() {
        let ambient = Ambient::system();
        let ring = KeyRing::of([7; 32], ambient.now());
        let tag = |ring: &KeyRing, state: &str| {
            document_tags(ring, state, "C01X00T47")
                .unwrap()
                .pop()
                .unwrap()
                .tag
        };
        assert_eq!(tag(&ring, "D"), tag(&ring, "DEU"));
        assert_ne!(tag(&ring, "D"), tag(&ring, "DNK"));
        let other = KeyRing::of([8; 32], ambient.now());
        assert_ne!(hex(&tag(&ring, "D")), hex(&tag(&other, "D")));
        // After a rotation the old tag is still asked for, and the new one is what is stored.
        let rotated = ring.clone().rotated([9; 32], ambient.now());
        let tags = document_tags(&rotated, "D", "C01X00T47").unwrap();
        assert_eq!(
            tags.iter().map(|tag| tag.key_version).collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(tags[0].tag, tag(&ring, "D"));
        assert!(rotated.key_of(Purpose::DocumentIndex, 3).is_err());
    }
}
