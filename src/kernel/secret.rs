//! Keys and sealing.
//!
//! One key file holds a ring of 256-bit roots, one a line: `version created_at base64`. The highest version is
//! current, older ones still read. Every working key is derived from a root by HKDF-SHA256 under a named purpose,
//! so no key serves two ends and nothing but the file needs a backup. The file must be readable by its owner alone.

use std::{
    fmt,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    sync::Arc,
};

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use aws_lc_rs::hkdf;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{ambient::Ambient, clock::Instant};

/// A derived or root key: 256 bits, wiped when dropped, never printed.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Takes the bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the cryptographic call that needs them.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// What keys are derived for. The label is part of the derivation: changing one orphans what it sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Ed25519 seed of access tokens.
    AccessToken,
    /// HMAC of click tokens.
    ClickToken,
    /// Wraps the per-subject data keys.
    SubjectKeyWrap,
    /// Blind index over identity document numbers.
    DocumentIndex,
    /// Seals webhook secrets of shops.
    ShopSecret,
    /// Seals stored answers and digests their requests.
    Idempotency,
    /// Seals raw deliveries, which hold buyers' personal data.
    Delivery,
    /// Seals personal numbers that serve individuals as tax codes.
    PersonalTaxCode,
    /// Pseudonyms: e-mail addresses in sign-in throttling, buyers, visitors.
    Pseudonym,
    /// Signs receipts, cursors and other short texts we hand out.
    Receipt,
    /// Seals the personal fields of accounts: e-mail address and name.
    AccountField,
    /// Blind index over e-mail addresses.
    EmailIndex,
    /// Seals what people write to and from the compliance desk: it may tell about a person.
    DeskText,
}

impl Purpose {
    const EVERY: [Self; 13] = [
        Self::AccessToken,
        Self::ClickToken,
        Self::SubjectKeyWrap,
        Self::DocumentIndex,
        Self::ShopSecret,
        Self::Idempotency,
        Self::Delivery,
        Self::PersonalTaxCode,
        Self::Pseudonym,
        Self::Receipt,
        Self::AccountField,
        Self::EmailIndex,
        Self::DeskText,
    ];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::AccessToken => b"tinvia access-token v1",
            Self::ClickToken => b"tinvia click-token v1",
            Self::SubjectKeyWrap => b"tinvia subject-key-wrap v1",
            Self::DocumentIndex => b"tinvia document-index v1",
            Self::ShopSecret => b"tinvia shop-secret v1",
            Self::Idempotency => b"tinvia idempotency v1",
            Self::Delivery => b"tinvia delivery v1",
            Self::PersonalTaxCode => b"tinvia personal-tax-code v1",
            Self::Pseudonym => b"tinvia pseudonym v1",
            Self::Receipt => b"tinvia receipt v1",
            Self::AccountField => b"tinvia account-field v1",
            Self::EmailIndex => b"tinvia email-index v1",
            Self::DeskText => b"tinvia desk-text v1",
        }
    }
}

/// One root of the ring.
#[derive(Debug, Clone)]
pub struct Root {
    /// Counts up from 1.
    pub version: u8,
    /// When it became current.
    pub created_at: Instant,
    key: Key,
    /// The key of every purpose, derived once: sealing happens on every delivery.
    working: Arc<[(Purpose, Key)]>,
}

/// Why keys could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// The file cannot be read or made.
    #[error("the key file cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// Others than the owner may read it.
    #[error("the key file is readable by others; give it mode 0600")]
    Exposed,
    /// It does not hold what it should.
    #[error("line {0} of the key file is not `version created_at base64`")]
    Malformed(usize),
    /// No root of that version.
    #[error("no key of version {0}")]
    UnknownVersion(u8),
    /// The sealed bytes were altered, moved, or sealed under another key.
    #[error("sealed bytes do not open")]
    DoesNotOpen,
}

/// The roots of this deployment.
#[derive(Debug, Clone)]
pub struct KeyRing {
    roots: Vec<Root>,
}

