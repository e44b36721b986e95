//! S29: however an address is written, it gets the verdict of the place it names or is no address at all.

use serde_json::{Value, json};

use crate::support::{Actor, TestApp, seed::product_body};

/// What screening says of goods at `url`: the codes of the grounds, or that it is no address.
async fn verdict(who: &Actor, url: &str) -> Vec<String> {
    let reply = who
        .post(
            "/v1/screenings",
            json!({ "product": { "title": "Hàng", "url": url } }),
        )
        .await;
    if reply.status == 422 {
        let problem = reply.json();
        assert_eq!(problem["errors"][0]["pointer"], "/product/url", "{problem}");
        return vec!["no address".to_owned()];
    }
    let grounds = reply.expect(200)["grounds"].clone();
    grounds
        .as_array()
        .unwrap()
        .iter()
        .map(|ground| ground["code"].as_str().unwrap().to_owned())
        .collect()
}

fn flagged(kind: &str, value: &str) -> Value {
    json!({
        "match": { "kind": kind, "value": value }, "effect": "refuse", "reason": "invented",
        "source": { "authority": "An invented authority", "document_number": "1/TEST",
                    "url": "https://example.gov.vn/1", "issued_on": "2026-11-01" },
    })
}

/// Ways to write an address at the host `chợ-lậu.vn`.
const SAME_PLACE: &[&str] = &[
    "https://chợ-lậu.vn/p",
    "HTTPS://CHỢ-LẬU.VN/p",
    "http://chợ-lậu.vn:80/p",
    "https://chợ-lậu.vn:443/p",
    "https://chợ-lậu.vn:8443/p",
    "https://chợ-lậu.vn./p",
    "https://www.chợ-lậu.vn/p",
    "https://m.www.chợ-lậu.vn/p",
    "https://chợ-lậu。vn/p",
    "https://chợ-lậu．vn/p",
    "https://cho\u{323}\u{31b}-la\u{302}\u{323}u.vn/p",
    "https://ｃhợ-lậu.vn/p",
    "https://ch%E1%BB%A3-l%E1%BA%ADu.vn/p",
    "https://chợ-lậu%2Evn/p",
    "https:/\\chợ-lậu.vn/p",
    "https:chợ-lậu.vn/p",
    "https:\\\\chợ-lậu.vn\\p",
    "ht\ntps://chợ-l\tậu.vn/p",
    " https://chợ-lậu.vn/p ",
    "https://chợ-lậu.vn?https://shop.example.com",
    "https://chợ-lậu.vn#@shop.example.com",
    "https://chợ-lậu.vn\\@shop.example.com/",
    "https://shop.example.com@chợ-lậu.vn/",
    "https://shop.example.com%40chợ-lậu.vn/",
    "https://a:b@chợ-lậu.vn/",
    "https://@chợ-lậu.vn/",
    "https://ch\u{ad}ợ-lậu.vn/p",
    "https://chợ-\u{200b}lậu.vn/p",
];

/// Ways to write addresses that no visitor of a shop should be sent to.
const NO_PLACE: &[&str] = &[
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://127.0.0.1./",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://169.254.169.254/",
    "http://0xa9fea9fe/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://8.8.8.8/",
    "http://134744072/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://printer.local/",
    "http://db.internal/",
    "http://intranet/",
    "http://com/",
    "http://com.vn/",
    "http:///p",
    "http://./p",
    "http://-/p",
    "http://a..example.com/",
    "https://exam ple.com/",
    "https://exa%00mple.com/",
    "https://exa%2Fmple.com/",
    "https://example.com:99999/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://example.com/",
    "//example.com/",
    "/p",
    "example.com",
    "",
    "https://",
    "blob:https://example.com/x",
    "view-source:https://example.com",
];

both_engines! {
    async fn s29_a_flagged_place_is_flagged_however_it_is_written(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let path = "/v1/lists/flagged-commerce-platforms/entries";
        officer.post(path, flagged("domain", "chợ-lậu.vn")).await.expect(201);
        for url in SAME_PLACE {
            let said = verdict(&an, url).await;
            assert!(said == ["flagged-commerce-platform"] || said == ["no address"], "{url:?} is {said:?}");
        }
        assert_eq!(verdict(&an, SAME_PLACE[0]).await, ["flagged-commerce-platform"]);
        assert_eq!(verdict(&an, "https://shop.example.com/chợ-lậu.vn?ten=chợ-lậu.vn").await, [""; 0]);
        let led = "https://shop.example.com/ra?u=https://chợ-lậu.vn";
        assert_eq!(verdict(&an, led).await, ["flagged-commerce-platform"], "where it redirects counts");
    }

    async fn s29_one_page_on_a_list_is_met_however_it_is_written(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let listed = "https://shop.example.com/sản-phẩm/7";
        officer.post("/v1/lists/violating-goods/entries", flagged("url", listed)).await.expect(201);
        for url in [
            listed, "https://SHOP.example.com:443/sản-phẩm/7", "https://shop.example.com/s%E1%BA%A3n-ph%E1%BA%A9m/7",
            "https://shop.example.com/s%e1%ba%a3n-ph%e1%ba%a9m/7", "https://shop.example.com/a/../sản-phẩm/7",
            "https://shop.example.com/./sản-phẩm/7", "https://shop.example.com/%2e/sản-phẩm/7",
            "https://shop.example.com/sản-phẩm/7#frag", "https://shop.example.com./sản-phẩm/7", "https://shop.example.com\\sản-phẩm\\7",
        ] {
            let said = verdict(&an, url).await;
            assert!(said == ["violating-goods"] || said == ["no address"], "{url:?} is {said:?}");
        }
    }

    async fn s29_what_is_no_public_place_is_refused_in_every_notation(app: TestApp) {
        let market = app.market().await;
        let an = app.affiliate("an").await;
        let before = app.row_counts().await;
        for url in NO_PLACE {
            assert_eq!(verdict(&an, url).await, ["no address"], "{url:?}");
            let body = product_body(&market.shop_id, "Túi", url);
            let reply = market.shop.post("/v1/products", body).await;
            assert_eq!(reply.status, 422, "{url:?}: {}", reply.text());
            let mut body = market.link_body();
            body["url"] = json!(url);
            let reply = market.affiliate.post("/v1/links", body).await;
            assert_eq!(reply.status, 422, "{url:?}: {}", reply.text());
        }
        assert_eq!(app.row_counts().await, before);
    }
}
