use crate::{
    kernel::digest::hex,
    orders::platforms::testing::{at, base64_hmac, config, headers, read},
};

use super::*;

const SECRET: &str = "demo woo secret";
const BODY: &str = r#"{"id":3107,"status":"processing","currency":"VND","total":"550000","meta_data":[{"id":1,"key":"ref_click","value":"ck_7f3a"}]}"#;
const DIGEST: &str = "l9p56K30Kh0Mh2kblNKSfHNv5jXF5Ch9j2jXWPLOJX8=";
const NAME: &str = "X-WC-Webhook-Signature";

fn verify(
    all: &[(&str, &str)],
    raw: &[u8],
    config: &SourceConfig,
) -> Result<Verified, SignatureWrong> {
    Woocommerce.verify(
        &headers(&Woocommerce, all),
        raw,
        config,
        at("2026-08-01T00:00:00Z"),
    )
}

#[test]
fn a_good_signature_is_taken_and_no_other() {
    let raw = BODY.as_bytes();
    assert!(verify(&[(NAME, DIGEST)], raw, &config(SECRET)).is_ok());
    let digest = crate::kernel::digest::hmac_sha256(SECRET.as_bytes(), &[raw]);
    for wrong in [
        String::new(),
        hex(&digest),
        DIGEST[..40].to_owned(),
        format!("{DIGEST}AAAA"),
        DIGEST.replace('l', "m"),
    ] {
        assert!(
            verify(&[(NAME, &wrong)], raw, &config(SECRET)).is_err(),
            "{wrong}"
        );
    }
    assert!(verify(&[(NAME, DIGEST)], &[raw, b"\n"].concat(), &config(SECRET)).is_err());
    assert!(verify(&[(NAME, DIGEST)], raw, &config("other")).is_err());
    assert!(verify(&[(NAME, DIGEST)], raw, &SourceConfig::default()).is_err());
    assert!(verify(&[(NAME, DIGEST), (NAME, DIGEST)], raw, &config(SECRET)).is_err());
    assert!(verify(&[], raw, &config(SECRET)).is_err());
    assert!(verify(&[(NAME, &base64_hmac(SECRET, b""))], b"", &config(SECRET)).is_err());
    assert!(Woocommerce.check(&SourceConfig::default()).is_err());
}

#[test]
fn the_previous_secret_is_still_taken() {
    let mut rotated = config("new");
    rotated.previous_secret = config(SECRET).secret;
    assert!(verify(&[(NAME, DIGEST)], BODY.as_bytes(), &rotated).is_ok());
}

#[test]
fn a_secret_copied_out_of_the_shops_database_is_decoded() {
    let signed = base64_hmac("a&b'<\"c", BODY.as_bytes());
    for stored in [
        "a&b'<\"c",
        "a&amp;b&#039;&lt;&quot;c",
        "a&#038;b&#39;&lt;&#034;c",
    ] {
        assert!(
            verify(&[(NAME, &signed)], BODY.as_bytes(), &config(stored)).is_ok(),
            "{stored}"
        );
    }
    assert_eq!(html_decoded("&amp;lt;&é"), "&lt;&é");
}

#[test]
fn a_ping_is_a_ping_only_in_its_exact_form() {
    assert_eq!(
        verify(&[], b"webhook_id=15", &config(SECRET)),
        Ok(Verified::Ping)
    );
    for other in [
        &b"webhook_id="[..],
        b"webhook_id=15&x=1",
        b"webhook_id=a",
        b" webhook_id=15",
        b"webhook_id=123456789012345678901",
    ] {
        assert!(verify(&[], other, &config(SECRET)).is_err());
    }
    assert!(verify(&[(NAME, DIGEST)], b"webhook_id=15", &config(SECRET)).is_err());
}

#[test]
fn repeats_are_told_by_topic_and_body() {
    let key = |topic, delivery| {
        let all = [
            (NAME, DIGEST),
            ("X-WC-Webhook-Topic", topic),
            ("X-WC-Webhook-Delivery-ID", delivery),
        ];
        verify(&all, BODY.as_bytes(), &config(SECRET)).unwrap()
    };
    assert_eq!(key("order.updated", "1"), key("order.updated", "2"));
    assert_ne!(key("order.updated", "1"), key("order.created", "1"));
}

const ORDER: &str = r#"{"id":3107,"number":"HD-1","status":"processing","currency":"VND","date_created_gmt":"2026-08-01T09:00:00","date_modified_gmt":"2026-08-01T09:05:00","date_paid_gmt":"2026-08-01T09:04:00","discount_total":"50000","shipping_total":"30000","total_tax":"0","total":"580000","customer_id":0,"billing":{"first_name":"An","email":"an@example.com"},
"line_items":[{"id":1,"name":"Túi &ndash; nâu","product_id":7,"variation_id":0,"quantity":2,"subtotal":"550000","total":"500000","sku":"","price":250000.0}],"fee_lines":[{"total":"50000"}],"coupon_lines":[{"code":"an10"}],"refunds":[],
"meta_data":[{"id":1,"key":"_x","value":{"a":[1]}},{"id":2,"key":"tv_click","value":"tok.en"},{"id":3,"key":"_wc_order_attribution_session_entry","value":"https://shop.example/p?tv_click=abc&email=an@example.com"}]}"#;

fn topic(topic: &str) -> [(&str, &str); 1] {
    [("X-WC-Webhook-Topic", topic)]
}

