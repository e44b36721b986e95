//! The grounds on which a request is refused or looked at, the duty each follows from, and its words.

use super::model::{Effect, Ground, ListName};

crate::words! {
    /// A stable ground.
    pub enum GroundCode {
        /// The person is not verified (Law 122 art 25).
        IdentityNotVerified = "identity-not-verified",
        /// The verification has run out.
        IdentityExpired = "identity-expired",
        /// A banned business line (Law 143/2025 art 6).
        BannedLine = "banned-line",
        /// Goods published as violating.
        ViolatingGoods = "violating-goods",
        /// Goods suspended from circulation.
        SuspendedGoods = "suspended-goods",
        /// Goods that may not be advertised.
        AdProhibited = "ad-prohibited",
        /// The goods stand on a flagged e-commerce platform.
        FlaggedCommercePlatform = "flagged-commerce-platform",
        /// The channel is a flagged digital platform.
        FlaggedDigitalPlatform = "flagged-digital-platform",
        /// A multi-level shop without a live certificate.
        MlmWithoutCertificate = "mlm-without-certificate",
        /// An authority demands it.
        AuthorityOrder = "authority-order",
        /// The advertisement needs a confirmation that is not on file.
        AdConfirmationMissing = "ad-confirmation-missing",
        /// A conditional line's papers are not on file.
        ConditionDocumentMissing = "condition-document-missing",
        /// The channel was not declared.
        ChannelUndeclared = "channel-undeclared",
        /// The shop is suspended.
        ShopSuspended = "shop-suspended",
        /// The lists could not be read, or an address on the request could not.
        ScreeningUnavailable = "screening-unavailable",
    }
}

impl GroundCode {
    /// The duty it follows from, by its id in the table of duties. `ADV-7` is art 7 of the Advertising Law.
    #[must_use]
    pub const fn duty(self) -> &'static str {
        match self {
            Self::IdentityNotVerified | Self::IdentityExpired => "AP-01",
            // What cannot be screened cannot be shown to be lawful, so it is refused by the same duty.
            Self::BannedLine | Self::ScreeningUnavailable => "AP-03",
            Self::ViolatingGoods => "AP-04",
            Self::MlmWithoutCertificate => "AP-05",
            Self::AuthorityOrder => "AP-06",
            Self::FlaggedCommercePlatform => "AP-07",
            Self::FlaggedDigitalPlatform | Self::ChannelUndeclared => "AF-02",
            Self::SuspendedGoods => "PL-10",
            Self::ShopSuspended => "PL-12",
            Self::AdProhibited => "ADV-7",
            Self::ConditionDocumentMissing => "SE-01",
            Self::AdConfirmationMissing => "SE-02",
        }
    }

    /// Whether a person may overrule it for one request. Nobody overrules that somebody is not verified, that an
    /// authority demands it, that a shop is suspended or lacks its certificate, that no channel was named, or that
    /// nothing could be screened: there the fact itself has to change.
    #[must_use]
    pub const fn can_be_waived(self) -> bool {
        match self {
            Self::BannedLine
            | Self::ViolatingGoods
            | Self::SuspendedGoods
            | Self::AdProhibited
            | Self::FlaggedCommercePlatform
            | Self::FlaggedDigitalPlatform
            | Self::AdConfirmationMissing
            | Self::ConditionDocumentMissing => true,
            Self::IdentityNotVerified
            | Self::IdentityExpired
            | Self::MlmWithoutCertificate
            | Self::AuthorityOrder
            | Self::ChannelUndeclared
            | Self::ShopSuspended
            | Self::ScreeningUnavailable => false,
        }
    }

    /// The ground that a match on `list` is.
    #[must_use]
    pub const fn of_list(list: ListName) -> Self {
        match list {
            ListName::BannedLines => Self::BannedLine,
            ListName::ViolatingGoods => Self::ViolatingGoods,
            ListName::SuspendedGoods => Self::SuspendedGoods,
            ListName::AdProhibitedGoods => Self::AdProhibited,
            ListName::FlaggedCommercePlatforms => Self::FlaggedCommercePlatform,
            ListName::FlaggedDigitalPlatforms => Self::FlaggedDigitalPlatform,
            ListName::MlmCertificates => Self::MlmWithoutCertificate,
        }
    }

    /// The ground in Vietnamese.
    #[must_use]
    pub const fn vi(self) -> &'static str {
        match self {
            Self::IdentityNotVerified => "Danh tính chưa được xác thực.",
            Self::IdentityExpired => "Xác thực danh tính đã hết hạn.",
            Self::BannedLine => "Thuộc ngành, nghề cấm đầu tư kinh doanh.",
            Self::ViolatingGoods => "Hàng hóa đã bị công khai vi phạm.",
            Self::SuspendedGoods => "Hàng hóa đang bị tạm dừng lưu thông.",
            Self::AdProhibited => "Hàng hóa cấm quảng cáo.",
            Self::FlaggedCommercePlatform => {
                "Hàng hóa đăng trên nền tảng thương mại điện tử đã bị công khai vi phạm."
            }
            Self::FlaggedDigitalPlatform => "Kênh quảng bá là nền tảng số đã bị công khai vi phạm.",
            Self::MlmWithoutCertificate => {
                "Gian hàng bán hàng đa cấp không có giấy chứng nhận đăng ký còn hiệu lực."
            }
            Self::AuthorityOrder => "Theo yêu cầu của cơ quan có thẩm quyền.",
            Self::AdConfirmationMissing => "Thiếu văn bản xác nhận nội dung quảng cáo.",
            Self::ConditionDocumentMissing => "Thiếu giấy tờ về điều kiện kinh doanh.",
            Self::ChannelUndeclared => "Kênh quảng bá chưa được khai báo.",
            Self::ShopSuspended => "Gian hàng đang bị đình chỉ.",
            Self::ScreeningUnavailable => "Không kiểm tra được nên chưa thể cấp liên kết.",
        }
    }

    /// The ground in English.
    #[must_use]
    pub const fn en(self) -> &'static str {
        match self {
            Self::IdentityNotVerified => "The identity is not verified.",
            Self::IdentityExpired => "The identity verification has expired.",
            Self::BannedLine => "It belongs to a banned business line.",
            Self::ViolatingGoods => "The goods have been published as violating the law.",
            Self::SuspendedGoods => "The goods are suspended from circulation.",
            Self::AdProhibited => "These goods may not be advertised.",
            Self::FlaggedCommercePlatform => {
                "The goods are offered on an e-commerce platform that has been publicly flagged."
            }
            Self::FlaggedDigitalPlatform => {
                "The channel is a digital platform that has been publicly flagged."
            }
            Self::MlmWithoutCertificate => {
                "The shop sells in several tiers and has no live certificate for it."
            }
            Self::AuthorityOrder => "A competent authority demands it.",
            Self::AdConfirmationMissing => "The confirmation of the advertisement is missing.",
            Self::ConditionDocumentMissing => "Papers of a conditional business line are missing.",
            Self::ChannelUndeclared => "The channel has not been declared.",
            Self::ShopSuspended => "The shop is suspended.",
            Self::ScreeningUnavailable => "It could not be screened, so no link is given.",
        }
    }
}

