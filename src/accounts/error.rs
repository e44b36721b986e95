//! What a caller can do about a failed use case of this slice.

use super::rules::Weakness;
use crate::{
    kernel::{db::DbError, secret::KeyFault},
    web::{Kind, Problem, problem::kinds},
};

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// Another account has the address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The password would be guessed.
    #[error("the password {weakness}")]
    PasswordWeak {
        /// JSON pointer to the field that holds it.
        field: &'static str,
        /// Why.
        weakness: Weakness,
    },
    /// Address and password do not belong together, whichever of them is wrong.
    #[error("the credentials are wrong")]
    CredentialsWrong,
    /// The present password, asked for a second time, is wrong.
    #[error("the present password is wrong")]
    CurrentPasswordWrong,
    /// The refresh token is unknown, used, expired or of an ended session.
    #[error("the refresh token is not usable")]
    RefreshTokenWrong,
    /// Too many failures; the caller may try again in so many seconds.
    #[error("too many failures")]
    Throttled {
        /// Seconds until the next attempt is heard.
        retry_after_seconds: u64,
    },
    /// Too many passwords are being checked at this moment.
    #[error("too many passwords are being checked")]
    Busy,
    /// The account has as many live keys as one may have.
    #[error("the account has as many API keys as it may have")]
    ApiKeysFull,
    /// The role is not one that the operator gives.
    #[error("not a staff role")]
    NotStaffRole,
    /// The address does not parse.
    #[error("the e-mail address {0}")]
    Email(#[from] super::email::EmailFault),
    /// Stored bytes do not read.
    #[error("stored account data do not read")]
    Unreadable,
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyFault),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The address already has an account.
pub(super) const EMAIL_TAKEN: Kind = Kind {
    code: "account-email-taken",
    status: 409,
    en: "This e-mail address already has an account",
    vi: "Địa chỉ e-mail này đã có tài khoản",
};

/// The password is too short, too common or too regular.
pub(super) const PASSWORD_WEAK: Kind = Kind {
    code: "account-password-weak",
    status: 422,
    en: "This password would be guessed",
    vi: "Mật khẩu này dễ bị đoán",
};

/// The present password was not given rightly.
pub(super) const CURRENT_PASSWORD_WRONG: Kind = Kind {
    code: "account-password-wrong",
    status: 422,
    en: "The present password is wrong",
    vi: "Mật khẩu hiện tại không đúng",
};

/// The same for an unknown address, a wrong password and a suspended account.
pub(super) const CREDENTIALS_WRONG: Kind = Kind {
    code: "session-credentials-wrong",
    status: 401,
    en: "E-mail address or password is wrong",
    vi: "Địa chỉ e-mail hoặc mật khẩu không đúng",
};

/// The same for an unknown, used, expired or revoked refresh token.
pub(super) const REFRESH_TOKEN_WRONG: Kind = Kind {
    code: "session-refresh-token-wrong",
    status: 401,
    en: "Sign in again",
    vi: "Cần đăng nhập lại",
};

/// No more keys for this account.
pub(super) const API_KEYS_FULL: Kind = Kind {
    code: "api-key-limit-reached",
    status: 409,
    en: "The account has as many API keys as it may have",
    vi: "Tài khoản đã có đủ số khóa API cho phép",
};

/// Every problem code of this slice.
pub const PROBLEMS: &[&Kind] = &[
    &EMAIL_TAKEN,
    &PASSWORD_WEAK,
    &CURRENT_PASSWORD_WRONG,
    &CREDENTIALS_WRONG,
    &REFRESH_TOKEN_WRONG,
    &API_KEYS_FULL,
];

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::EmailTaken => Self::of(&EMAIL_TAKEN).field("/email", "is taken"),
            AccountsError::PasswordWeak { field, weakness } => {
                Self::of(&PASSWORD_WEAK).field(field, weakness.to_string())
            }
            AccountsError::CredentialsWrong => Self::of(&CREDENTIALS_WRONG),
            AccountsError::CurrentPasswordWrong => {
                Self::of(&CURRENT_PASSWORD_WRONG).field("/current_password", "is wrong")
            }
            AccountsError::RefreshTokenWrong => Self::of(&REFRESH_TOKEN_WRONG),
            AccountsError::Throttled {
                retry_after_seconds,
            } => Self::of(&kinds::THROTTLED).retry_after(retry_after_seconds),
            AccountsError::Busy => Self::of(&kinds::BUSY).retry_after(1),
            AccountsError::ApiKeysFull => Self::of(&API_KEYS_FULL),
            AccountsError::NotStaffRole => {
                Self::of(&kinds::INVALID).field("/role", error.to_string())
            }
            AccountsError::Email(fault) => {
                Self::of(&kinds::INVALID).field("/email", fault.to_string())
            }
            AccountsError::Unreadable | AccountsError::Keys(_) => {
                tracing::error!(error = %error, "account data do not read");
                Self::of(&kinds::INTERNAL)
            }
            AccountsError::Db(error) => error.into(),
        }
    }
}
