use crate::{
    kernel::digest::hex,
    orders::platforms::testing::{at, base64_hmac, config, headers, read},
};

use super::*;

const SECRET: &str = "demo_shopify_client_secret";
const BODY: &str = r##"{"id":900719925474099301,"name":"#2042","currency":"VND","total_price":"550000","note_attributes":[{"name":"ref_click","value":"ck_7f3a"}]}"##;
const DIGEST: &str = "VDSI+J7nm2B7cwM1qEaGyBN/DEcV0SECiKWpxLv3S2g=";

fn verify(
    all: &[(&str, &str)],
    raw: &[u8],
    config: &SourceConfig,
) -> Result<Verified, SignatureWrong> {
    Shopify.verify(
        &headers(&Shopify, all),
        raw,
        config,
        at("2026-08-01T00:00:00Z"),
    )
}

fn is_taken(name: &str, digest: &str) -> bool {
    verify(&[(name, digest)], BODY.as_bytes(), &config(SECRET)).is_ok()
}

#[test]
fn a_good_signature_is_taken_under_either_name() {
    assert!(is_taken("X-Shopify-Hmac-Sha256", DIGEST));
    assert!(is_taken("shopify-hmac-sha256", DIGEST));
}

#[test]
fn a_signature_that_is_not_exactly_right_is_refused() {
    let raw = BODY.as_bytes();
    let digest = crate::kernel::digest::hmac_sha256(SECRET.as_bytes(), &[raw]);
    for wrong in [
        String::new(),
        hex(&digest),
        DIGEST[..40].to_owned(),
        format!("{DIGEST}AAAA"),
        DIGEST.replace('V', "W"),
        "é".to_owned(),
    ] {
        assert!(!is_taken("X-Shopify-Hmac-Sha256", &wrong), "{wrong}");
    }
    let name = "X-Shopify-Hmac-Sha256";
    assert!(verify(&[(name, DIGEST)], &[raw, b"\n"].concat(), &config(SECRET)).is_err());
    assert!(verify(&[(name, DIGEST)], raw, &config("other")).is_err());
    assert!(verify(&[(name, DIGEST)], raw, &SourceConfig::default()).is_err());
    assert!(verify(&[], raw, &config(SECRET)).is_err());
    assert!(verify(&[(name, DIGEST), (name, DIGEST)], raw, &config(SECRET)).is_err());
    assert!(
        verify(
            &[(name, DIGEST), ("shopify-hmac-sha256", DIGEST)],
            raw,
            &config(SECRET)
        )
        .is_err()
    );
    assert!(verify(&[(name, &base64_hmac(SECRET, b""))], b"", &config(SECRET)).is_err());
    assert!(Shopify.check(&SourceConfig::default()).is_err());
}

#[test]
fn the_previous_secret_is_still_taken() {
    let mut rotated = config("new");
    rotated.previous_secret = config(SECRET).secret;
    assert!(
        verify(
            &[("x-shopify-hmac-sha256", DIGEST)],
            BODY.as_bytes(),
            &rotated
        )
        .is_ok()
    );
}

#[test]
fn repeats_are_told_by_delivery_and_by_event() {
    let keys = |topic, delivery, event| {
        let all = [
            ("x-shopify-hmac-sha256", DIGEST),
            ("x-shopify-topic", topic),
            ("x-shopify-webhook-id", delivery),
            ("x-shopify-event-id", event),
        ];
        match verify(&all, BODY.as_bytes(), &config(SECRET)) {
            Ok(Verified::Delivery {
                dedupe_key,
                second_key,
            }) => (dedupe_key, second_key),
            other => panic!("{other:?}"),
        }
    };
    let first = keys("orders/paid", "d1", "e1");
    assert_eq!(keys("orders/paid", "d1", "e1"), first);
    let other_subscription = keys("orders/paid", "d2", "e1");
    assert_ne!(other_subscription.0, first.0);
    assert_eq!(other_subscription.1, first.1);
    assert_ne!(keys("orders/updated", "d3", "e1").1, first.1);
}

