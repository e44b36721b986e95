use crate::orders::platforms::testing::{at, config, headers, read};

use super::*;

const SECRET: &str = "whsec_bGluay1zZXJ2aWNlLWRlbW8ta2V5LTMyLWJ5dGVzISE=";
const PUBLIC: &str = "whpk_9LRt6nv42X9OqzUDRZ3bwfVxXK3kliEvMbLyVi4j2X4=";
const BODY: &str = r#"{"type":"order.paid","timestamp":"2026-08-01T09:00:00Z","data":{"order_id":"A-1001","total":"250000","currency":"VND"}}"#;
const V1: &str = "v1,YNeeUh1bq6BsHRnr8NH4K1vuQ1dU/1gpQg6thSMT4Ms=";
const V1A: &str =
    "v1a,7ypG9agQUTSBVvg2B3fsotL7gn37+fRyVMFcIFbIVVmjxgX6B57MUob3EjojbMq7IPiYkODn/KDp9U08am9BAQ==";

fn now() -> Instant {
    chrono::DateTime::from_timestamp(1_785_574_800, 0).unwrap()
}

fn verify(
    all: &[(&str, &str)],
    raw: &[u8],
    config: &SourceConfig,
    now: Instant,
) -> Result<Verified, SignatureWrong> {
    StandardWebhooks.verify(&headers(&StandardWebhooks, all), raw, config, now)
}

