//! The dry run: what matches, where, and what only looks as if it did.

use serde_json::{Value, json};

use super::compliance_lists::entry;
use crate::support::{Actor, TestApp};

async fn list(officer: &Actor, list: &str, entry: Value) -> String {
    let path = format!("/v1/lists/{list}/entries");
    let made = officer.post(&path, entry).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn screen(actor: &Actor, product: Value) -> Value {
    actor
        .post("/v1/screenings", json!({ "product": product }))
        .await
        .expect(200)
}

async fn codes(actor: &Actor, product: Value) -> Vec<String> {
    let screened = screen(actor, product).await;
    let grounds = screened["grounds"].as_array().unwrap();
    grounds
        .iter()
        .map(|ground| ground["code"].as_str().unwrap().to_owned())
        .collect()
}

both_engines! {
    async fn a_ground_says_everything_about_itself(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let id = list(&officer, "violating-goods", entry("term", "Thúy Kiều", "refuse")).await;
        let title = "Sỉ tinh dầu \u{1f469}\u{200d}\u{1f52c} THU\u{301}Y  kiều!";
        let screened = screen(&an, json!({ "title": title })).await;
        assert_eq!(screened["outcome"], "refused");
        assert_eq!(screened["list_versions"]["violating-goods"], 1);
        assert_eq!(screened["list_versions"]["banned-lines"], 1);
        let ground = &screened["grounds"][0];
        let (from, to) = (ground["span"][0].as_u64().unwrap(), ground["span"][1].as_u64().unwrap());
        let matched: String = title.chars().skip(usize::try_from(from).unwrap()).take(usize::try_from(to - from).unwrap()).collect();
        assert_eq!(matched, "THU\u{301}Y  kiều");
        assert_eq!(
            *ground,
            json!({
                "code": "violating-goods", "duty": "AP-04", "effect": "refuse", "list": "violating-goods",
                "list_version": 1, "entry_id": id, "level": 1, "field": "product.title",
                "matched": matched, "span": [from, to],
                "text": format!("The goods have been published as violating the law. It matches “{matched}” in product.title."),
                "remedy": "Choose other goods. If the publication is about others, appeal with the registration number or bar code.",
            })
        );
    }

    async fn spelling_does_not_matter_and_diacritics_do(app: TestApp) {
        let an = app.affiliate("an").await;
        for title in [
            "Thuốc lá điện tử giá rẻ",
            "THUỐC LÁ ĐIỆN TỬ",
            "thuo\u{302}\u{301}c la\u{301} đie\u{323}\u{302}n tu\u{31b}\u{309}",
            "th\u{200b}uốc lá điện\u{a0}tử",
            "xả kho (thuốc lá điện tử)",
            "bán ma tuý", "bán ma túy",
        ] {
            let screened = screen(&an, json!({ "title": title })).await;
            assert_eq!(screened["outcome"], "refused", "{title}");
            assert_eq!(screened["grounds"][0]["code"], "banned-line");
            assert_eq!(screened["grounds"][0]["duty"], "AP-03");
        }
        for title in [
            "Áo phao cứu hộ", "Bản đậm đà", "Máy vaporizer tinh dầu", "Mạ tụy", "Sữa rửa mặt", "Tỉ giá",
            "Phao bơi trẻ em", "Canasta", "Túi xách da thật",
        ] {
            assert_eq!(screen(&an, json!({ "title": title })).await["outcome"], "allowed", "{title}");
        }
        for title in ["Pháo hoa ngày Tết", "Tài mà loại một", "Pod mới"] {
            assert_eq!(screen(&an, json!({ "title": title })).await["outcome"], "in_review", "{title}");
        }
        for title in ["Kẹo dừa Bến Tre", "Cáp mạng cat6", "Giày đá bóng", "Khay đá silicon"] {
            assert_eq!(screen(&an, json!({ "title": title })).await["outcome"], "allowed", "{title}");
        }
    }

    async fn an_exception_clears_its_phrase_alone(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let mut pháo = entry("term", "pháo", "refuse");
        pháo["exceptions"] = json!(["pháo bơi", "khẩu pháo đồ chơi"]);
        list(&officer, "violating-goods", pháo).await;
        let outcome = |title: &'static str| {
            let an = an.clone();
            async move { screen(&an, json!({ "title": title })).await["outcome"].clone() }
        };
        assert_eq!(outcome("Pháo bơi trẻ em").await, "allowed");
        assert_eq!(outcome("khẩu pháo đồ chơi gỗ").await, "allowed");
        assert_eq!(outcome("pháo bơilặn").await, "refused");
        assert_eq!(outcome("Pháo bơi và pháo to").await, "refused");
    }

    async fn exact_kinds_match_whole_values_in_any_spelling(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        for (kind, value) in [
            ("gtin", "4006381333931"), ("brand", "Hòa Phát X"), ("category", "Vũ khí thô sơ"),
            ("registration_number", "VD-12345-26"), ("url", "https://bad.example.com/a?x=1"),
            ("url", "https://bad.example.com/whole/"),
        ] {
            list(&officer, "suspended-goods", entry(kind, value, "refuse")).await;
        }
        let with = |member: &str, value: &str| {
            let mut product = json!({ "title": "Hàng" });
            product[member] = json!(value);
            product
        };
        for (member, value) in [
            ("gtin", "04006381333931"), ("gtin", "4006 3813 33931"), ("brand", "HOÀ PHÁT X"),
            ("category", "vũ khí  thô sơ"), ("registration_number", "vd 12345/26"),
            ("url", "http://BAD.example.com:80/a?x=1#frag"), ("url", "https://bad.example.com/whole?utm=1"),
            ("url", "https://bad.example.com/%77hole"),
        ] {
            let screened = screen(&an, with(member, value)).await;
            assert_eq!(screened["grounds"][0]["code"], "suspended-goods", "{value}");
            assert_eq!(screened["grounds"][0]["duty"], "PL-10");
            assert_eq!(screened["grounds"][0]["matched"], value);
            assert_eq!(screened["grounds"][0]["span"], json!([0, value.chars().count()]));
            assert_eq!(screened["grounds"][0]["level"], Value::Null);
        }
        for (member, value) in [
            ("brand", "Hòa Phát"), ("category", "vũ khí"), ("registration_number", "VD-12345-2"),
            ("url", "https://bad.example.com/a?x=2"), ("url", "https://bad.example.com/a"),
            ("url", "https://bad.example.com/whole/below"), ("gtin", "96385074"),
        ] {
            assert_eq!(codes(&an, with(member, value)).await, [""; 0], "{value}");
        }
    }

    async fn a_flagged_platform_is_met_under_every_spelling_of_its_name(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let flagged = "flagged-commerce-platforms";
        list(&officer, flagged, entry("domain", "sàn-lậu.vn", "refuse")).await;
        list(&officer, flagged, entry("domain", "Bad.Example.com.vn", "refuse")).await;
        let of = |url: &str| json!({ "title": "Hàng", "url": url });
        let punycode = url::Url::parse("https://sàn-lậu.vn").unwrap();
        let punycode = format!("https://m.{}:443/", punycode.host_str().unwrap());
        assert!(punycode.contains("xn--"), "{punycode}");
        for url in [
            "https://sàn-lậu.vn/p/1", "http://SÀN-LẬU.VN", &punycode, "https://a.b.sàn-lậu.vn./",
            "https://bad.example.com.vn", "https://x.bad.example.com.vn/p",
        ] {
            assert_eq!(codes(&an, of(url)).await, ["flagged-commerce-platform"], "{url}");
        }
        for url in ["https://notsàn-lậu.vn", "https://example.com.vn", "https://good.example.com.vn", "https://sàn-lậu.vn.example.org"] {
            assert_eq!(codes(&an, of(url)).await, [""; 0], "{url}");
        }
        let tricks = an.post("/v1/screenings", json!({ "product": of("https://sàn-lậu.vn@shop.example.org/") })).await;
        tricks.problem(422, "request-invalid");
    }

    async fn the_channel_has_a_list_of_its_own(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        list(&officer, "flagged-digital-platforms", entry("domain", "mxh.example.net", "refuse")).await;
        list(&officer, "flagged-commerce-platforms", entry("domain", "shop.example.org", "refuse")).await;
        let ask = |channel: &str| json!({
            "product": { "title": "Hàng", "url": "https://mxh.example.net/p" },
            "channel": { "kind": "website", "url": channel },
        });
        let free = an.post("/v1/screenings", ask("https://shop.example.org/x")).await.expect(200);
        assert_eq!(free["outcome"], "allowed");
        let refused = an.post("/v1/screenings", ask("https://m.mxh.example.net/u/an")).await.expect(200);
        assert_eq!(refused["grounds"][0]["code"], "flagged-digital-platform");
        assert_eq!(refused["grounds"][0]["duty"], "AF-02");
        assert_eq!(refused["grounds"][0]["field"], "channel.url");
    }

    async fn an_entry_counts_on_its_days_alone(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let mut soon = entry("term", "nồi cơm x", "refuse");
        soon["effective_from"] = json!("2026-11-25");
        soon["effective_to"] = json!("2026-11-25");
        list(&officer, "violating-goods", soon).await;
        let product = || json!({ "title": "nồi cơm X" });
        // The tests begin on 24 November, 10:00 in Vietnam; the legal day ends 14 hours later.
        assert_eq!(screen(&an, product()).await["outcome"], "allowed");
        app.clock.advance(chrono::TimeDelta::minutes(14 * 60 - 1));
        let an = app.affiliate("an2").await;
        assert_eq!(screen(&an, product()).await["outcome"], "allowed");
        app.clock.advance(chrono::TimeDelta::minutes(1));
        assert_eq!(screen(&an, product()).await["outcome"], "refused");
        app.clock.advance(chrono::TimeDelta::hours(24));
        let an = app.affiliate("an3").await;
        assert_eq!(screen(&an, product()).await["outcome"], "allowed");
    }

    async fn a_multi_level_shop_needs_its_certificate(app: TestApp) {
        let (officer, shop) = (app.officer("a").await, app.shop("may").await);
        let mut body = crate::api::catalogue_shops::shop_body();
        body["is_multi_level"] = json!(true);
        let shop_id = shop.post("/v1/shops", body).await.expect(201)["id"].clone();
        let product = json!({ "shop_id": shop_id, "title": "Viên uống", "url": "https://shop.example.com/v" });
        let product_id = shop.post("/v1/products", product).await.expect(201)["id"].clone();
        let ask = json!({ "product_id": product_id });
        let bare = shop.post("/v1/screenings", ask.clone()).await.expect(200);
        assert_eq!(bare["outcome"], "refused");
        assert_eq!(bare["grounds"][0]["code"], "mlm-without-certificate");
        assert_eq!(bare["grounds"][0]["duty"], "AP-05");

        let mut certificate = entry("tax_code", "0100109106", "refuse");
        certificate["effective_to"] = json!("2026-11-24");
        certificate.as_object_mut().unwrap().remove("effect");
        list(&officer, "mlm-certificates", certificate).await;
        assert_eq!(shop.post("/v1/screenings", ask.clone()).await.expect(200)["outcome"], "allowed");
        app.clock.advance(chrono::TimeDelta::hours(14));
        let officer = app.officer("b").await;
        assert_eq!(officer.post("/v1/screenings", ask).await.expect(200)["outcome"], "refused");
    }

    async fn a_shop_asks_only_of_its_own_goods(app: TestApp) {
        let (may, other) = (app.shop("may").await, app.shop("khac").await);
        let shop_id = crate::api::catalogue_shops::open(&may).await;
        let product = json!({ "shop_id": shop_id, "title": "Túi", "url": "https://shop.example.com/t" });
        let id = may.post("/v1/products", product).await.expect(201)["id"].clone();
        may.post("/v1/screenings", json!({ "product_id": id })).await.expect(200);
        app.affiliate("an").await.post("/v1/screenings", json!({ "product_id": id })).await.expect(200);
        let problem = other.post("/v1/screenings", json!({ "product_id": id })).await.problem(422, "request-invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/product_id");
        let described = json!({ "product": { "shop_id": shop_id, "title": "x" } });
        other.post("/v1/screenings", described).await.problem(422, "request-invalid");
        for body in [json!({}), json!({ "product_id": id, "product": { "title": "x" } }), json!({ "product": { "title": " " } })] {
            may.post("/v1/screenings", body).await.problem(422, "request-invalid");
        }
        app.auditor().await.post("/v1/screenings", json!({})).await.problem(403, "role-not-allowed");

        crate::api::catalogue_shops::suspend(&app, &shop_id).await;
        let screened = may.post("/v1/screenings", json!({ "product_id": id })).await.expect(200);
        assert_eq!(screened["grounds"][0]["code"], "shop-suspended");
    }
}
