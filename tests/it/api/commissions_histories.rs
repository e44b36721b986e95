//! Random histories of orders: whatever order and however often their deliveries come, and whenever they are folded,
//! the commissions and the balances are those of the facts themselves.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, TimeDelta};
use futures_util::future::BoxFuture;
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use serde_json::{Value, json};
use tinvia::{
    commissions,
    kernel::{context::Context, db::DbError},
    ledger,
};

use crate::support::{
    TestApp,
    seed::{Market, Passport, fresh, order_event, refund_event, text},
};

/// Histories per engine.
const CASES: u32 = 24;

const RATE_BPS: i64 = 800;

/// What happened to one order, as its shop knows it.
#[derive(Debug, Clone)]
struct Facts {
    /// Goods of each line, after discount.
    lines: Vec<i64>,
    /// Refunded of a line, at most what is left of it.
    refunds: Vec<(Index, i64)>,
    is_paid: bool,
    is_cancelled: bool,
    /// Whether the newest body drops the first line.
    is_edited: bool,
    /// Who the order names: nobody, a click of the first, a code of the second, both.
    names: usize,
}

/// How the deliveries of one order come in.
#[derive(Debug, Clone)]
struct Arrival {
    order: Vec<Index>,
    /// Which deliveries come again later.
    again: Vec<Index>,
    /// After how many deliveries the jobs run.
    folds: Vec<bool>,
}

fn facts() -> impl Strategy<Value = Facts> {
    (
        prop::collection::vec(1..2_000_000_i64, 1..4),
        prop::collection::vec((any::<Index>(), 1..1_000_000_i64), 0..4),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        0..4_usize,
    )
        .prop_map(
            |(lines, refunds, is_paid, is_cancelled, is_edited, names)| Facts {
                is_edited: is_edited && lines.len() > 1,
                lines,
                refunds,
                is_paid,
                is_cancelled,
                names,
            },
        )
}

fn arrival() -> impl Strategy<Value = Arrival> {
    (
        prop::collection::vec(any::<Index>(), 16),
        prop::collection::vec(any::<Index>(), 0..4),
        prop::collection::vec(any::<bool>(), 24),
    )
        .prop_map(|(order, again, folds)| Arrival {
            order,
            again,
            folds,
        })
}

/// What everybody must have in the end: computed from the facts in a few obvious lines.
#[derive(Debug, PartialEq, Eq)]
struct Owed {
    to: Option<&'static str>,
    earned: i64,
    amount: i64,
    status: &'static str,
}

impl Facts {
    fn kept_lines(&self) -> Vec<(usize, i64)> {
        let lines = self.lines.iter().copied().enumerate();
        lines.skip(usize::from(self.is_edited)).collect()
    }

    /// Refunds as the shop makes them: never more than what is left of a line that is still there.
    fn made(&self) -> Vec<(usize, usize, i64)> {
        let kept = self.kept_lines();
        let mut left: BTreeMap<usize, i64> = kept.iter().copied().collect();
        let mut made = Vec::new();
        for (number, (index, amount)) in self.refunds.iter().enumerate() {
            let line = kept[index.index(kept.len())].0;
            let amount = (*amount).min(left[&line]);
            if amount > 0 {
                *left.get_mut(&line).unwrap() -= amount;
                made.push((number, line, amount));
            }
        }
        made
    }

    fn owed(&self) -> Option<Owed> {
        let to = match self.names {
            1 | 3 => "first",
            2 => "second",
            _ => return None,
        };
        if !self.is_paid {
            return None;
        }
        let half_up = |base: i64| (base * RATE_BPS + 5_000) / 10_000;
        let mut left: BTreeMap<usize, i64> = self.kept_lines().into_iter().collect();
        let earned = left.values().map(|goods| half_up(*goods)).sum();
        for (_, line, amount) in self.made() {
            *left.get_mut(&line).unwrap() -= amount;
        }
        let amount = if self.is_cancelled {
            0
        } else {
            left.values().map(|goods| half_up(*goods)).sum()
        };
        let all_back = left.values().all(|goods| *goods == 0);
        let status = match (self.is_cancelled, all_back) {
            (true, _) => "canceled",
            (false, true) => "refunded",
            (false, false) => "pending",
        };
        Some(Owed {
            to: Some(to),
            earned,
            amount,
            status,
        })
    }
}

struct Stage {
    app: TestApp,
    market: Market,
    token: String,
    code: String,
    first: String,
    second: String,
    finance: crate::support::Actor,
}

impl Stage {
    async fn set(app: TestApp) -> Self {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let second = app.affiliate(&fresh("binh")).await;
        app.verify(&second, Passport::fresh()).await;
        let link = second
            .post("/v1/links", market.link_body())
            .await
            .expect(201);
        let finance = app.finance().await;
        Self {
            first: market.affiliate.id.clone(),
            second: second.id.clone(),
            code: text(&link, "code"),
            app,
            market,
            token,
            finance,
        }
    }