fn signed<'a>(signature: &'a str) -> [(&'a str, &'a str); 3] {
fn signed(signature: &str) -> [(&str, &str); 3] {
    [
        ("Webhook-Id", "msg_demo_0001"),
        ("Webhook-Timestamp", "1785574800"),
        ("Webhook-Signature", signature),
    ]
}

fn is_taken(signature: &str) -> bool {
    verify(&signed(signature), BODY.as_bytes(), &config(SECRET), now()).is_ok()
}

fn by_public_key() -> SourceConfig {
    SourceConfig {
        public_key: Some(PUBLIC.to_owned()),
        ..SourceConfig::default()
    }
}

#[test]
fn a_good_signature_of_either_version_is_taken() {
    assert!(is_taken(V1));
    assert!(verify(&signed(V1A), BODY.as_bytes(), &by_public_key(), now()).is_ok());
    let bare = SECRET.trim_start_matches("whsec_");
    assert!(verify(&signed(V1), BODY.as_bytes(), &config(bare), now()).is_ok());
}

#[test]
fn one_good_entry_among_several_is_enough() {
    let wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert!(is_taken(&format!("{wrong} v9,abc {V1} junk")));
    assert!(!is_taken(&format!(
        "{wrong} v2{}",
        V1.trim_start_matches("v1")
    )));
}

#[test]
fn a_signature_that_is_not_exactly_right_is_refused() {
    let digest = V1.trim_start_matches("v1,");
    let hexadecimal = crate::kernel::digest::hex(&STANDARD.decode(digest).unwrap());
    for wrong in [
        String::new(),
        "v1,".to_owned(),
        format!("v1,{hexadecimal}"),
        format!("v1,{}", &digest[..40]),
        format!("v1,{digest}AAAA"),
        format!("v1,{}", digest.replace('Y', "Z")),
        digest.to_owned(),
        V1A.replace("v1a", "v1"),
    ] {
        assert!(!is_taken(&wrong), "{wrong}");
    }
    let altered = BODY.replace("250000", "250001");
    assert!(verify(&signed(V1), altered.as_bytes(), &config(SECRET), now()).is_err());
    assert!(verify(&signed(V1A), altered.as_bytes(), &by_public_key(), now()).is_err());
    assert!(verify(&signed(V1), b"", &config(SECRET), now()).is_err());
    assert!(verify(&signed(V1), BODY.as_bytes(), &config("whsec_AAAA"), now()).is_err());
    assert!(
        verify(
            &signed(V1),
            BODY.as_bytes(),
            &SourceConfig::default(),
            now()
        )
        .is_err()
    );
    assert!(verify(&signed(V1A), BODY.as_bytes(), &config(SECRET), now()).is_err());
}

#[test]
fn a_missing_or_doubled_header_is_refused() {
    let all = signed(V1);
    for without in 0..3 {
        let mut some = all.to_vec();
        some.remove(without);
        assert!(verify(&some, BODY.as_bytes(), &config(SECRET), now()).is_err());
        let mut twice = all.to_vec();
        twice.push(all[without]);
        assert!(verify(&twice, BODY.as_bytes(), &config(SECRET), now()).is_err());
    }
}

#[test]
fn the_clock_may_be_off_by_300_seconds_and_no_more() {
    let off = |seconds| {
        let then = now() + chrono::TimeDelta::seconds(seconds);
        verify(&signed(V1), BODY.as_bytes(), &config(SECRET), then).is_ok()
    };
    assert!(off(300) && off(-300));
    assert!(!off(301) && !off(-301));
    for odd in [
        "+1785574800",
        "1785574800.0",
        " ",
        "99999999999999999999",
        "-1",
    ] {
        let all = [
            ("webhook-id", "msg_demo_0001"),
            ("webhook-timestamp", odd),
            ("webhook-signature", V1),
        ];
        assert!(
            verify(&all, BODY.as_bytes(), &config(SECRET), now()).is_err(),
            "{odd}"
        );
    }
}

#[test]
fn an_id_with_a_dot_is_refused_even_when_rightly_signed() {
    let signer = standardwebhooks::Webhook::new(SECRET).unwrap();
    for (id, taken) in [("msg_1", true), ("msg.1", false), ("", false)] {
        let signature = signer.sign(id, 1_785_574_800, BODY.as_bytes()).unwrap();
        let all = [
            ("webhook-id", id),
            ("webhook-timestamp", "1785574800"),
            ("webhook-signature", &signature),
        ];
        assert_eq!(
            verify(&all, BODY.as_bytes(), &config(SECRET), now()).is_ok(),
            taken,
            "{id}"
        );
    }
}

#[test]
fn the_previous_secret_and_key_are_still_taken() {
    let mut rotated = config("whsec_AAAA");
    rotated.previous_secret = config(SECRET).secret;
    assert!(verify(&signed(V1), BODY.as_bytes(), &rotated, now()).is_ok());
    let mut rotated = by_public_key();
    rotated.previous_public_key = rotated
        .public_key
        .replace(format!("whpk_{}", STANDARD.encode([7; 32])));
    assert!(verify(&signed(V1A), BODY.as_bytes(), &rotated, now()).is_ok());
}

#[test]
fn repeats_are_told_by_the_id() {
    let signer = standardwebhooks::Webhook::new(SECRET).unwrap();
    let key = |id: &str, body: &str| {
        let signature = signer.sign(id, 1_785_574_800, body.as_bytes()).unwrap();
        let all = [
            ("webhook-id", id),
            ("webhook-timestamp", "1785574800"),
            ("webhook-signature", &signature),
        ];
        verify(&all, body.as_bytes(), &config(SECRET), now()).unwrap()
    };
    assert_eq!(key("a", BODY), key("a", "{}"));
    assert_ne!(key("a", BODY), key("b", BODY));
}

#[test]
fn a_config_that_can_verify_nothing_is_named() {
    let fault = |config: &SourceConfig| StandardWebhooks.check(config).unwrap_err().field;
    assert_eq!(fault(&SourceConfig::default()), "/secret");
    assert_eq!(fault(&config("whsec_not base64")), "/secret");
    let short = SourceConfig {
        public_key: Some("whpk_AAAA".to_owned()),
        ..SourceConfig::default()
    };
    assert_eq!(fault(&short), "/settings/public_key");
    assert!(StandardWebhooks.check(&by_public_key()).is_ok());
}

fn event(kind: &str, data: &str) -> String {
    format!(
        r#"{{"type":"{kind}","timestamp":"2026-08-01T09:00:00Z","data":{{"order_id":"A-1","currency":"VND"{data}}}}}"#
    )
}

fn one(raw: &str) -> OrderFact {
    let mut facts = read(&StandardWebhooks, &[], raw).unwrap();
    assert_eq!(facts.len(), 1);
    facts.remove(0)
}

fn parked(raw: &str) -> Reason {
    match read(&StandardWebhooks, &[], raw) {
        Err(Unread::Parked(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

const LINES: &str = r#","lines":[{"line_id":1,"product_id":900719925474099301,"sku":"TUI","title":"Túi","quantity":2,"unit_price":"275000","discount":"50000"},{"line_id":"2","quantity":1,"unit_price":100000}]"#;

#[test]
fn every_field_of_the_table_is_read() {
    let data = format!(
        r#"{LINES},"subtotal":"600000","discount":"50000","shipping":"30000","tax":"0","total":"630000","coupon_codes":["abc","ABC"],"click_id":"tok.en","landing_url":"https://shop.example/?tv_click=x&email=an%40example.com","buyer_ref":42,"updated_at":"2026-08-01T09:30:00+00:00","test":true"#
    );
    let fact = one(&event("order.paid", &data));
    assert_eq!(fact.external_order_id, "A-1");
    assert_eq!(fact.version.kind, FactKind::Paid);
    assert_eq!(fact.version.updated_at, at("2026-08-01T09:30:00Z"));
    assert_eq!(fact.placed_at, Some(at("2026-08-01T09:00:00Z")));
    assert!(fact.is_paid && fact.is_test);
    let body = fact.body.unwrap();
    assert_eq!(
        body.lines[0].product_id.as_deref(),
        Some("900719925474099301")
    );
    assert_eq!(body.lines[0].goods, 500_000);
    assert_eq!(body.lines[1].goods, 100_000);
    assert_eq!(
        (body.subtotal, body.discount, body.shipping, body.total),
        (600_000, 50_000, 30_000, 630_000)
    );
    assert_eq!(body.coupon_codes, ["abc", "ABC"]);
    assert_eq!(body.click_id.as_deref(), Some("tok.en"));
    assert_eq!(body.landing_click.as_deref(), Some("x"));
    assert_eq!(
        body.landing_url.as_deref(),
        Some("https://shop.example/?tv_click=x")
    );
    assert_eq!(body.buyer_ref.as_deref(), Some("42"));
    assert!(body.reconciles);
}

#[test]
fn a_discount_on_the_whole_order_is_taken_off_its_lines() {
    let body = one(&event(
        "order.created",
        &format!(r#"{LINES},"subtotal":"540000","total":"540000""#),
    ))
    .body
    .unwrap();
    assert_eq!(
        body.lines.iter().map(|line| line.goods).collect::<Vec<_>>(),
        [450_000, 90_000]
    );
    assert!(!body.reconciles);
}

#[test]
fn a_body_may_be_thin_where_it_only_says_what_happened() {
    let refund = one(&event(
        "order.refunded",
        r#","refunds":[{"id":"r","amount":"10"}]"#,
    ));
    assert_eq!(refund.body, None);
    assert_eq!(refund.is_cancelled, None);
    assert_eq!(refund.refunds[0].amount, 10);
    assert_eq!(one(BODY).body, None);
    assert!(one(BODY).is_paid);
    assert_eq!(
        one(&event("order.cancelled", r#","lines":[]"#)).is_cancelled,
        Some(true)
    );
    assert_eq!(parked(&event("order.created", "")), Reason::FieldMissing);
    assert_eq!(parked(&event("order.updated", "")), Reason::FieldMissing);
}

#[test]
fn an_address_as_buyer_becomes_a_pseudonym() {
    let body = one(&event(
        "order.created",
        &format!(r#"{LINES},"buyer_ref":"an@example.com""#),
    ))
    .body
    .unwrap();
    assert_eq!(body.buyer_ref, None);
    assert!(!body.guest_ref.unwrap().contains('@'));
}

#[test]
fn yen_and_dollars_have_their_own_decimals() {
    let of = |currency: &str, price: &str| {
        event(
            "order.created",
            &format!(r#","lines":[{{"line_id":"1","quantity":1,"unit_price":{price}}}]"#),
        )
        .replace("VND", currency)
    };
    assert_eq!(one(&of("JPY", "1200")).body.unwrap().lines[0].goods, 1200);
    assert_eq!(one(&of("usd", "12.5")).body.unwrap().lines[0].goods, 1250);
    assert_eq!(parked(&of("JPY", "12.5")), Reason::MoneyTooManyDecimals);
    assert_eq!(parked(&of("XXQ", "12.5")), Reason::CurrencyUnknown);
}

#[test]
fn what_cannot_be_read_is_parked_with_its_reason() {
    let line = |text: &str| event("order.created", &format!(r#","lines":[{text}]"#));
    let deep = format!(r#"{{"type":"order.paid","x":{}"#, "[".repeat(200_000));
    let many = (0..501)
        .map(|n| format!(r#"{{"line_id":{n},"quantity":1,"unit_price":1}}"#))
        .collect::<Vec<_>>()
        .join(",");
    for (raw, reason) in [
        ("[1".to_owned(), Reason::BodyUnreadable),
        (deep, Reason::BodyUnreadable),
        ("null".to_owned(), Reason::BodyUnreadable),
        (r#"{"test":2432232314}"#.to_owned(), Reason::TopicMissing),
        (event("order.exploded", ""), Reason::TopicUnknown),
        (
            r#"{"type":"order.paid","timestamp":"2026-08-01T09:00:00Z"}"#.to_owned(),
            Reason::FieldMissing,
        ),
        (
            event("order.paid", r#","updated_at":"yesterday""#),
            Reason::TimeUnreadable,
        ),
        (
            event("order.paid", r#","order_id":"B""#),
            Reason::BodyUnreadable,
        ),
        (
            event("order.paid", "").replace("\"A-1\"", "\"A\\u0000\""),
            Reason::IdUnreadable,
        ),
        (
            event("order.paid", "").replace("\"A-1\"", "\"\\ud800\""),
            Reason::BodyUnreadable,
        ),
        (
            line(r#"{"line_id":"1","quantity":-1,"unit_price":"1"}"#),
            Reason::QuantityUnreadable,
        ),
        (
            line(r#"{"line_id":"1","quantity":1,"unit_price":"-1"}"#),
            Reason::MoneyNegative,
        ),
        (
            line(r#"{"line_id":"1","quantity":1,"unit_price":"9223372036854775808"}"#),
            Reason::MoneyOutOfRange,
        ),
        (
            line(r#"{"line_id":"1","quantity":9000000000,"unit_price":"9000000000"}"#),
            Reason::MoneyOutOfRange,
        ),
        (
            line(r#"{"line_id":"1","quantity":1,"unit_price":"1e"}"#),
            Reason::MoneyUnreadable,
        ),
        (
            line(
                r#"{"line_id":"1","quantity":1,"unit_price":1},{"line_id":1,"quantity":1,"unit_price":1}"#,
            ),
            Reason::IdRepeated,
        ),
        (line(&many), Reason::TooManyLines),
        (
            event("order.refunded", r#","refunds":[{"id":"r","amount":"-5"}]"#),
            Reason::MoneyNegative,
        ),
        (
            event("order.refunded", r#","refunds":[{"id":"r"}]"#),
            Reason::FieldMissing,
        ),
    ] {
        assert_eq!(parked(&raw), reason, "{}", &raw[..raw.len().min(300)]);
    }
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(raw in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let config = config(SECRET);
        let key = crate::kernel::secret::Key::new([1; 32]);
        let reading = Reading { received_at: now(), pseudonym: &key, config: &config };
        let _read = StandardWebhooks.read(&Headers::default(), &raw, reading);
    }
}
