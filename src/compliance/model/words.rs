//! The words of lists, requests and decisions.

crate::words! {
    /// A list that requests for links are screened against.
    pub enum ListName {
        /// Banned business lines (Law 143/2025 art 6; AP-03).
        BannedLines = "banned-lines",
        /// Goods published as violating on the ministry's system (AP-04).
        ViolatingGoods = "violating-goods",
        /// Goods temporarily suspended from circulation (PL-10).
        SuspendedGoods = "suspended-goods",
        /// Goods that may not be advertised (Advertising Law art 7).
        AdProhibitedGoods = "ad-prohibited-goods",
        /// E-commerce platforms publicly flagged (Law 122 art 25; AP-07).
        FlaggedCommercePlatforms = "flagged-commerce-platforms",
        /// Digital platforms publicly flagged (Law 122 art 26; AF-02).
        FlaggedDigitalPlatforms = "flagged-digital-platforms",
        /// Shops with a live multi-level marketing certificate, by tax code: the one list that allows (AP-05).
        MlmCertificates = "mlm-certificates",
    }
}

crate::words! {
    /// What of a request an entry is compared with.
    pub enum MatchKind {
        /// Words in the title, the description or the brand, whole words only.
        Term = "term",
        /// The product's category, the whole of it.
        Category = "category",
        /// The product's brand, the whole of it.
        Brand = "brand",
        /// A trade item number of 8, 12, 13 or 14 digits.
        Gtin = "gtin",
        /// The product's registration or circulation number.
        RegistrationNumber = "registration_number",
        /// The shop's tax code.
        TaxCode = "tax_code",
        /// A host and everything below it.
        Domain = "domain",
        /// One address. Scheme and fragment do not count; without a query it stands for every query.
        Url = "url",
    }
}

crate::words! {
    /// What a match does.
    pub enum Effect {
        /// The request is refused.
        Refuse = "refuse",
        /// An officer looks first.
        Review = "review",
    }
}

crate::words! {
    /// What became of a request for a link.
    pub enum Outcome {
        /// No ground stands against it.
        Issued = "issued",
        /// At least one ground forbids it.
        Refused = "refused",
        /// A ground wants a person to look.
        InReview = "in_review",
    }
}

crate::words! {
    /// Where an affiliate promotes.
    pub enum ChannelKind {
        /// `TikTok`.
        TikTok = "tiktok",
        /// Facebook.
        Facebook = "facebook",
        /// Instagram.
        Instagram = "instagram",
        /// `YouTube`.
        YouTube = "youtube",
        /// Zalo.
        Zalo = "zalo",
        /// Shopee.
        Shopee = "shopee",
        /// Lazada.
        Lazada = "lazada",
        /// A site of the affiliate's own.
        Website = "website",
        /// E-mail.
        Email = "email",
        /// Anything else.
        Other = "other",
    }
}

crate::words! {
    /// Whether a person counts as verified, as the decision saw it.
    pub enum SnapshotStatus {
        /// Never verified.
        Unverified = "unverified",
        /// Verified.
        Verified = "verified",
        /// The verification has run out.
        Expired = "expired",
        /// Under suspicion.
        Suspended = "suspended",
        /// Taken back.
        Revoked = "revoked",
    }
}

crate::words! {
    /// Whether a shop may sell through us. A state we do not know counts as suspended.
    pub enum ShopStanding {
        /// It may.
        Active = "active",
        /// It may not.
        Suspended = "suspended",
    }
}

crate::words! {
    /// The part of a request in which a ground was found.
    pub enum Field {
        /// The product's title.
        Title = "product.title",
        /// The product's description.
        Description = "product.description",
        /// The product's brand.
        Brand = "product.brand",
        /// The product's category.
        Category = "product.category",
        /// The product's trade item number.
        Gtin = "product.gtin",
        /// The product's registration number.
        RegistrationNumber = "product.registration_number",
        /// Where the product is sold.
        ProductUrl = "product.url",
        /// Where the link leads.
        LinkUrl = "url",
        /// The shop's own site.
        ShopWebsite = "shop.website",
        /// The shop's tax code.
        ShopTaxCode = "shop.tax_code",
        /// Where the link is promoted.
        ChannelUrl = "channel.url",
    }
}

crate::words! {
    /// Whether the lists could be read when a decision was due.
    pub enum Screening {
        /// They could.
        Available = "available",
        /// They could not, so the request was refused.
        Unavailable = "unavailable",
    }
}

crate::words! {
    /// What a dry run found.
    pub enum ScreeningOutcome {
        /// Nothing stands against it.
        Allowed = "allowed",
        /// A request would be refused.
        Refused = "refused",
        /// An officer would look first.
        InReview = "in_review",
    }
}

impl ListName {
    /// The kinds of match that make sense on this list.
    #[must_use]
    pub const fn kinds(self) -> &'static [MatchKind] {
        match self {
            Self::BannedLines
            | Self::ViolatingGoods
            | Self::SuspendedGoods
            | Self::AdProhibitedGoods => MatchKind::EVERY,
            Self::FlaggedCommercePlatforms | Self::FlaggedDigitalPlatforms => {
                &[MatchKind::Domain, MatchKind::Url]
            }
            Self::MlmCertificates => &[MatchKind::TaxCode],
        }
    }

    /// Whether standing on this list is what allows.
    #[must_use]
    pub const fn allows(self) -> bool {
        matches!(self, Self::MlmCertificates)
    }

    /// The reason code of takedowns that a change of this list causes.
    #[must_use]
    pub const fn takedown_reason(self) -> &'static str {
        match self {
            Self::BannedLines
            | Self::ViolatingGoods
            | Self::SuspendedGoods
            | Self::AdProhibitedGoods => "violating_goods",
            Self::FlaggedCommercePlatforms
            | Self::FlaggedDigitalPlatforms
            | Self::MlmCertificates => "other",
        }
    }
}