    /// The deliveries of an order in the order of their time.
    fn deliveries(&self, facts: &Facts, number: &str) -> Vec<Value> {
        let begun = self.app.now();
        let at = |minute: i64| {
            (begun + TimeDelta::minutes(minute)).to_rfc3339_opts(SecondsFormat::Secs, true)
        };
        let refund = |(refund, line, amount): &(usize, usize, i64)| {
            json!({
                "id": format!("R{refund}"), "amount": amount.to_string(), "goods_amount": amount.to_string(),
                "lines": [{ "line_id": line.to_string(), "quantity": 0, "amount": amount.to_string() }],
            })
        };
        let body = |kind: &str, minute: i64, lines: &[(usize, i64)], refunds: Vec<Value>| {
            let goods: i64 = lines.iter().map(|(_, goods)| goods).sum();
            let click = [1, 3].contains(&facts.names).then_some(&self.token);
            let codes: Vec<&String> = [2, 3]
                .contains(&facts.names)
                .then_some(&self.code)
                .into_iter()
                .collect();
            json!({
                "type": kind, "timestamp": at(minute),
                "data": {
                    "order_id": number, "currency": "VND", "updated_at": at(minute), "click_id": click,
                    "lines": lines.iter().map(|(line, goods)| json!({
                        "line_id": line.to_string(), "product_id": "p", "sku": "s", "title": "t",
                        "quantity": 1, "unit_price": goods.to_string(), "discount": "0",
                    })).collect::<Vec<_>>(),
                    "subtotal": goods.to_string(), "discount": "0", "shipping": "30000", "tax": "0",
                    "total": (goods + 30_000).to_string(), "refunds": refunds, "coupon_codes": codes,
                },
            })
        };
        let all: Vec<(usize, i64)> = facts.lines.iter().copied().enumerate().collect();
        let kept = facts.kept_lines();
        let made = facts.made();
        let mut deliveries = vec![body("order.created", 0, &all, vec![])];
        if facts.is_paid {
            deliveries.push(body("order.paid", 1, &all, vec![]));
        }
        if facts.is_edited {
            deliveries.push(body("order.updated", 2, &kept, vec![]));
        }
        for (place, one) in (3_i64..).zip(&made) {
            deliveries.push(json!({
                "type": "order.refunded", "timestamp": at(place),
                "data": { "order_id": number, "currency": "VND", "updated_at": at(place), "refunds": [refund(one)] },
            }));
        }
        if facts.is_cancelled {
            deliveries.push(body(
                "order.cancelled",
                10,
                &kept,
                made.iter().map(refund).collect(),
            ));
        }
        deliveries
    }

    async fn play(&self, facts: Facts, arrival: Arrival) -> Result<(), TestCaseError> {
        let number = fresh("N");
        let deliveries = self.deliveries(&facts, &number);
        let mut left: Vec<usize> = (0..deliveries.len()).collect();
        let mut queue = Vec::new();
        for index in &arrival.order {
            if !left.is_empty() {
                queue.push(left.remove(index.index(left.len())));
            }
        }
        queue.extend(left);
        for again in &arrival.again {
            queue.push(queue[again.index(queue.len())]);
        }
        let mut folds = arrival.folds.iter().cycle();
        for which in queue {
            let id = format!("msg_{number}_{which}");
            let body = deliveries[which].to_string();
            let reply = self
                .market
                .deliver_as(&self.app, &id, body.as_bytes())
                .await;
            prop_assert_eq!(reply.status, 200, "{}", reply.text());
            if folds.next() == Some(&true) {
                self.app.settle().await;
            }
        }
        self.app.settle().await;
        self.compare(&facts, &number).await
    }

    async fn compare(&self, facts: &Facts, number: &str) -> Result<(), TestCaseError> {
        let orders = self
            .market
            .shop
            .get(&format!("/v1/orders?external_order_id={number}"))
            .await
            .expect(200);
        let order = text(&orders["data"][0], "id");
        let list = self
            .finance
            .get(&format!("/v1/commissions?order_id={order}"))
            .await
            .expect(200);
        let rows = list["data"].as_array().unwrap();
        let standing: Vec<&Value> = rows
            .iter()
            .filter(|row| row["status"] != "reversed")
            .collect();
        let found: Vec<_> = standing
            .iter()
            .map(|row| {
                let to = if row["affiliate_id"] == self.first.as_str() {
                    "first"
                } else {
                    "second"
                };
                prop_assert!(to == "first" || row["affiliate_id"] == self.second.as_str());
                Ok((
                    Some(to),
                    row["earned"].as_i64(),
                    row["amount"].as_i64(),
                    text(row, "status"),
                ))
            })
            .collect::<Result<_, TestCaseError>>()?;
        let owed: Vec<_> = facts
            .owed()
            .into_iter()
            .map(|owed| {
                (
                    owed.to,
                    Some(owed.earned),
                    Some(owed.amount),
                    owed.status.to_owned(),
                )
            })
            .collect();
        prop_assert_eq!(found, owed);
        for row in rows {
            let taken: i64 = row["reversals"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["amount"].as_i64().unwrap())
                .sum();
            prop_assert_eq!(
                row["earned"].as_i64().unwrap() - taken,
                row["amount"].as_i64().unwrap()
            );
        }
        Ok(())
    }

