//! The grounds on which a request is refused or looked at, the duty each follows from, and its words.

use super::model::{Ground, ListName};

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

impl Ground {
    /// The ground in words, Vietnamese and English, naming what matched and where.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        match (&self.matched, self.field) {
            (Some(matched), Some(field)) => (
                format!("{} Khớp “{matched}” tại {field}.", self.code.vi()),
                format!("{} It matches “{matched}” in {field}.", self.code.en()),
            ),
            _ => (self.code.vi().to_owned(), self.code.en().to_owned()),
        }
    }
}
