//! Texts that are bent, addresses that lead elsewhere, names that only look alike: what goes to a person.

use serde_json::{Value, json};

use super::compliance_lists::entry;
use crate::support::{Actor, TestApp};

async fn list(officer: &Actor, list: &str, entry: Value) {
    let path = format!("/v1/lists/{list}/entries");
    officer.post(&path, entry).await.expect(201);
}

async fn screen(actor: &Actor, product: Value) -> Value {
    actor
        .post("/v1/screenings", json!({ "product": product }))
        .await
        .expect(200)
}

/// Outcome, and level and matched text of the first ground.
async fn first(actor: &Actor, title: &str) -> (String, Value, Value) {
    let screened = screen(actor, json!({ "title": title })).await;
    let ground = &screened["grounds"][0];
    let outcome = screened["outcome"].as_str().unwrap().to_owned();
    (outcome, ground["level"].clone(), ground["matched"].clone())
}

both_engines! {
    async fn bent_spellings_are_reviewed_whatever_the_entry_says(app: TestApp) {
        let an = app.affiliate("an").await;
        for (title, level, matched) in [
            ("Ban MA TUY da", 2, "MA TUY"),
            ("Thuốc la điện tử", 2, "Thuốc la điện tử"),
            ("hàng v.a.p.e mới", 3, "v.a.p.e"),
            ("xả kho vаре", 3, "vаре"),
            ("bán h3r0in", 3, "h3r0in"),
            ("c ầ n s a khô", 3, "c ầ n s a"),
        ] {
            let found = first(&an, title).await;
            assert_eq!(found, ("in_review".to_owned(), json!(level), json!(matched)), "{title}");
        }
        // Spelt out, the same entries refuse, and the bent spelling beside it adds nothing.
        let screened = screen(&an, json!({ "title": "ma túy, ma tuy, m.a t.ú.y" })).await;
        assert_eq!(screened["outcome"], "refused");
        assert_eq!(screened["grounds"].as_array().unwrap().len(), 1);
        assert_eq!(screened["grounds"][0]["level"], 1);
    }

    async fn an_exception_clears_its_phrase_on_every_level(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let mut entry = entry("term", "khẩu pháo", "refuse");
        entry["exceptions"] = json!(["khẩu pháo đồ chơi"]);
        list(&officer, "violating-goods", entry).await;
        for (title, outcome) in [
            ("khẩu pháo đồ chơi", "allowed"), ("khau phao do choi", "allowed"), ("k.h.ẩ.u p.h.á.o đồ chơi", "allowed"),
            ("khẩu pháo", "refused"), ("khau phao to", "in_review"), ("khẩu ph4o to", "in_review"),
        ] {
            assert_eq!(first(&an, title).await.0, outcome, "{title}");
        }
    }

    async fn a_term_that_says_nothing_is_refused_with_its_reason(app: TestApp) {
        let officer = app.officer("a").await;
        for value in ["Corp.", "hàng chính hãng", "giá rẻ"] {
            let answer = officer.post("/v1/lists/violating-goods/entries", entry("term", value, "refuse")).await;
            let problem = answer.problem(422, "request-invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/match/value", "{value}");
            let detail = problem["errors"][0].to_string();
            assert!(detail.contains("too generic"), "{detail}");
        }
    }

    async fn a_flagged_platform_is_met_behind_every_address_that_leads_there(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        list(&officer, "flagged-commerce-platforms", entry("domain", "shopee.vn", "refuse")).await;
        list(&officer, "flagged-commerce-platforms", entry("domain", "shop.tiktok.com", "refuse")).await;
        for (url, outcome, level) in [
            ("https://s.shopee.vn/3abc", "refused", None),
            ("https://shope.ee/3abc", "refused", None),
            ("https://go.example.com/?url=https%3A%2F%2Fshopee.vn%2Fp", "refused", None),
            ("https://go.example.com/?u=https%253A%252F%252Fs.shopee.vn", "refused", None),
            ("https://go.example.com/?ref=https://shopee.vn/p", "in_review", None),
            ("https://vt.tiktok.com/x", "in_review", None),
            ("https://sh0pee.vn/p", "in_review", Some(3)),
            ("https://www.shорee.vn/p", "in_review", Some(3)),
            ("https://bit.ly/x", "in_review", None),
            ("https://shopee.vn.example.com/p", "allowed", None),
            ("https://tiktok.com/@an", "allowed", None),
            ("https://shop.example.com/?utm_source=shopee", "allowed", None),
        ] {
            let screened = screen(&an, json!({ "title": "Nồi", "url": url })).await;
            assert_eq!(screened["outcome"], outcome, "{url}: {screened}");
            assert_eq!(screened["grounds"][0]["level"], json!(level), "{url}");
            if outcome == "refused" {
                assert_eq!(screened["grounds"][0]["matched"], url);
            }
        }
    }

    async fn a_ground_says_what_can_be_done(app: TestApp) {
        let an = app.affiliate("an").await;
        let refused = screen(&an, json!({ "title": "heroin" })).await;
        assert!(refused["grounds"][0]["remedy"].as_str().unwrap().starts_with("Choose other goods."));
        let reviewed = screen(&an, json!({ "title": "h3roin" })).await;
        assert!(reviewed["grounds"][0]["remedy"].as_str().unwrap().starts_with("Wait for a compliance officer"));
        let lost = screen(&an, json!({ "title": "Nồi", "url": "https://bit.ly/x" })).await;
        assert!(lost["grounds"][0]["remedy"].as_str().unwrap().contains("no short link"));
    }
}
