//! The caller's language.

use std::future::{Ready, ready};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, http::header};

/// The caller's language, by `Accept-Language`; Vietnamese when not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// The text in this language.
    #[must_use]
    pub fn pick<'a>(self, vi: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Vi => vi,
            Self::En => en,
        }
    }

    /// The language tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// Reads the request's wish; of those it names we take the one with the higher weight, the first on a tie.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let wish = request
            .headers()
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        wish.map(Self::of_header).unwrap_or_default()
    }

    fn of_header(wish: &str) -> Self {
        let mut best = (Self::default(), 0);
        for part in wish.split(',').take(20) {
            let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = thousandths(parameters);
            let primary = tag
                .trim()
                .split('-')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let lang = match primary.as_str() {
                "vi" => Self::Vi,
                "en" => Self::En,
                _ => continue,
            };
            if weight > best.1 {
                best = (lang, weight);
            }
        }
        best.0
    }
}

/// A quality value (RFC 9110, 12.4.2) in thousandths.
fn thousandths(parameters: &str) -> u32 {
    let Some(quality) = parameters.trim().strip_prefix("q=") else {
        return 1000;
    };
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u32>().unwrap_or(0).min(1) * 1000 + fraction.parse::<u32>().unwrap_or(0)
}

impl FromRequest for Lang {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavier_language_wins_and_vietnamese_is_the_default() {
        assert_eq!(Lang::of_header("en"), Lang::En);
        assert_eq!(Lang::of_header("en-GB,vi;q=0.9"), Lang::En);
        assert_eq!(Lang::of_header("en;q=0.4, vi-VN;q=0.8"), Lang::Vi);
        assert_eq!(Lang::of_header("fr, de"), Lang::Vi);
        assert_eq!(Lang::of_header(""), Lang::Vi);
        assert_eq!(Lang::of_header("en;q=9999999999999"), Lang::Vi);
    }
}
