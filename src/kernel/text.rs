//! Text from outside: bounded, trimmed, NFC, without control characters.
//!
//! A NUL would break PostgreSQL, a bidirectional override would let a name lie, an unbounded field would fill the
//! disk. So nothing is read as a bare `String`.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Nothing is left after trimming.
    #[error("must not be blank")]
    Blank,
    /// More characters than allowed.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control character or a bidirectional override.
    #[error("must not contain control characters")]
    Control,
}

fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn bounded(text: &str, max: usize, newlines: bool) -> Result<String, TextFault> {
    if text.len() > max.saturating_mul(8) {
        return Err(TextFault::TooLong(max));
    }
    let text = if newlines {
        text.replace("\r\n", "\n")
    } else {
        text.to_owned()
    };
    let normal: String = text.trim().nfc().collect();
    if normal.is_empty() {
        return Err(TextFault::Blank);
    }
    if normal.chars().count() > max {
        return Err(TextFault::TooLong(max));
    }
    if normal
        .chars()
        .any(|c| is_hostile(c) && !(newlines && matches!(c, '\n' | '\t')))
    {
        return Err(TextFault::Control);
    }
    Ok(normal)
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, newlines: $newlines:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<const MAX: usize>(String);

        impl<const MAX: usize> $name<MAX> {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }

            /// The text, owned.
            #[must_use]
            pub fn into_string(self) -> String { self.0 }
        }

        impl<const MAX: usize> std::str::FromStr for $name<MAX> {
            type Err = TextFault;
            fn from_str(text: &str) -> Result<Self, TextFault> { bounded(text, MAX, $newlines).map(Self) }
        }

        impl<const MAX: usize> std::fmt::Display for $name<MAX> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }

        impl<const MAX: usize> Serialize for $name<MAX> {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> { to.serialize_str(&self.0) }
        }

        impl<'de, const MAX: usize> Deserialize<'de> for $name<MAX> {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<const MAX: usize> utoipa::PartialSchema for $name<MAX> {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .min_length(Some(1))
                    .max_length(Some(MAX))
                    .into()
            }
        }

        impl<const MAX: usize> utoipa::ToSchema for $name<MAX> {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Owned(format!("{}{MAX}", stringify!($name)))
            }
        }
    };
}

bounded_text! {
    /// One line of at most `MAX` characters, never blank.
    Line, newlines: false
}

bounded_text! {
    /// Text of at most `MAX` characters that may run over several lines, never blank.
    Prose, newlines: true
}

/// Stores a type as TEXT on both engines by its `Display` and `FromStr`.
#[macro_export]
macro_rules! text_column {
    ($name:ty) => {
        impl<DB: sqlx::Database> sqlx::Type<DB> for $name
        where
            str: sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <str as sqlx::Type<DB>>::type_info()
            }
            fn compatible(info: &DB::TypeInfo) -> bool {
                <str as sqlx::Type<DB>>::compatible(info)
            }
        }

        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $name
        where
            String: sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                <String as sqlx::Encode<'q, DB>>::encode(self.to_string(), buffer)
            }
        }

        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name
        where
            &'r str: sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(<&'r str as sqlx::Decode<'r, DB>>::decode(value)?.parse::<Self>()?)
            }
        }
    };
}

/// An enum whose variants are words: text in JSON, in the database and in the document.
///
/// ```
/// tinvia::words! {
///     /// How sure we are.
///     pub enum Effect {
///         /// Refuses.
///         Refuse = "refuse",
///         /// Sends to an officer.
///         Review = "review",
///     }
/// }
/// assert_eq!(Effect::Refuse.word(), "refuse");
/// assert_eq!("review".parse::<Effect>().unwrap(), Effect::Review);
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every word, in order.
            pub const EVERY: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.word()) }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::text::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::kernel::text::UnknownWord(&[$($word),+])),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
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
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        $crate::text_column!($name);
    };
}

/// A word that is not in the list.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("must be one of {}", .0.join(", "))]
pub struct UnknownWord(pub &'static [&'static str]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_normal_and_bounded() {
        assert_eq!(
            "  Tu\u{0301}i xách ".parse::<Line<10>>().unwrap().as_str(),
            "Túi xách"
        );
        assert_eq!("   ".parse::<Line<10>>(), Err(TextFault::Blank));
        assert_eq!(
            "12345678901".parse::<Line<10>>(),
            Err(TextFault::TooLong(10))
        );
        assert_eq!("a\u{0}b".parse::<Line<10>>(), Err(TextFault::Control));
        assert_eq!("a\u{202e}b".parse::<Line<10>>(), Err(TextFault::Control));
        assert_eq!("a\nb".parse::<Line<10>>(), Err(TextFault::Control));
        assert_eq!("a\nb".parse::<Prose<10>>().unwrap().as_str(), "a\nb");
        assert_eq!("a\r\nb".parse::<Prose<10>>().unwrap().as_str(), "a\nb");
        assert_eq!("a\rb".parse::<Prose<10>>(), Err(TextFault::Control));
    }
}
