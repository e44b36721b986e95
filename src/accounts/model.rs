//! Accounts, sessions and keys as values.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{email::Email, error::AccountsError};
use crate::{
    kernel::{
        actor::Role,
        ambient::Ambient,
        clock::Instant,
        ids::{AccountId, TypedId as _},
        secret::{KeyRing, Purpose},
        text::Line,
    },
    web::Scope,
};

/// How an account calls itself: at most 100 characters on one line.
pub type DisplayName = Line<100>;

/// How an owner calls a key: at most 100 characters on one line.
pub type KeyName = Line<100>;

crate::words! {
    /// Whether an account may act.
    pub enum AccountStatus {
        /// It may.
        Active = "active",
        /// Neither sign-in nor keys work.
        Suspended = "suspended",
    }
}

crate::words! {
    /// Why a session ended.
    pub enum EndReason {
        /// Its owner left.
        SignedOut = "signed_out",
        /// A refresh token came a second time: somebody else may hold it.
        RefreshReused = "refresh_reused",
        /// The password was changed in another session.
        PasswordChanged = "password_changed",
        /// The account was suspended.
        Suspended = "suspended",
        /// The account signed in too many times over.
        CrowdedOut = "crowded_out",
        /// It was refreshed more often than a session may be.
        WornOut = "worn_out",
    }
}

crate::words! {
    /// The roles one can take at sign-up. All others are the operator's to give.
    pub enum SignUpRole {
        /// Promotes goods by links and codes.
        Affiliate = "affiliate",
        /// Promotes goods in live broadcasts.
        Livestreamer = "livestreamer",
        /// Sells goods and pays commission.
        Shop = "shop",
    }
}

impl From<SignUpRole> for Role {
    fn from(role: SignUpRole) -> Self {
        match role {
            SignUpRole::Affiliate => Self::Affiliate,
            SignUpRole::Livestreamer => Self::Livestreamer,
            SignUpRole::Shop => Self::Shop,
        }
    }
}

/// An account. Its personal fields stay sealed until somebody with the keys asks for them.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whether it may act.
    pub status: AccountStatus,
    /// What it may do.
    pub roles: Vec<Role>,
    /// When it was made.
    pub created_at: Instant,
    pub(super) email_sealed: Vec<u8>,
    pub(super) display_name_sealed: Vec<u8>,
}

impl Account {
    /// The e-mail address in normal form. Personal: not for logs.
    pub fn email(&self, keys: &KeyRing) -> Result<String, AccountsError> {
        open(keys, self.id, EMAIL, &self.email_sealed)
    }

    /// What the account calls itself. Personal: not for logs.
    pub fn display_name(&self, keys: &KeyRing) -> Result<String, AccountsError> {
        open(keys, self.id, DISPLAY_NAME, &self.display_name_sealed)
    }
}

/// Field labels of the sealing context: a sealed value opens only in its own column of its own row.
const EMAIL: &[u8] = b"email\0";
const DISPLAY_NAME: &[u8] = b"display_name\0";

fn context(account: AccountId, field: &[u8]) -> Vec<u8> {
    [field, account.uuid().as_bytes()].concat()
}

fn open(
    keys: &KeyRing,
    account: AccountId,
    field: &[u8],
    sealed: &[u8],
) -> Result<String, AccountsError> {
    let plain = keys.open(Purpose::AccountField, &context(account, field), sealed)?;
    String::from_utf8(plain.to_vec()).map_err(|_| AccountsError::Unreadable)
}

/// The sealed personal fields of a new account.
#[derive(Debug)]
pub(super) struct SealedFields {
    pub(super) email: Vec<u8>,
    pub(super) display_name: Vec<u8>,
}

impl SealedFields {
    pub(super) fn seal(
        keys: &KeyRing,
        ambient: &Ambient,
        account: AccountId,
        email: &Email,
        display_name: &DisplayName,
    ) -> Result<Self, AccountsError> {
        let seal = |field: &[u8], plain: &str| {
            let context = context(account, field);
            keys.seal(Purpose::AccountField, &context, plain.as_bytes(), ambient)
        };
        Ok(Self {
            email: seal(EMAIL, email.as_str())?,
            display_name: seal(DISPLAY_NAME, display_name.as_str())?,
        })
    }
}

/// A password as typed. Prints as stars and is wiped when dropped.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(SecretString);

impl Password {
    /// Takes the text as it is: no trimming, no truncation.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text, for the one place that hashes it and the one that judges it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl utoipa::PartialSchema for Password {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .description(Some(
                "At most 1,024 bytes, any characters, nothing cut off.",
            ))
            .into()
    }
}

impl utoipa::ToSchema for Password {}

/// Scopes as stored: words with a blank between.
pub(super) fn scopes_text(scopes: &[Scope]) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
    words.join(" ")
}

/// Reads [`scopes_text`]. A word we no longer know grants nothing.
pub(super) fn scopes_of(text: &str) -> Vec<Scope> {
    text.split(' ')
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_prints() {
        let password = Password::new("hunter2hunter2hunter2".to_owned());
        assert!(!format!("{password:?}").contains("hunter2"));
    }

    #[test]
    fn scopes_survive_their_text() {
        let scopes = vec![Scope::LinksRead, Scope::ReportsRead];
        assert_eq!(scopes_of(&scopes_text(&scopes)), scopes);
        assert!(scopes_of("links:delete").is_empty());
    }

    #[test]
    fn no_sign_up_role_is_a_staff_role() {
        for role in SignUpRole::EVERY {
            assert!(!Role::from(*role).is_staff());
        }
    }

    #[test]
    fn a_sealed_name_opens_only_as_the_name_of_its_own_account() {
        let ambient = Ambient::system();
        let keys = KeyRing::of([3; 32], ambient.now());
        let (one, other): (AccountId, AccountId) = (ambient.id(), ambient.id());
        let email: Email = "an@example.vn".parse().unwrap();
        let name: DisplayName = "An".parse().unwrap();
        let sealed = SealedFields::seal(&keys, &ambient, one, &email, &name).unwrap();
        assert_eq!(
            open(&keys, one, DISPLAY_NAME, &sealed.display_name).unwrap(),
            "An"
        );
        assert!(open(&keys, other, DISPLAY_NAME, &sealed.display_name).is_err());
        assert!(open(&keys, one, EMAIL, &sealed.display_name).is_err());
    }
}