impl GroundCode {
    /// What the applicant can do about it, in Vietnamese.
    #[must_use]
    pub const fn remedy_vi(self) -> &'static str {
        match self {
            Self::IdentityNotVerified => "Hoàn tất xác thực danh tính rồi gửi lại yêu cầu.",
            Self::IdentityExpired => {
                "Xác thực lại danh tính bằng giấy tờ còn hạn rồi gửi lại yêu cầu."
            }
            Self::BannedLine => {
                "Chọn hàng hóa khác. Nếu hàng hóa không thuộc ngành, nghề này, hãy khiếu nại và nêu rõ đó là gì."
            }
            Self::ViolatingGoods => {
                "Chọn hàng hóa khác. Nếu công bố nói về hàng hóa khác, hãy khiếu nại kèm số đăng ký hoặc mã vạch."
            }
            Self::SuspendedGoods => {
                "Chờ cơ quan có thẩm quyền cho lưu thông trở lại, hoặc chọn hàng hóa khác."
            }
            Self::AdProhibited => {
                "Chọn hàng hóa được phép quảng cáo. Nếu hàng hóa không thuộc loại bị cấm, hãy khiếu nại và nêu rõ đó là gì."
            }
            Self::FlaggedCommercePlatform => {
                "Đề nghị gian hàng bán trên nền tảng khác và dùng địa chỉ ở đó."
            }
            Self::FlaggedDigitalPlatform => "Quảng bá trên kênh khác và khai báo kênh đó.",
            Self::MlmWithoutCertificate => {
                "Đề nghị gian hàng nộp giấy chứng nhận đăng ký hoạt động bán hàng đa cấp còn hiệu lực."
            }
            Self::AuthorityOrder => {
                "Liên hệ cơ quan đã yêu cầu; chúng tôi chỉ cấp liên kết sau khi cơ quan đó rút yêu cầu."
            }
            Self::AdConfirmationMissing => {
                "Đề nghị gian hàng tải lên văn bản xác nhận nội dung quảng cáo còn hiệu lực của sản phẩm này."
            }
            Self::ConditionDocumentMissing => {
                "Đề nghị gian hàng tải lên giấy tờ về điều kiện kinh doanh còn hiệu lực của sản phẩm này."
            }
            Self::ChannelUndeclared => "Khai báo kênh sẽ quảng bá rồi gửi lại yêu cầu.",
            Self::ShopSuspended => {
                "Chọn gian hàng khác, hoặc chờ gian hàng này được hoạt động trở lại."
            }
            Self::ScreeningUnavailable => {
                "Thử lại sau. Nếu nêu một địa chỉ, hãy dùng địa chỉ đầy đủ, công khai, không qua liên kết rút gọn."
            }
        }
    }

    /// What the applicant can do about it, in English.
    #[must_use]
    pub const fn remedy_en(self) -> &'static str {
        match self {
            Self::IdentityNotVerified => "Complete the identity verification, then ask again.",
            Self::IdentityExpired => {
                "Verify the identity again with a valid document, then ask again."
            }
            Self::BannedLine => {
                "Choose other goods. If they do not belong to that line, appeal and say what they are."
            }
            Self::ViolatingGoods => {
                "Choose other goods. If the publication is about others, appeal with the registration number or bar code."
            }
            Self::SuspendedGoods => {
                "Wait until the authority lets them circulate again, or choose other goods."
            }
            Self::AdProhibited => {
                "Choose goods that may be advertised. If these are not of the kind, appeal and say what they are."
            }
            Self::FlaggedCommercePlatform => {
                "Ask the shop to sell on another platform, and use the address there."
            }
            Self::FlaggedDigitalPlatform => "Promote on another channel and declare that one.",
            Self::MlmWithoutCertificate => {
                "Ask the shop to file its valid certificate for multi-level marketing."
            }
            Self::AuthorityOrder => {
                "Turn to the authority that demanded it; no link is given until it withdraws its demand."
            }
            Self::AdConfirmationMissing => {
                "Ask the shop to upload this product's valid confirmation of the advertisement's content."
            }
            Self::ConditionDocumentMissing => {
                "Ask the shop to upload this product's valid papers for its line of business."
            }
            Self::ChannelUndeclared => "Declare the channel that will promote it, then ask again.",
            Self::ShopSuspended => "Choose another shop, or wait until this one is reinstated.",
            Self::ScreeningUnavailable => {
                "Try again later. If an address is named, use a full, public one that goes through no short link."
            }
        }
    }
}

