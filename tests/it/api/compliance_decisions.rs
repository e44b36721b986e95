//! Decisions: the record, who sees it, replay, and what happens when lists cannot be read.

use std::sync::Arc;

use serde_json::json;
use tinvia::{
    compliance::{
        self, Channel, ChannelKind, Compliance, Decision, Goods, GroundCode, NoLinks, Outcome,
        ShopFacts, ShopStanding, SnapshotStatus, StandingSnapshot, Subject,
    },
    kernel::{
        actor::Actor as Cause,
        db::{DbError, Engine, Statement, Text},
        ids::{AccountId, ProductId, ShopId},
    },
};

use super::compliance_lists::entry;
use crate::support::{
    TestApp,
    seed::{Passport, product_body, program_body, shop_body, text},
};

fn subject(app: &TestApp, account: &str, title: &str) -> Subject {
    let ambient = &app.context().ambient;
    Subject {
        account: account
            .parse()
            .unwrap_or_else(|_| ambient.id::<AccountId>()),
        standing: StandingSnapshot {
            status: SnapshotStatus::Verified,
            verification_id: Some(ambient.id()),
            expires_at: Some(app.now() + chrono::TimeDelta::days(30)),
        },
        shop: ShopFacts {
            id: ambient.id::<ShopId>(),
            tax_code: Some("0100109106".to_owned()),
            is_multi_level: false,
            website: Some("https://shop.example.com/".to_owned()),
            status: ShopStanding::Active,
        },
        product_id: ambient.id::<ProductId>(),
        product: Goods {
            title: title.to_owned(),
            url: Some("https://shop.example.com/p".to_owned()),
            ..Goods::default()
        },
        url: "https://shop.example.com/p?x=1".to_owned(),
        channel: Some(Channel {
            kind: ChannelKind::TikTok,
            url: Some("https://www.tiktok.com/@an".to_owned()),
        }),
    }
}

async fn decide_in(app: &TestApp, state: &Compliance, subject: Subject) -> Decision {
    let (ctx, screener) = (app.context().clone(), Arc::clone(&state.screener));
    let decided: Result<Decision, DbError> = app
        .context()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let actor = Cause::System("test");
                compliance::decide(tx, &ctx, &screener, &actor, subject, None).await
            })
        })
        .await;
    decided.unwrap()
}

fn fresh_state() -> Compliance {
    Compliance::new(Arc::new(NoLinks))
}

async fn decide(app: &TestApp, subject: Subject) -> Decision {
    decide_in(app, &fresh_state(), subject).await
}

async fn all_is_well(app: &TestApp) {
    let db = &app.context().db;
    assert_eq!(compliance::laws(db).await.unwrap(), []);
    let screener = compliance::Screener::new();
    assert_eq!(
        compliance::verify_replay(db, &screener, 10_000)
            .await
            .unwrap(),
        []
    );
}

fn codes(decision: &Decision) -> Vec<GroundCode> {
    decision.grounds.iter().map(|ground| ground.code).collect()
}