impl KeyRing {
    /// A ring of one root, for tests and for the first start.
    #[must_use]
    pub fn of(root: [u8; 32], created_at: Instant) -> Self {
        Self {
            roots: vec![Root::new(1, created_at, Key::new(root))],
        }
    }

    /// Reads the key file, making it with a fresh root when it is missing.
    pub fn open_or_create(path: &Path, ambient: &Ambient) -> Result<Self, KeyFault> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
                    return Err(KeyFault::Exposed);
                }
                Self::parse(&Zeroizing::new(text))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let ring = Self::of(ambient.bytes(), ambient.now());
                ring.create(path)?;
                // Two nodes may start at once: whoever made the file first decides.
                Self::open_or_create(path, ambient)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a root that is current from now on; older ones still read.
    #[must_use]
    pub fn rotated(mut self, root: [u8; 32], created_at: Instant) -> Self {
        let version = self.current().version.saturating_add(1);
        self.roots
            .push(Root::new(version, created_at, Key::new(root)));
        self
    }

    /// The current root.
    #[must_use]
    pub fn current(&self) -> &Root {
        // `of` and `parse` leave no ring empty; the first is as good as the last should that ever break.
        match self.roots.as_slice() {
            [.., last] => last,
            [] => unreachable!("a key ring has a root"),
        }
    }

    /// Every root, oldest first.
    #[must_use]
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The key of `purpose` under the current root, and its version.
    #[must_use]
    pub fn key(&self, purpose: Purpose) -> (u8, Key) {
        let root = self.current();
        (root.version, root.working(purpose))
    }

    /// The key of `purpose` under the root of `version`.
    pub fn key_of(&self, purpose: Purpose, version: u8) -> Result<Key, KeyFault> {
        let root = self.roots.iter().find(|root| root.version == version);
        root.map(|root| root.working(purpose))
            .ok_or(KeyFault::UnknownVersion(version))
    }

    /// Seals `plain` under `purpose`, bound to `context`: opened in another context it fails.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plain: &[u8],
        ambient: &Ambient,
    ) -> Result<Vec<u8>, KeyFault> {
        let (version, key) = self.key(purpose);
        let mut sealed = vec![version];
        sealed.extend(seal(&key, context, plain, ambient)?);
        Ok(sealed)
    }

    /// Opens what [`KeyRing::seal`] made, under whichever root it was sealed.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        let (version, rest) = sealed.split_first().ok_or(KeyFault::DoesNotOpen)?;
        open(&self.key_of(purpose, *version)?, context, rest)
    }

    fn parse(text: &str) -> Result<Self, KeyFault> {
        let mut roots = Vec::new();
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let malformed = KeyFault::Malformed(number + 1);
            let mut words = line.split_whitespace();
            let version = words.next().and_then(|word| word.parse().ok());
            let created_at = words.next().and_then(|word| word.parse::<Instant>().ok());
            let key = words.next().and_then(|word| STANDARD.decode(word).ok());
            let key = key.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let (Some(version), Some(created_at), Some(key)) = (version, created_at, key) else {
                return Err(malformed);
            };
            roots.push(Root::new(version, created_at, Key::new(key)));
        }
        roots.sort_by_key(|root| root.version);
        if roots.is_empty() {
            Err(KeyFault::Malformed(1))
        } else {
            Ok(Self { roots })
        }
    }

    fn create(&self, path: &Path) -> Result<(), KeyFault> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let made = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let mut file = match made {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for root in &self.roots {
            let key = Zeroizing::new(STANDARD.encode(root.key.bytes()));
            writeln!(
                file,
                "{} {} {}",
                root.version,
                root.created_at.to_rfc3339(),
                key.as_str()
            )?;
        }
        file.sync_all()?;
        Ok(())
    }
}

impl Root {
    fn new(version: u8, created_at: Instant, key: Key) -> Self {
        let working = Purpose::EVERY.map(|purpose| (purpose, derive(&key, purpose)));
        Self {
            version,
            created_at,
            key,
            working: working.into(),
        }
    }