fn one(kind: &str, raw: &str) -> OrderFact {
    let mut facts = read(&Woocommerce, &topic(kind), raw).unwrap();
    assert_eq!(facts.len(), 1);
    facts.remove(0)
}

#[test]
fn every_field_of_the_table_is_read() {
    let fact = one("order.created", ORDER);
    assert_eq!(fact.external_order_id, "3107");
    assert_eq!(fact.version.kind, FactKind::Created);
    assert_eq!(fact.version.updated_at, at("2026-08-01T09:05:00Z"));
    assert_eq!(fact.placed_at, Some(at("2026-08-01T09:00:00Z")));
    assert!(fact.is_paid);
    let body = fact.body.clone().unwrap();
    assert_eq!(
        (
            body.lines[0].goods,
            body.lines[0].discount,
            body.lines[0].unit_price
        ),
        (500_000, 50_000, 275_000)
    );
    assert_eq!(body.lines[0].variant_id, None);
    assert_eq!(
        (body.subtotal, body.shipping, body.total),
        (500_000, 30_000, 580_000)
    );
    assert!(body.reconciles);
    assert_eq!(body.coupon_codes, ["an10"]);
    assert_eq!(body.click_id.as_deref(), Some("tok.en"));
    assert_eq!(body.landing_click.as_deref(), Some("abc"));
    assert_eq!(body.buyer_ref, None);
    assert!(body.guest_ref.is_some());
    assert!(!serde_json::to_string(&fact).unwrap().contains("an@"));
}

#[test]
fn refunds_are_positive_money_and_the_whole_set() {
    let refunded = ORDER.replace(
        "\"refunds\":[]",
        r#""refunds":[{"id":9,"reason":"","total":"-100000"},{"id":10,"total":"-5"}]"#,
    );
    let fact = one("order.updated", &refunded);
    assert_eq!(fact.version.kind, FactKind::Refunded);
    assert_eq!(
        fact.refunds
            .iter()
            .map(|refund| refund.amount)
            .collect::<Vec<_>>(),
        [100_000, 5]
    );
    assert!(fact.body.unwrap().refunds_are_whole);
}

#[test]
fn the_status_says_whether_it_stands() {
    let of = |status: &str| {
        let raw = ORDER
            .replace("\"processing\"", &format!("\"{status}\""))
            .replace("\"2026-08-01T09:04:00\"", "null");
        one("order.updated", &raw)
    };
    for status in ["cancelled", "failed", "trash"] {
        assert_eq!(
            (of(status).is_cancelled, of(status).version.kind),
            (Some(true), FactKind::Cancelled)
        );
    }
    assert!(
        !of("processing").is_paid,
        "cash on delivery is not paid yet"
    );
    assert!(of("completed").is_paid);
    assert!(of("refunded").body.unwrap().is_fully_refunded);
    assert_eq!(of("on-hold").is_cancelled, Some(false));
}

#[test]
fn a_deleted_order_stands_cancelled_by_the_time_of_receipt() {
    let fact = one("order.deleted", r#"{"id":3107}"#);
    assert_eq!((fact.is_cancelled, fact.body.is_none()), (Some(true), true));
    assert_eq!(fact.version.updated_at, at("2026-08-02T00:00:00Z"));
}

#[test]
fn what_cannot_be_read_is_parked_and_what_is_foreign_ignored() {
    let unread = |all: &[(&str, &str)], raw: &str| read(&Woocommerce, all, raw).unwrap_err();
    assert_eq!(
        unread(&topic("order.exploded"), ORDER),
        Unread::Parked(Reason::TopicUnknown)
    );
    assert_eq!(
        unread(&topic("product.updated"), "{}"),
        Unread::Ignored(Reason::TopicNotAnOrder)
    );
    assert_eq!(unread(&[], ORDER), Unread::Parked(Reason::TopicMissing));
    let created = topic("order.created");
    assert_eq!(
        unread(&created, "\u{feff}{}"),
        Unread::Parked(Reason::BodyUnreadable)
    );
    assert_eq!(
        unread(&created, &ORDER.replace("2026-08-01T09:05:00", "soon")),
        Unread::Parked(Reason::TimeUnreadable)
    );
    assert_eq!(
        unread(
            &created,
            &ORDER.replace("\"quantity\":2", "\"quantity\":1.5")
        ),
        Unread::Parked(Reason::QuantityUnreadable)
    );
    assert_eq!(
        unread(
            &created,
            &ORDER.replace("\"total\":\"500000\"", "\"total\":\"-1\"")
        ),
        Unread::Parked(Reason::MoneyNegative)
    );
    assert_eq!(unread(&created, BODY), Unread::Parked(Reason::FieldMissing));
}

#[test]
fn the_switch_of_the_source_marks_tests() {
    let config = SourceConfig {
        test: true,
        ..config(SECRET)
    };
    let key = crate::kernel::secret::Key::new([1; 32]);
    let reading = Reading {
        received_at: at("2026-08-02T00:00:00Z"),
        pseudonym: &key,
        config: &config,
    };
    let facts = Woocommerce.read(
        &headers(&Woocommerce, &topic("order.created")),
        ORDER.as_bytes(),
        reading,
    );
    assert!(facts.unwrap()[0].is_test);
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(raw in "\\PC{0,200}") {
        let _read = read(&Woocommerce, &topic("order.created"), &raw);
    }
}