both_engines! {
    async fn an_innocent_request_is_issued_and_recorded(app: TestApp) {
        let an = app.affiliate("an").await;
        let decision = decide(&app, subject(&app, &an.id, "Túi xách da")).await;
        assert_eq!(decision.outcome, Outcome::Issued);
        let record = an.get(&format!("/v1/decisions/{}", decision.id)).await.expect(200);
        assert_eq!(record["outcome"], "issued");
        assert_eq!(record["grounds"], json!([]));
        assert_eq!(record["account_id"], an.id.as_str());
        assert_eq!(record["list_versions"]["banned-lines"], 1);
        assert_eq!(record["list_versions"].as_object().unwrap().len(), 7);
        assert_eq!(record["input"]["legal_day"], "2026-11-24");
        assert_eq!(record["input"]["subject"]["standing"]["status"], "verified");
        all_is_well(&app).await;
    }

    async fn one_refusing_ground_refuses_whatever_else_is_there(app: TestApp) {
        let an = app.affiliate("an").await;
        let review = decide(&app, subject(&app, &an.id, "Pháo hoa đẹp")).await;
        assert_eq!(review.outcome, Outcome::InReview);
        let both = decide(&app, subject(&app, &an.id, "Pháo hoa, pháo nổ")).await;
        assert_eq!(both.outcome, Outcome::Refused);
        assert_eq!(codes(&both), [GroundCode::BannedLine, GroundCode::BannedLine]);
        let refusals = an.get("/v1/refusals").await.expect(200);
        assert_eq!(refusals["data"].as_array().unwrap().len(), 1);
        assert_eq!(refusals["data"][0]["id"], both.id.to_string());
        all_is_well(&app).await;
    }

    async fn who_is_not_verified_is_refused_whatever_the_goods(app: TestApp) {
        let an = app.affiliate("an").await;
        let cases = [
            (SnapshotStatus::Unverified, GroundCode::IdentityNotVerified),
            (SnapshotStatus::Suspended, GroundCode::IdentityNotVerified),
            (SnapshotStatus::Revoked, GroundCode::IdentityNotVerified),
            (SnapshotStatus::Expired, GroundCode::IdentityExpired),
        ];
        for (status, code) in cases {
            let mut subject = subject(&app, &an.id, "Túi");
            subject.standing.status = status;
            let decision = decide(&app, subject).await;
            assert_eq!(codes(&decision), [code]);
            assert!(decision.is_about_identity());
        }
        let mut at_the_end = subject(&app, &an.id, "Túi");
        at_the_end.standing.expires_at = Some(app.now());
        assert_eq!(codes(&decide(&app, at_the_end.clone()).await), [GroundCode::IdentityExpired]);
        at_the_end.standing.expires_at = Some(app.now() + chrono::TimeDelta::microseconds(1));
        assert_eq!(decide(&app, at_the_end).await.outcome, Outcome::Issued);
        all_is_well(&app).await;
    }

    async fn a_suspended_shop_and_an_unreadable_address_are_refused(app: TestApp) {
        let mut suspended = subject(&app, "", "Túi");
        suspended.shop.status = ShopStanding::Suspended;
        assert_eq!(codes(&decide(&app, suspended).await), [GroundCode::ShopSuspended]);
        let mut odd = subject(&app, "", "Túi");
        "https://user@shop.example.com/".clone_into(&mut odd.url);
        assert_eq!(codes(&decide(&app, odd).await), [GroundCode::ScreeningUnavailable]);
        all_is_well(&app).await;
    }

    async fn a_decision_is_its_makers_and_the_staffs(app: TestApp) {
        let (an, binh) = (app.affiliate("an").await, app.affiliate("binh").await);
        let decision = decide(&app, subject(&app, &an.id, "heroin")).await;
        let path = format!("/v1/decisions/{}", decision.id);
        for reader in [&an, &app.officer("a").await, &app.auditor().await, &app.admin().await, &app.finance().await] {
            reader.get(&path).await.expect(200);
            let replayed = reader.post(&format!("{path}/replays"), json!({})).await.expect(200);
            assert_eq!(replayed["outcome"], "refused");
            assert_eq!(replayed["same"], true);
            assert_eq!(replayed["list_versions"]["banned-lines"], 1);
        }
        binh.get(&path).await.problem(404, "not-found");
        binh.post(&format!("{path}/replays"), json!({})).await.problem(404, "not-found");
        app.anon().get(&path).await.problem(401, "unauthenticated");
        let bare = an.send("POST", &format!("{path}/replays"), &[], None).await;
        assert_eq!(bare.expect(200)["same"], true);
        assert_eq!(binh.get("/v1/refusals").await.expect(200)["data"], json!([]));
        let of_an = format!("/v1/refusals?account_id={}", an.id);
        assert_eq!(binh.get(&of_an).await.expect(200)["data"], json!([]));
    }

    async fn a_replay_stands_on_the_lists_as_they_were(app: TestApp) {
        let (officer, an) = (app.officer("a").await, app.affiliate("an").await);
        let state = fresh_state();
        let before = decide_in(&app, &state, subject(&app, &an.id, "Nồi đồng X")).await;
        assert_eq!(before.outcome, Outcome::Issued);
        let added = officer
            .post("/v1/lists/violating-goods/entries", entry("term", "nồi đồng x", "refuse"))
            .await
            .expect(201);
        let during = decide_in(&app, &state, subject(&app, &an.id, "Nồi đồng X")).await;
        assert_eq!(codes(&during), [GroundCode::ViolatingGoods]);
        let entry_path = format!("/v1/lists/violating-goods/entries/{}", added["id"].as_str().unwrap());
        officer.delete(&entry_path).await.expect(200);
        let after = decide_in(&app, &state, subject(&app, &an.id, "Nồi đồng X")).await;
        assert_eq!(after.outcome, Outcome::Issued);

        for (decision, outcome, version) in [(&before, "issued", 0), (&during, "refused", 1), (&after, "issued", 2)] {
            let path = format!("/v1/decisions/{}/replays", decision.id);
            let replayed = officer.post(&path, json!({})).await.expect(200);
            assert_eq!(replayed["outcome"], outcome);
            assert_eq!(replayed["same"], true);
            assert_eq!(replayed["list_versions"]["violating-goods"], version);
        }
        all_is_well(&app).await;
    }

    async fn refusals_are_found_by_ground_list_account_shop_and_time(app: TestApp) {
        let (officer, an, binh) =
            (app.officer("a").await, app.affiliate("an").await, app.affiliate("binh").await);
        let first = decide(&app, subject(&app, &an.id, "heroin")).await;
        let half_time = app.now() + chrono::TimeDelta::minutes(5);
        app.clock.advance(chrono::TimeDelta::minutes(10));
        let mut unverified = subject(&app, &binh.id, "Túi");
        unverified.standing.status = SnapshotStatus::Unverified;
        let shop = unverified.shop.id;
        let second = decide(&app, unverified).await;

        let find = |query: String| {
            let officer = officer.clone();
            async move {
                let page = officer.get(&format!("/v1/refusals?{query}")).await.expect(200);
                let rows = page["data"].as_array().unwrap().clone();
                rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            }
        };
        let (one, two) = (first.id.to_string(), second.id.to_string());
        assert_eq!(find(String::new()).await, [two.clone(), one.clone()]);
        assert_eq!(find("ground=banned-line".to_owned()).await, [one.clone()]);
        assert_eq!(find("ground=identity-not-verified".to_owned()).await, [two.clone()]);
        assert_eq!(find("list=banned-lines".to_owned()).await, [one.clone()]);
        assert_eq!(find("ground=identity-not-verified&list=banned-lines".to_owned()).await, [""; 0]);
        assert_eq!(find(format!("account_id={}", binh.id)).await, [two.clone()]);
        assert_eq!(find(format!("shop_id={shop}")).await, [two.clone()]);
        let at = half_time.format("%Y-%m-%dT%H:%M:%SZ");
        assert_eq!(find(format!("since={at}")).await, [two.clone()]);
        assert_eq!(find(format!("until={at}")).await, [one.clone()]);
        assert_eq!(find(format!("starting_after={two}")).await, [one.clone()]);
        assert_eq!(find("limit=1".to_owned()).await, [two]);
        officer.get("/v1/refusals?ground=bad-luck").await.problem(422, "request-invalid");
    }

    async fn lists_that_do_not_read_refuse_and_never_allow(app: TestApp) {
        let an = app.affiliate("an").await;
        // A row that no code of ours could write: its exceptions are not JSON.
        run(&app, "INSERT INTO list_entry (entry_id, list, added_in_version, match_kind, match_value, match_key,
                   exceptions, effect, reason, source_authority)
                   SELECT leaf_id, 'banned-lines', 1, 'brand', 'x', 'x', 'not json', 'refuse', 'x', 'x'
                   FROM audit_leaf LIMIT 1").await.unwrap();
        let decision = decide(&app, subject(&app, &an.id, "Túi xách da")).await;
        assert_eq!(decision.outcome, Outcome::Refused);
        assert_eq!(codes(&decision), [GroundCode::ScreeningUnavailable]);
        let path = format!("/v1/decisions/{}/replays", decision.id);
        let replayed = an.post(&path, json!({})).await.expect(200);
        assert_eq!(replayed["outcome"], "refused");
        assert_eq!(replayed["same"], true);
    }

    async fn lists_that_are_gone_refuse_and_never_allow(app: TestApp) {
        run(&app, "ALTER TABLE list_entry RENAME TO list_entry_gone").await.unwrap();
        let decision = decide(&app, subject(&app, "", "Túi xách da")).await;
        assert_eq!(codes(&decision), [GroundCode::ScreeningUnavailable]);
        let an = app.affiliate("an").await;
        let asked = json!({ "product": { "title": "Túi xách da" } });
        let screened = an.post("/v1/screenings", asked.clone()).await.expect(200);
        assert_eq!(screened["outcome"], "refused");
        assert_eq!(screened["grounds"][0]["code"], "screening-unavailable");
        // The node that finds nothing to compile says so and goes on.
        assert_eq!(fresh_state().screener.catch_up(&app.context().db).await.unwrap(), 0);

        run(&app, "ALTER TABLE list_entry_gone RENAME TO list_entry").await.unwrap();
        assert_eq!(decide(&app, subject(&app, "", "Túi xách da")).await.outcome, Outcome::Issued);
        assert_eq!(an.post("/v1/screenings", asked).await.expect(200)["outcome"], "allowed");
        all_is_well(&app).await;
    }

    async fn heads_that_are_gone_make_no_decision_at_all(app: TestApp) {
        run(&app, "ALTER TABLE list_head RENAME TO list_head_gone").await.unwrap();
        let (ctx, screener) = (app.context().clone(), fresh_state().screener);
        let subject = subject(&app, "", "Túi xách da");
        let decided: Result<Decision, DbError> = app.context().db.write(move |tx| {
            Box::pin(async move {
                compliance::decide(tx, &ctx, &screener, &Cause::System("test"), subject, None).await
            })
        }).await;
        assert!(decided.is_err());
        run(&app, "ALTER TABLE list_head_gone RENAME TO list_head").await.unwrap();
        all_is_well(&app).await;
    }

    async fn a_clock_that_jumps_allows_nothing_that_is_forbidden(app: TestApp) {
        let officer = app.officer("a").await;
        let mut soon = entry("term", "nồi cơm x", "refuse");
        soon["effective_from"] = json!("2026-11-20");
        officer.post("/v1/lists/violating-goods/entries", soon).await.expect(201);
        let refused = async |title: &str| decide(&app, subject(&app, "", title)).await;
        for days in [400, -800, -20_000, 60_000, -39_600] {
            app.clock.advance(chrono::TimeDelta::days(days));
            for title in ["nồi cơm x", "heroin"] {
                let decision = refused(title).await;
                assert_eq!(decision.outcome, Outcome::Refused, "{days} days, {title}");
            }
        }
        // Back where it was, all is as it was.
        assert_eq!(codes(&refused("nồi cơm x").await), [GroundCode::ViolatingGoods]);
        assert_eq!(refused("Túi").await.outcome, Outcome::Issued);
        app.clock.advance(chrono::TimeDelta::minutes(-4));
        assert_eq!(refused("Túi").await.outcome, Outcome::Issued);
        app.clock.advance(chrono::TimeDelta::minutes(-2));
        assert_eq!(codes(&refused("Túi").await), [GroundCode::ScreeningUnavailable]);
        all_is_well(&app).await;
    }

    async fn another_node_compiles_before_anybody_asks(app: TestApp) {
        let officer = app.officer("a").await;
        let node = fresh_state().screener;
        let db = &app.context().db;
        let changed = node.changes(db);
        assert_eq!(node.catch_up(db).await.unwrap(), 7);
        assert_eq!(node.catch_up(db).await.unwrap(), 0);
        officer.post("/v1/lists/violating-goods/entries", entry("term", "nồi đồng x", "refuse")).await.expect(201);
        changed.notified().await;
        assert_eq!(node.catch_up(db).await.unwrap(), 1);
    }

    async fn a_new_entry_ends_the_links_it_forbids_and_a_closed_one_lets_new_ones_be(app: TestApp) {
        let (officer, shop, an) =
            (app.officer("a").await, app.shop("may").await, app.affiliate("an").await);
        app.verify(&an, Passport::fresh()).await;
        let shop_id = text(&shop.post("/v1/shops", shop_body()).await.expect(201), "id");
        let product = product_body(&shop_id, "Nồi đồng Thuý Kiều", "https://shop.example.com/noi");
        let product_id = text(&shop.post("/v1/products", product).await.expect(201), "id");
        let program = shop.post("/v1/programs", program_body(&shop_id)).await.expect(201);
        let wanted = json!({
            "program_id": program["id"], "product_id": product_id,
            "channel": { "kind": "tiktok", "url": "https://www.tiktok.com/@an.invented" },
        });
        let link = an.post("/v1/links", wanted.clone()).await.expect(201);
        let code = text(&link, "code");
        assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 302);

        let path = "/v1/lists/violating-goods/entries";
        let added = officer.post(path, entry("term", "nồi đồng thúy kiều", "refuse")).await.expect(201);
        assert_eq!(added["taken_down"], 1);
        assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 451);
        let refused = an.post("/v1/links", wanted.clone()).await.problem(451, "link-refused");
        let ground = &refused["grounds"][0];
        assert_eq!(ground["code"], "violating-goods");
        assert_eq!(ground["entry_id"], added["id"]);
        assert_eq!(ground["span"], json!([0, 18]));

        officer.delete(&format!("{path}/{}", text(&added, "id"))).await.expect(200);
        assert_eq!(app.anon().get(&format!("/r/{code}")).await.status, 451);
        an.post("/v1/links", wanted).await.expect(201);
        for decision in [text(&link, "decision_id"), text(&refused, "decision_id")] {
            let replayed = an.post(&format!("/v1/decisions/{decision}/replays"), json!({})).await;
            assert_eq!(replayed.expect(200)["same"], true);
        }
        all_is_well(&app).await;
    }

    async fn a_list_cannot_change_under_a_decision(app: TestApp) {
        if app.context().db.engine() == Engine::Sqlite {
            // One writer: the second transaction does not even begin before the first has ended.
            return;
        }
        let subject = subject(&app, "", "Túi");
        let (ctx, screener) = (app.context().clone(), fresh_state().screener);
        let changed_meanwhile: Result<bool, DbError> = app
            .context()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    compliance::decide(tx, &ctx, &screener, &Cause::System("test"), subject, None).await?;
                    let change = ctx.db.write(|tx| {
                        Box::pin(async move {
                            tx.sql(IMPATIENT).execute().await?;
                            tx.sql(CHANGE).execute().await
                        })
                    });
                    Ok(!matches!(change.await, Err(DbError::Busy(_))))
                })
            })
            .await;
        assert!(!changed_meanwhile.unwrap());
    }

    async fn a_decision_cannot_be_edited(app: TestApp) {
        decide(&app, subject(&app, "", "heroin")).await;
        for sql in [
            "UPDATE decision SET outcome = 'issued'",
            "DELETE FROM decision_ground",
            "DELETE FROM decision",
            "UPDATE decision_ground SET code = 'x'",
        ] {
            assert!(run(&app, sql).await.is_err(), "{sql}");
        }
        all_is_well(&app).await;
    }
}

const IMPATIENT: Statement = Statement {
    name: "IMPATIENT",
    text: Text::Both("SET LOCAL lock_timeout = '100ms'"),
};
const CHANGE: Statement = Statement {
    name: "CHANGE",
    text: Text::Both("UPDATE list_head SET version = version WHERE list = 'violating-goods'"),
};

async fn run(app: &TestApp, sql: &'static str) -> Result<u64, DbError> {
    let statement = Statement {
        name: "TAMPER",
        text: Text::Both(sql),
    };
    app.context()
        .db
        .write(move |tx| Box::pin(async move { tx.sql(statement).execute().await }))
        .await
}