impl Ground {
    /// What the applicant can do about it, Vietnamese and English.
    #[must_use]
    pub fn remedy(&self) -> (&'static str, &'static str) {
        match (self.effect, self.code) {
            (Effect::Review, code) if code != GroundCode::ScreeningUnavailable => (
                "Chờ nhân viên tuân thủ xem xét; không cần gửi lại yêu cầu.",
                "Wait for a compliance officer to look at it; there is no need to ask again.",
            ),
            (_, code) => (code.remedy_vi(), code.remedy_en()),
        }
    }

    /// The ground in words, Vietnamese and English, naming what matched and where.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        let is_bent = self.level > Some(1);
        match (&self.matched, self.field) {
            (Some(matched), Some(field)) if is_bent => (
                format!("{} “{matched}” tại {field} viết gần giống.", self.code.vi()),
                format!(
                    "{} “{matched}” in {field} is written much like it.",
                    self.code.en()
                ),
            ),
            (Some(matched), Some(field)) => (
                format!("{} Khớp “{matched}” tại {field}.", self.code.vi()),
                format!("{} It matches “{matched}” in {field}.", self.code.en()),
            ),
            _ => (self.code.vi().to_owned(), self.code.en().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ground_says_why_and_what_to_do_in_both_languages() {
        for code in GroundCode::EVERY {
            let words = [code.vi(), code.en(), code.remedy_vi(), code.remedy_en()];
            assert!(
                words
                    .iter()
                    .all(|words| words.ends_with('.') && words.len() > 10),
                "{code}"
            );
            assert!(
                code.en().is_ascii() && code.remedy_en().is_ascii(),
                "{code}"
            );
            assert!(
                !code.vi().is_ascii() && !code.remedy_vi().is_ascii(),
                "{code}"
            );
            assert!(!code.duty().is_empty(), "{code}");
        }
    }
}
