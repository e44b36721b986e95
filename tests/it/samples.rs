//! Samples published by the platforms themselves, read from `TINVIA_SAMPLES` when it is set.
//!
//! They are not in the repository. Every file of the folder must be accounted for: verified as its case says, and
//! mapped as its case says.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::Value;
use tinvia::{
    kernel::{
        money::{Currency, minor_from_major},
        secret::Key,
    },
    orders::{Headers, OrderBody, OrderFact, Platform, Reading, Secret, SourceConfig, adaptor},
};

#[expect(
    clippy::disallowed_methods,
    reason = "the test run names the folder in the environment"
)]
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("TINVIA_SAMPLES").map(|folder| PathBuf::from(folder).join("webhooks"))
}

fn cases() -> Option<(PathBuf, Value)> {
    let folder = folder()?;
    let text = std::fs::read(folder.join("cases.json")).unwrap();
    Some((folder, serde_json::from_slice(&text).unwrap()))
}

fn headers(platform: Platform, case: &Value) -> Headers {
    let all = case["headers"].as_object().unwrap();
    let all = all
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap().as_bytes()));
    Headers::pick(adaptor(platform).unwrap().headers(), all)
}

#[test]
fn every_published_signature_is_judged_as_published() {
    let Some((folder, cases)) = cases() else {
        return;
    };
    for case in cases["signatures"].as_array().unwrap() {
        let platform: Platform = case["platform"].as_str().unwrap().parse().unwrap();
        let raw = std::fs::read(folder.join(case["body_file"].as_str().unwrap())).unwrap();
        let config = SourceConfig {
            secret: case["secret"]
                .as_str()
                .and_then(|secret| Secret::new(secret.to_owned())),
            public_key: case["public_key"].as_str().map(str::to_owned),
            ..SourceConfig::default()
        };
        let now =
            chrono::DateTime::from_timestamp(case["now"].as_i64().unwrap_or(1_800_000_000), 0)
                .unwrap();
        let adaptor = adaptor(platform).unwrap();
        assert_eq!(adaptor.check(&config), Ok(()), "{}", case["id"]);
        let verified = adaptor.verify(&headers(platform, case), &raw, &config, now);
        assert_eq!(
            verified.is_ok(),
            case["expected_valid"] == true,
            "{} ({})",
            case["id"],
            case["why"]
        );
    }
}

#[test]
fn every_published_order_is_mapped_as_published() {
    let Some((folder, cases)) = cases() else {
        return;
    };
    for case in cases["mappings"].as_array().unwrap() {
        let expect = &case["expect"];
        let platform: Platform = expect["source"].as_str().unwrap().parse().unwrap();
        let raw = std::fs::read(folder.join(case["body_file"].as_str().unwrap())).unwrap();
        let config = SourceConfig::default();
        let key = Key::new([1; 32]);
        let received_at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let reading = Reading {
            received_at,
            pseudonym: &key,
            config: &config,
        };
        let facts = adaptor(platform)
            .unwrap()
            .read(&headers(platform, case), &raw, reading)
            .unwrap();
        assert_eq!(facts.len(), 1);
        is_as_expected(&facts[0], expect);
    }
}

fn is_as_expected(fact: &OrderFact, expect: &Value) {
    assert_eq!(fact.external_order_id, expect["external_order_id"]);
    assert_eq!(fact.version.kind.word(), expect["event_kind"]);
    let currency = fact.currency.unwrap();
    if let Some(code) = expect["currency"].as_str() {
        assert_eq!(currency.code(), code);
    }
    let minor = |value: &Value| {
        value
            .as_str()
            .map(|text| minor_from_major(text, currency).unwrap())
    };
    for (refund, expected) in fact
        .refunds
        .iter()
        .zip(expect["refunds"].as_array().unwrap())
    {
        assert_eq!(refund.id, expected["id"]);
        assert_eq!(Some(refund.amount), minor(&expected["amount"]));
        assert!(expected["goods"].is_null() || refund.goods_amount == minor(&expected["goods"]));
    }
    assert_eq!(
        fact.refunds.len(),
        expect["refunds"].as_array().unwrap().len()
    );
    assert!(expect["paid"].is_null() || fact.is_paid == (expect["paid"] == true));
    assert!(expect["test"].is_null() || fact.is_test == (expect["test"] == true));
    match &fact.body {
        Some(body) => the_body_is_as_expected(body, currency, expect),
        None => assert!(expect["total"].is_null(), "a body was expected"),
    }
}

fn the_body_is_as_expected(body: &OrderBody, currency: Currency, expect: &Value) {
    let minor = |value: &Value| {
        value
            .as_str()
            .map(|text| minor_from_major(text, currency).unwrap())
    };
    let goods: i64 = body.lines.iter().map(|line| line.goods).sum();
    assert!(
        goods <= body.total,
        "commission would be counted on more than was sold"
    );
    assert!(goods <= body.subtotal);
    for (member, read) in [
        ("total", body.total),
        ("subtotal", body.subtotal),
        ("discount", body.discount),
        ("shipping", body.shipping),
        ("tax", body.tax),
    ] {
        assert!(
            expect[member].is_null() || Some(read) == minor(&expect[member]),
            "{member}: {read}"
        );
    }
    if expect["note"]
        .as_str()
        .is_some_and(|note| note.contains("must not exceed 587.00"))
    {
        assert!(goods <= 58_700);
        assert!(!body.reconciles);
    }
    let texts = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(body.coupon_codes, texts(&expect["coupon_codes"]));
    if expect["line_skus"].is_array() {
        let read: Vec<String> = body
            .lines
            .iter()
            .map(|line| line.sku.clone().unwrap_or_default())
            .collect();
        assert_eq!(read, texts(&expect["line_skus"]));
    }
    let quantities: Vec<String> = body
        .lines
        .iter()
        .map(|line| line.quantity.to_string())
        .collect();
    assert_eq!(quantities, texts(&expect["line_quantities"]));
    assert_eq!(body.buyer_ref.as_deref(), expect["buyer_ref"].as_str());
    for (member, read) in [
        ("click_id", &body.click_id),
        ("landing_url", &body.landing_url),
        ("referrer", &body.referrer),
    ] {
        assert!(
            expect.get(member).is_none() || read.as_deref() == expect[member].as_str(),
            "{member}: {read:?}"
        );
    }
}

#[test]
fn every_file_of_the_samples_is_used() {
    let Some((folder, cases)) = cases() else {
        return;
    };
    let all = ["signatures", "mappings"]
        .into_iter()
        .flat_map(|kind| cases[kind].as_array().unwrap());
    let used: BTreeSet<String> = all
        .map(|case| case["body_file"].as_str().unwrap().to_owned())
        .collect();
    let there: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "cases.json")
        .collect();
    assert_eq!(used, there);
}