    /// What the ledger has for everybody, pending and available together.
    async fn totals(&self) -> BTreeMap<String, i128> {
        let mut totals = BTreeMap::new();
        for owner in [&self.first, &self.second, &self.market.shop_id] {
            for (_, _, balance) in ledger::balances_of(&self.app.context().db, owner)
                .await
                .unwrap()
            {
                *totals.entry(owner.clone()).or_default() +=
                    balance.posted_minor + balance.pending_in_minor;
            }
        }
        totals
    }
}

both_engines! {
    async fn any_history_of_deliveries_gives_what_its_facts_earn(app: TestApp) {
        let stage = Stage::set(app).await;
        let owed = std::cell::RefCell::new(BTreeMap::<String, i128>::new());
        let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
        tokio::task::block_in_place(|| {
            let runtime = tokio::runtime::Handle::current();
            let histories = (facts(), arrival());
            TestRunner::new(config).run(&histories, |(facts, arrival)| {
                runtime.block_on(stage.play(facts.clone(), arrival))?;
                if let Some(one) = facts.owed() {
                    let to = if one.to == Some("first") { &stage.first } else { &stage.second };
                    *owed.borrow_mut().entry(to.clone()).or_default() += i128::from(one.amount);
                    *owed.borrow_mut().entry(stage.market.shop_id.clone()).or_default() += i128::from(one.amount);
                }
                Ok(())
            }).unwrap();
        });
        let mut totals = stage.totals().await;
        let mut owed = owed.into_inner();
        totals.retain(|_, amount| *amount != 0);
        owed.retain(|_, amount| *amount != 0);
        assert_eq!(totals, owed);
        let db = &stage.app.context().db;
        assert_eq!(ledger::laws(db).await.unwrap(), []);
        assert_eq!(commissions::laws(db).await.unwrap(), []);

        stage.app.clock.advance(TimeDelta::days(15));
        stage.app.settle().await;
        let mut after = stage.totals().await;
        after.retain(|_, amount| *amount != 0);
        assert_eq!(after, owed, "the end of the hold moves nothing from one owner to another");
        assert_eq!(commissions::laws(db).await.unwrap(), []);
    }

    async fn many_workers_fold_and_release_each_sale_once(app: TestApp) {
        let market = app.market().await;
        let (_, code) = market.link().await;
        let token = market.click(&app, &code).await;
        let at = app.now().to_rfc3339();
        for _ in 0..12 {
            let number = fresh("N");
            let sale = order_event("order.paid", &number, &at, Some(&token));
            market.deliver(&app, &sale).await.expect(200);
            market.deliver(&app, &refund_event(&number, &at, "R1", 500_000)).await.expect(200);
        }
        at_once(&app, |ctx| Box::pin(commissions::run_fold(ctx, std::sync::Arc::default()))).await;
        let db = &app.context().db;
        let mine = &market.affiliate.id;
        let [(.., balance)] = ledger::balances_of(db, mine).await.unwrap()[..] else { panic!() };
        assert_eq!((balance.pending_in_minor, balance.posted_minor), (12 * 60_000, 0));
        app.clock.advance(TimeDelta::days(14));
        let released = at_once(&app, |ctx| Box::pin(commissions::release_due(ctx, 5))).await;
        assert_eq!(released, 12);
        let [(.., balance)] = ledger::balances_of(db, mine).await.unwrap()[..] else { panic!() };
        assert_eq!((balance.pending_in_minor, balance.posted_minor), (0, 12 * 60_000));
        assert_eq!(ledger::laws(db).await.unwrap(), []);
        assert_eq!(commissions::laws(db).await.unwrap(), []);
    }
}

type Job = fn(Context) -> BoxFuture<'static, Result<u64, DbError>>;

/// Runs a job from several workers at once, each until it finds nothing to do, as on several nodes.
async fn at_once(app: &TestApp, job: Job) -> u64 {
    let workers = (0..4).map(|_| {
        let ctx = app.context().clone();
        tokio::spawn(async move {
            let mut done = 0;
            loop {
                match job(ctx.clone()).await {
                    Ok(0) => return done,
                    Ok(some) => done += some,
                    Err(DbError::Busy(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        })
    });
    futures_util::future::join_all(workers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum()
}
