//! The words of the slice, as they stand in JSON and in the database.

crate::words! {
    /// What delivers a shop's orders.
    pub enum Platform {
        /// Our own body in Standard Webhooks' envelope, for custom shops and connectors.
        StandardWebhooks = "standard_webhooks",
        /// Shopify.
        Shopify = "shopify",
        /// WooCommerce.
        Woocommerce = "woocommerce",
        /// Haravan.
        Haravan = "haravan",
        /// Sapo.
        Sapo = "sapo",
        /// `KiotViet`.
        Kiotviet = "kiotviet",
        /// Nhanh.vn.
        Nhanh = "nhanh",
        /// `TikTok` Shop.
        TiktokShop = "tiktok_shop",
        /// Shopee.
        Shopee = "shopee",
        /// Lazada.
        Lazada = "lazada",
        /// Stripe.
        Stripe = "stripe",
        /// `BigCommerce`.
        Bigcommerce = "bigcommerce",
    }
}

crate::words! {
    /// Whether a source takes deliveries.
    pub enum SourceStatus {
        /// It does.
        Active = "active",
        /// It answers 410.
        Closed = "closed",
    }
}

crate::words! {
    /// What was done to a source.
    pub enum SourceAct {
        /// Opened.
        Opened = "opened",
        /// Given a new secret, the present one becoming the previous.
        Rotated = "rotated",
        /// Its previous secret dropped.
        PreviousDropped = "previous_dropped",
        /// Closed for good.
        Closed = "closed",
    }
}

crate::words! {
    /// How far a delivery came.
    pub enum DeliveryStatus {
        /// On disk, not yet folded.
        Pending = "pending",
        /// Its facts count in an order.
        Applied = "applied",
        /// Kept with the reason why it counts nowhere yet.
        Parked = "parked",
        /// Rightly signed, and no business of orders.
        Ignored = "ignored",
    }
}

crate::words! {
    /// Why a delivery counts nowhere. Never a value of its body.
    pub enum Reason {
        /// Not the JSON we know, broken UTF-8 included.
        BodyUnreadable = "body-unreadable",
        /// The platform's topic header is missing.
        TopicMissing = "topic-missing",
        /// No topic that we read.
        TopicUnknown = "topic-unknown",
        /// A topic that says nothing of an order.
        TopicNotAnOrder = "topic-not-an-order",
        /// A required field is missing.
        FieldMissing = "field-missing",
        /// An id that is neither short plain text nor a whole number.
        IdUnreadable = "id-unreadable",
        /// A time that does not read.
        TimeUnreadable = "time-unreadable",
        /// Not a currency of ISO 4217.
        CurrencyUnknown = "currency-unknown",
        /// Not decimal text.
        MoneyUnreadable = "money-unreadable",
        /// More decimals than the currency has.
        MoneyTooManyDecimals = "money-too-many-decimals",
        /// Beyond 2^53 - 1 minor units.
        MoneyOutOfRange = "money-out-of-range",
        /// An amount below zero where none may be.
        MoneyNegative = "money-negative",
        /// A quantity that is no whole number from zero up.
        QuantityUnreadable = "quantity-unreadable",
        /// More lines than taken.
        TooManyLines = "too-many-lines",
        /// More refunds than taken.
        TooManyRefunds = "too-many-refunds",
        /// The same line or refund twice.
        IdRepeated = "id-repeated",
        /// No body with lines has come for this order yet.
        OrderNotYetSeen = "order-not-yet-seen",
        /// Another currency than the order began in.
        CurrencyChanged = "currency-changed",
        /// The sealed bytes do not open: a key is missing.
        DoesNotOpen = "does-not-open",
    }
}

crate::words! {
    /// What a body says happened. The order of the words breaks ties between bodies of one time.
    pub enum FactKind {
        /// The order was placed.
        Created = "created",
        /// It was paid.
        Paid = "paid",
        /// Something about it changed.
        Updated = "updated",
        /// Money was returned.
        Refunded = "refunded",
        /// It will not be fulfilled.
        Cancelled = "cancelled",
    }
}

crate::words! {
    /// Where an order stands.
    pub enum OrderStatus {
        /// Placed, not paid.
        Open = "open",
        /// Paid.
        Paid = "paid",
        /// Some money was returned.
        PartiallyRefunded = "partially_refunded",
        /// All money was returned.
        Refunded = "refunded",
        /// Cancelled.
        Cancelled = "cancelled",
    }
}