    fn working(&self, purpose: Purpose) -> Key {
        let mut working = self.working.iter();
        let found = working.find(|(of, _)| *of == purpose);
        found.map_or_else(|| derive(&self.key, purpose), |(_, key)| key.clone())
    }
}

fn derive(root: &Key, purpose: Purpose) -> Key {
    let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tinvia").extract(root.bytes());
    let mut derived = [0; 32];
    let label = [purpose.label()];
    // 32 bytes are far below HKDF's limit of 255 × 32, the only thing that could fail here.
    if root
        .expand(&label, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut derived))
        .is_err()
    {
        tracing::error!("key derivation failed");
        std::process::abort();
    }
    Key::new(derived)
}

const NONCE_LEN: usize = 12;

/// AES-256-GCM-SIV: nonce, then ciphertext and tag. `context` is authenticated, not stored.
pub fn seal(
    key: &Key,
    context: &[u8],
    plain: &[u8],
    ambient: &Ambient,
) -> Result<Vec<u8>, KeyFault> {
    let nonce: [u8; NONCE_LEN] = ambient.bytes();
    let cipher = Aes256GcmSiv::new(key.bytes().into());
    let payload = Payload {
        msg: plain,
        aad: context,
    };
    let mut sealed = nonce.to_vec();
    sealed.extend(
        cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| KeyFault::DoesNotOpen)?,
    );
    Ok(sealed)
}

/// Opens what [`seal`] made.
pub fn open(key: &Key, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    let (nonce, body) = sealed
        .split_at_checked(NONCE_LEN)
        .ok_or(KeyFault::DoesNotOpen)?;
    let nonce: [u8; NONCE_LEN] = nonce.try_into().map_err(|_| KeyFault::DoesNotOpen)?;
    let cipher = Aes256GcmSiv::new(key.bytes().into());
    let payload = Payload {
        msg: body,
        aad: context,
    };
    let plain = cipher
        .decrypt(&Nonce::from(nonce), payload)
        .map_err(|_| KeyFault::DoesNotOpen)?;
    Ok(Zeroizing::new(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> (KeyRing, Ambient) {
        let ambient = Ambient::system();
        (KeyRing::of([7; 32], ambient.now()), ambient)
    }

    #[test]
    fn sealed_bytes_open_only_where_they_belong() {
        let (ring, ambient) = ring();
        let sealed = ring
            .seal(Purpose::ShopSecret, b"row 1", b"plain", &ambient)
            .unwrap();
        assert_eq!(
            ring.open(Purpose::ShopSecret, b"row 1", &sealed)
                .unwrap()
                .as_slice(),
            b"plain"
        );
        assert!(ring.open(Purpose::ShopSecret, b"row 2", &sealed).is_err());
        assert!(ring.open(Purpose::Delivery, b"row 1", &sealed).is_err());
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert!(
                ring.open(Purpose::ShopSecret, b"row 1", &altered).is_err(),
                "byte {position}"
            );
        }
    }

    #[test]
    fn a_rotated_ring_still_opens_what_the_old_root_sealed() {
        let (ring, ambient) = ring();
        let sealed = ring.seal(Purpose::Delivery, b"", b"old", &ambient).unwrap();
        let ring = ring.rotated([9; 32], ambient.now());
        assert_eq!(ring.current().version, 2);
        assert_eq!(
            ring.open(Purpose::Delivery, b"", &sealed)
                .unwrap()
                .as_slice(),
            b"old"
        );
    }

    #[test]
    fn the_key_file_is_private_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/tinvia.keys");
        let ambient = Ambient::system();
        let first = KeyRing::open_or_create(&path, &ambient).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let second = KeyRing::open_or_create(&path, &ambient).unwrap();
        assert_eq!(
            first.key(Purpose::ClickToken).1.bytes(),
            second.key(Purpose::ClickToken).1.bytes()
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            KeyRing::open_or_create(&path, &ambient),
            Err(KeyFault::Exposed)
        ));
    }

    #[test]
    fn a_key_never_prints() {
        assert_eq!(format!("{:?}", Key::new([1; 32])), "Key(***)");
    }
}