const ORDER: &str = r#"{"id":900719925474099301,"currency":"VND","presentment_currency":"USD","financial_status":"paid","created_at":"2026-08-01T16:00:00+07:00","updated_at":"2026-08-01T16:05:00+07:00","cancelled_at":null,"test":false,"taxes_included":false,
"subtotal_price":"500000","total_discounts":"50000","total_tax":"50000","total_price":"580000","total_shipping_price_set":{"shop_money":{"amount":"30000","currency_code":"VND"},"presentment_money":{"amount":"1.20","currency_code":"USD"}},
"line_items":[{"id":11,"product_id":7,"variant_id":8,"sku":"TUI","title":"Túi","quantity":2,"price":"275000","properties":[{"name":"Engraving","value":"An"}],"discount_allocations":[{"amount":"1.99","amount_set":{"shop_money":{"amount":"50000","currency_code":"VND"},"presentment_money":{"amount":"1.99","currency_code":"USD"}}}],"tax_lines":[{"price":"50000"}]}],
"discount_codes":[{"code":"AN10","amount":"50000","type":"fixed_amount"}],"note_attributes":[{"name":"gift","value":true},{"name":"tv_click","value":"tok.en"}],"landing_site":"/p?tv_click=abc&email=an@example.com","referring_site":"https://x.example/?q=an",
"customer":{"id":115310627314723954,"email":"an@example.com"},"email":"an@example.com","refunds":[]}"#;

fn topic(topic: &str) -> [(&str, &str); 1] {
    [("X-Shopify-Topic", topic)]
}

fn one(kind: &str, raw: &str) -> OrderFact {
    let mut facts = read(&Shopify, &topic(kind), raw).unwrap();
    assert_eq!(facts.len(), 1);
    facts.remove(0)
}

#[test]
fn every_field_of_the_table_is_read() {
    let fact = one("orders/updated", ORDER);
    assert_eq!(fact.external_order_id, "900719925474099301");
    assert_eq!(fact.version.kind, FactKind::Updated);
    assert_eq!(fact.version.updated_at, at("2026-08-01T09:05:00Z"));
    assert_eq!(fact.placed_at, Some(at("2026-08-01T09:00:00Z")));
    assert!(fact.is_paid);
    assert_eq!((fact.is_cancelled, fact.is_test), (Some(false), false));
    let body = fact.body.clone().unwrap();
    assert_eq!(
        (body.lines[0].goods, body.lines[0].discount),
        (500_000, 50_000)
    );
    assert_eq!(
        (body.subtotal, body.shipping, body.tax, body.total),
        (500_000, 30_000, 50_000, 580_000)
    );
    assert!(body.reconciles);
    assert_eq!(body.coupon_codes, ["AN10"]);
    assert_eq!(body.click_id.as_deref(), Some("tok.en"));
    assert_eq!(body.landing_click.as_deref(), Some("abc"));
    assert_eq!(body.buyer_ref.as_deref(), Some("115310627314723954"));
    let stored = serde_json::to_string(&fact).unwrap();
    assert!(
        !stored.contains("example.com?")
            && !stored.contains("an@")
            && !stored.contains("Engraving")
    );
}

#[test]
fn payment_is_read_from_the_body_and_not_from_the_topic() {
    let pending = ORDER.replace(
        "\"financial_status\":\"paid\"",
        "\"financial_status\":\"pending\"",
    );
    assert!(!one("orders/paid", &pending).is_paid);
    let refunded = ORDER.replace(
        "\"financial_status\":\"paid\"",
        "\"financial_status\":\"refunded\"",
    );
    assert!(
        one("orders/create", &refunded)
            .body
            .unwrap()
            .is_fully_refunded
    );
}

#[test]
fn tax_inside_the_price_is_no_goods() {
    let inside = ORDER.replace("\"taxes_included\":false", "\"taxes_included\":true");
    let body = one("orders/create", &inside).body.unwrap();
    assert_eq!((body.lines[0].goods, body.lines[0].tax), (450_000, 50_000));
    assert!(body.has_tax_inside);
}

#[test]
fn discounts_without_allocations_are_spread() {
    let start = ORDER.find("\"discount_allocations\"").unwrap();
    let end = ORDER.find("\"tax_lines\"").unwrap();
    let old = format!("{}{}", &ORDER[..start], &ORDER[end..]);
    assert_eq!(
        one("orders/create", &old).body.unwrap().lines[0].goods,
        500_000
    );
}

#[test]
fn a_guest_and_a_test_are_told() {
    let guest = ORDER.replace(
        "\"customer\":{\"id\":115310627314723954,\"email\":\"an@example.com\"}",
        "\"customer\":null",
    );
    let body = one("orders/create", &guest).body.unwrap();
    assert_eq!(body.buyer_ref, None);
    assert!(body.guest_ref.is_some());
    assert!(
        one(
            "orders/create",
            &ORDER.replace("\"test\":false", "\"test\":true")
        )
        .is_test
    );
    let all = [
        ("X-Shopify-Topic", "orders/create"),
        ("X-Shopify-Test", "true"),
    ];
    assert!(read(&Shopify, &all, ORDER).unwrap()[0].is_test);
    let cancelled = ORDER.replace(
        "\"cancelled_at\":null",
        "\"cancelled_at\":\"2026-08-01T09:05:00Z\"",
    );
    assert_eq!(one("orders/create", &cancelled).is_cancelled, Some(true));
}

