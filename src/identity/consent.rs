//! The texts that people agree to, by purpose and version. Pure.

use super::model::ConsentPurpose;
use crate::kernel::digest::{Digest, sha256};

/// A text in both languages. Its words never change: other words are another version.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsentText {
    pub(super) purpose: ConsentPurpose,
    pub(super) version: &'static str,
    pub(super) vi: &'static str,
    pub(super) en: &'static str,
}

/// Every text that may be agreed to, newest first.
pub(super) const TEXTS: &[ConsentText] = &[ConsentText {
    purpose: ConsentPurpose::Identity,
    version: "1",
    vi: include_str!("data/consent-identity-1.vi.txt"),
    en: include_str!("data/consent-identity-1.en.txt"),
}];

impl ConsentText {
    /// SHA-256 of the Vietnamese text, a zero byte and the English text, in UTF-8.
    pub(super) fn sha256(&self) -> Digest {
        sha256(&[self.vi.as_bytes(), b"\0", self.en.as_bytes()])
    }
}

/// The text of `version`, if it may be agreed to.
pub(super) fn text(purpose: ConsentPurpose, version: &str) -> Option<&'static ConsentText> {
    TEXTS
        .iter()
        .find(|text| text.purpose == purpose && text.version == version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::digest::hex;

    #[test]
    fn a_shipped_text_never_changes() {
        let text = text(ConsentPurpose::Identity, "1").unwrap();
        assert_eq!(
            hex(&text.sha256()),
            "f1f191d23951209ec572840ad10eeb1b0944456797912d7d189d1d220754f232"
        );
    }
}