const REFUND: &str = r#"{"id":501,"order_id":900719925474099301,"created_at":"2026-08-03T09:00:00Z","processed_at":"2026-08-03T09:00:01Z","total_duties_set":{"shop_money":{"amount":"0","currency_code":"VND"}},
"order_adjustments":[{"kind":"shipping_refund","amount":"-30000"}],
"refund_line_items":[{"id":1,"line_item_id":11,"quantity":1,"subtotal":250000,"subtotal_set":{"shop_money":{"amount":"250000","currency_code":"VND"}},"total_tax":25000}],
"transactions":[{"kind":"refund","status":"success","amount":"305000","currency":"VND"},{"kind":"refund","status":"failure","amount":"9","currency":"VND"},{"kind":"capture","status":"success","amount":"9","currency":"VND"}]}"#;

#[test]
fn a_refund_counts_money_returned_and_goods_apart() {
    let fact = one("refunds/create", REFUND);
    assert_eq!(fact.external_order_id, "900719925474099301");
    assert_eq!(
        (fact.version.kind, fact.body.is_none()),
        (FactKind::Refunded, true)
    );
    assert_eq!(fact.version.updated_at, at("2026-08-03T09:00:01Z"));
    let refund = &fact.refunds[0];
    assert_eq!(
        (refund.id.as_str(), refund.amount, refund.goods_amount),
        ("501", 305_000, Some(250_000))
    );
    assert_eq!(
        (refund.lines[0].line_id.as_str(), refund.lines[0].amount),
        ("11", Some(250_000))
    );
}

#[test]
fn money_returned_in_the_buyers_currency_is_never_mixed_in() {
    let foreign = REFUND.replace(
        "\"amount\":\"305000\",\"currency\":\"VND\"",
        "\"amount\":\"12.20\",\"currency\":\"USD\"",
    );
    let fact = one("refunds/create", &foreign);
    assert_eq!(fact.currency, Some(Currency::VND));
    assert_eq!(fact.refunds[0].amount, 280_000);
}

#[test]
fn a_refund_of_money_alone_leaves_its_shipping_out_of_the_goods() {
    let start = REFUND.find("\"refund_line_items\"").unwrap();
    let end = REFUND.find("\"transactions\"").unwrap();
    let alone = format!("{}{}", &REFUND[..start], &REFUND[end..]);
    assert_eq!(
        one("refunds/create", &alone).refunds[0].goods_amount,
        Some(275_000)
    );
    let bare = alone.replace("shipping_refund", "refund_discrepancy");
    assert_eq!(one("refunds/create", &bare).refunds[0].goods_amount, None);
}

#[test]
fn unknown_topics_are_parked_and_foreign_ones_ignored() {
    let unread = |all: &[(&str, &str)], raw| read(&Shopify, all, raw).unwrap_err();
    assert_eq!(
        unread(&topic("orders/exploded"), ORDER),
        Unread::Parked(Reason::TopicUnknown)
    );
    assert_eq!(
        unread(&topic("products/create"), "{}"),
        Unread::Ignored(Reason::TopicNotAnOrder)
    );
    assert_eq!(
        unread(&topic("app/uninstalled"), "{}"),
        Unread::Ignored(Reason::TopicNotAnOrder)
    );
    assert_eq!(unread(&[], ORDER), Unread::Parked(Reason::TopicMissing));
    assert_eq!(
        unread(&topic("orders/create"), "{}"),
        Unread::Parked(Reason::FieldMissing)
    );
    assert_eq!(
        unread(&topic("refunds/create"), "[]"),
        Unread::Parked(Reason::BodyUnreadable)
    );
    assert_eq!(
        unread(
            &topic("orders/create"),
            &ORDER.replace("\"275000\"", "\"0.5\"")
        ),
        Unread::Parked(Reason::MoneyTooManyDecimals)
    );
}

#[test]
fn the_newer_family_of_headers_is_read_alike() {
    let fact = read(&Shopify, &[("shopify-topic", "orders/paid")], ORDER).unwrap();
    assert_eq!(fact[0].version.kind, FactKind::Paid);
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(raw in "\\PC{0,200}", refund in proptest::bool::ANY) {
        let kind = if refund { "refunds/create" } else { "orders/create" };
        let _read = read(&Shopify, &topic(kind), &raw);
    }
}
