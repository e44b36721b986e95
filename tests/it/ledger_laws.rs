//! The ledger's laws, by random histories against a model that is slow and obvious, on both engines.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::{prelude::*, test_runner::TestRunner};
use tinvia::{
    kernel::{
        actor::Actor,
        context::Context,
        db::{DbError, Statement, Text},
        ids::TransferId,
        money::{Currency, MINOR_MAX},
    },
    ledger::{
        self, AccountKey, Balance, Booked, Booking, LedgerError, Move, Purpose, STEPS_MAX, Side,
        Step,
    },
};

use crate::support::TestApp;

const ACTOR: Actor = Actor::System("test");

/// Histories per engine.
const CASES: u32 = 40;

/// One thing that somebody asks of the ledger.
#[derive(Debug, Clone)]
enum Ask {
    Pend {
        from: usize,
        to: usize,
        amount: i64,
    },
    Move {
        from: usize,
        to: usize,
        amount: i64,
    },
    Post(usize),
    Void(usize),
    /// The same booking again.
    Repeat(usize),
    /// Another amount under a name that is taken.
    Forge(usize),
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let account = 0..KEYS;
    let amount = prop_oneof![0..200_i64, Just(MINOR_MAX), Just(MINOR_MAX + 1), Just(-1)];
    let one = prop_oneof![
        3 => (account.clone(), account.clone(), amount.clone())
            .prop_map(|(from, to, amount)| Ask::Pend { from, to, amount }),
        3 => (account.clone(), account, amount)
            .prop_map(|(from, to, amount)| Ask::Move { from, to, amount }),
        2 => any::<usize>().prop_map(Ask::Post),
        2 => any::<usize>().prop_map(Ask::Void),
        1 => any::<usize>().prop_map(Ask::Repeat),
        1 => any::<usize>().prop_map(Ask::Forge),
    ];
    prop::collection::vec(one, 1..24)
}

/// Accounts in play: four in đồng, two in dollars.
const KEYS: usize = 6;

fn keys(case: &str) -> Vec<AccountKey> {
    let usd: Currency = "USD".parse().unwrap();
    let key = |purpose, owner: &str, currency| AccountKey {
        purpose,
        owner: format!("{owner}_{case}"),
        currency,
    };
    vec![
        key(Purpose::ShopReceivable, "shop", Currency::VND),
        key(Purpose::AffiliatePayable, "an", Currency::VND),
        key(Purpose::AffiliatePayable, "binh", Currency::VND),
        key(Purpose::AffiliateReceivable, "an", Currency::VND),
        key(Purpose::ShopReceivable, "shop", usd),
        key(Purpose::AffiliatePayable, "an", usd),
    ]
}

/// What happened, kept as obviously as possible.
#[derive(Default)]
struct Model {
    balances: BTreeMap<AccountKey, Balance>,
    pending: BTreeMap<TransferId, (Move, bool)>,
    booked: Vec<(String, Vec<Step>, Booked)>,
}

impl Model {
    fn of(&self, key: &AccountKey) -> Balance {
        self.balances.get(key).copied().unwrap_or_default()
    }

    fn change(&mut self, moved: &Move, pending: i128, posted: i128) {
        for (key, side) in [(&moved.debit, Side::Debit), (&moved.credit, Side::Credit)] {
            let balance = self.balances.entry(key.clone()).or_default();
            if key.purpose.side() == side {
                balance.pending_in_minor += pending;
                balance.posted_minor += posted;
            } else {
                balance.pending_out_minor += pending;
                balance.posted_minor -= posted;
            }
        }
    }

    /// What the ledger must answer to these steps, before they are applied.
    fn allows(&self, step: &Step) -> Result<(), &'static str> {
        match step {
            Step::Pend(moved) | Step::Move(moved) => {
                if moved.debit == moved.credit || moved.debit.currency != moved.credit.currency {
                    return Err("malformed");
                }
                if !(1..=MINOR_MAX).contains(&moved.amount_minor) {
                    return Err("out of range");
                }
                let available = self.of(&moved.debit).available_minor();
                let short = available < i128::from(moved.amount_minor);
                if moved.debit.purpose.authorises() && short {
                    Err("overdrawn")
                } else {
                    Ok(())
                }
            }
            Step::Post(id) | Step::Void(id) => match self.pending.get(id) {
                Some((_, false)) => Ok(()),
                Some((_, true)) => Err("resolved"),
                None => Err("not pending"),
            },
        }
    }

    fn apply(&mut self, step: &Step, id: TransferId) {
        match step {
            Step::Pend(moved) => {
                self.change(moved, i128::from(moved.amount_minor), 0);
                self.pending.insert(id, (moved.clone(), false));
            }
            Step::Move(moved) => self.change(moved, 0, i128::from(moved.amount_minor)),
            Step::Post(id) | Step::Void(id) => {
                let (moved, resolved) = self.pending.get_mut(id).unwrap();
                *resolved = true;
                let (moved, amount) = (moved.clone(), i128::from(moved.amount_minor));
                let posted = if matches!(step, Step::Post(_)) {
                    amount
                } else {
                    0
                };
                self.change(&moved, -amount, posted);
            }
        }
    }
}

fn word(error: &LedgerError) -> &'static str {
    match error {
        LedgerError::KeyReused { .. } => "key reused",
        LedgerError::Raced => "raced",
        LedgerError::AlreadyResolved(_) => "resolved",
        LedgerError::NotPending(_) => "not pending",
        LedgerError::Overdrawn { .. } => "overdrawn",
        LedgerError::OutOfRange => "out of range",
        LedgerError::Malformed => "malformed",
        LedgerError::Db(error) => panic!("the database failed: {error:?}"),
    }
}

async fn book(ctx: &Context, key: &str, steps: Vec<Step>) -> Result<Booked, LedgerError> {
    let (ctx, key) = (ctx.clone(), key.to_owned());
    let db = ctx.db.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let booking = Booking {
                cause: "test".to_owned(),
                key,
                effective_at: ctx.ambient.now() - TimeDelta::days(1),
                actor: &ACTOR,
                subject: None,
                facts: serde_json::json!({}),
                steps,
            };
            ledger::book(tx, &ctx, booking).await
        })
    })
    .await
}

/// The steps of an ask, under a new name or under one that is taken.
fn steps_of(
    ask: &Ask,
    keys: &[AccountKey],
    model: &Model,
    fresh: &str,
) -> Option<(String, Vec<Step>)> {
    let moved = |from: usize, to: usize, amount_minor| Move {
        debit: keys[from].clone(),
        credit: keys[to].clone(),
        amount_minor,
    };
    let pick = |which: usize| {
        model
            .pending
            .keys()
            .nth(which % model.pending.len().max(1))
            .copied()
    };
    let taken = |which: usize| model.booked.get(which % model.booked.len().max(1)).cloned();
    Some(match ask {
        Ask::Pend { from, to, amount } => (
            fresh.to_owned(),
            vec![Step::Pend(moved(*from, *to, *amount))],
        ),
        Ask::Move { from, to, amount } => (
            fresh.to_owned(),
            vec![Step::Move(moved(*from, *to, *amount))],
        ),
        Ask::Post(which) => (fresh.to_owned(), vec![Step::Post(pick(*which)?)]),
        Ask::Void(which) => (fresh.to_owned(), vec![Step::Void(pick(*which)?)]),
        Ask::Repeat(which) => {
            let (key, steps, _) = taken(*which)?;
            (key, steps)
        }
        Ask::Forge(which) => {
            let (key, ..) = taken(*which)?;
            (key, vec![Step::Move(moved(0, 1, 777_777))])
        }
    })
}

async fn play(ctx: &Context, asks: Vec<Ask>) -> Result<(), TestCaseError> {
    let case = format!("{:032x}", u128::from_be_bytes(ctx.ambient.bytes()));
    let keys = keys(&case);
    let mut model = Model::default();
    for (place, ask) in asks.iter().enumerate() {
        let fresh = format!("{case}/{place}");
        let Some((key, steps)) = steps_of(ask, &keys, &model, &fresh) else {
            continue;
        };
        let answer = book(ctx, &key, steps.clone()).await;
        let stands = model.booked.iter().find(|(name, ..)| *name == key).cloned();
        match (stands, answer) {
            (Some((_, same, first)), Ok(again)) => {
                prop_assert_eq!(&same, &steps);
                prop_assert!(again.replayed);
                prop_assert_eq!(
                    (again.leaf_id, again.transfers),
                    (first.leaf_id, first.transfers)
                );
            }
            (Some((_, other, _)), Err(error)) => {
                prop_assert_ne!(&other, &steps);
                prop_assert_eq!(word(&error), "key reused");
            }
            (None, Ok(booked)) => {
                prop_assert_eq!(model.allows(&steps[0]), Ok(()));
                prop_assert_eq!(booked.transfers.len(), 1);
                prop_assert!(
                    model
                        .booked
                        .iter()
                        .all(|(.., other)| other.leaf_id != booked.leaf_id)
                );
                model.apply(&steps[0], booked.transfers[0]);
                model.booked.push((key, steps, booked));
            }
            (None, Err(error)) => prop_assert_eq!(model.allows(&steps[0]), Err(word(&error))),
        }
        compare(ctx, &keys, &model).await?;
    }
    Ok(())
}

/// At every prefix: balances are the model's, locked accounts are not below zero, debits equal credits.
async fn compare(ctx: &Context, keys: &[AccountKey], model: &Model) -> Result<(), TestCaseError> {
    let mut trial: BTreeMap<Currency, i128> = BTreeMap::new();
    let mut owners: Vec<&str> = keys.iter().map(|key| key.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    let mut seen = 0;
    for owner in owners {
        for (purpose, currency, balance) in ledger::balances_of(&ctx.db, owner).await.unwrap() {
            seen += 1;
            let key = AccountKey {
                purpose,
                owner: owner.to_owned(),
                currency,
            };
            prop_assert_eq!(balance, model.of(&key));
            prop_assert!(!purpose.authorises() || balance.available_minor() >= 0);
            let signed = match purpose.side() {
                Side::Debit => balance.posted_minor,
                Side::Credit => -balance.posted_minor,
            };
            *trial.entry(currency).or_default() += signed;
        }
    }
    prop_assert_eq!(seen, model.balances.len());
    prop_assert!(trial.values().all(|sum| *sum == 0));
    Ok(())
}

fn vnd(purpose: Purpose, owner: &str) -> AccountKey {
    AccountKey {
        purpose,
        owner: owner.to_owned(),
        currency: Currency::VND,
    }
}

fn moved(debit: AccountKey, credit: AccountKey, amount_minor: i64) -> Move {
    Move {
        debit,
        credit,
        amount_minor,
    }
}

/// An amount that a shop owes to an affiliate.
fn earned(amount_minor: i64) -> Move {
    moved(
        vnd(Purpose::ShopReceivable, "shop"),
        vnd(Purpose::AffiliatePayable, "an"),
        amount_minor,
    )
}

/// The same taken back.
fn drawn(amount_minor: i64) -> Move {
    moved(
        vnd(Purpose::AffiliatePayable, "an"),
        vnd(Purpose::ShopReceivable, "shop"),
        amount_minor,
    )
}

async fn run_raw(ctx: &Context, sql: &'static str) -> Result<u64, DbError> {
    let statement = Statement {
        name: "RAW",
        text: Text::Both(sql),
    };
    ctx.db
        .write(move |tx| Box::pin(async move { tx.sql(statement).execute().await }))
        .await
}

both_engines! {
    async fn any_history_of_bookings_is_what_the_model_says(app: TestApp) {
        let ctx = app.context().clone();
        let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
        tokio::task::block_in_place(|| {
            let runtime = tokio::runtime::Handle::current();
            TestRunner::new(config).run(&asks(), |asks| runtime.block_on(play(&ctx, asks))).unwrap();
        });
        assert_eq!(ledger::laws(&ctx.db).await.unwrap(), []);
    }

    async fn a_booking_of_several_steps_stands_whole_or_not_at_all(app: TestApp) {
        let ctx = app.context();
        let steps = vec![Step::Move(earned(100)), Step::Move(drawn(60)), Step::Move(drawn(41))];
        let refused = book(ctx, "short", steps).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Overdrawn { short_minor: 1, .. }), "{refused}");
        assert_eq!(ledger::balances_of(&ctx.db, "an").await.unwrap(), []);
        let steps = vec![Step::Move(earned(100)), Step::Move(drawn(60)), Step::Move(drawn(40))];
        let booked = book(ctx, "whole", steps).await.unwrap();
        assert_eq!(booked.transfers.len(), 3);
        let [(.., balance)] = ledger::balances_of(&ctx.db, "an").await.unwrap()[..] else { panic!() };
        assert_eq!(balance, Balance::default());
    }

    async fn racing_draws_never_take_more_than_there_is(app: TestApp) {
        let ctx = app.context();
        book(ctx, "earned", vec![Step::Move(earned(1_000))]).await.unwrap();
        let draws = (0..8).map(|task| {
            let ctx = ctx.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                for place in 0..20 {
                    match book(&ctx, &format!("{task}/{place}"), vec![Step::Move(drawn(15))]).await {
                        Ok(_) => taken += 15,
                        Err(LedgerError::Overdrawn { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
                taken
            })
        });
        let taken: i64 = futures_util::future::join_all(draws).await.into_iter().map(Result::unwrap).sum();
        assert_eq!(taken, 990, "66 draws of 15 and not one more");
        assert_eq!(ledger::laws(&ctx.db).await.unwrap(), []);
    }

    async fn a_pending_transfer_is_resolved_once_however_many_try(app: TestApp) {
        let ctx = app.context();
        let pending = book(ctx, "accrued", vec![Step::Pend(earned(500))]).await.unwrap().transfers[0];
        let tries = (0..8).map(|task| {
            let ctx = ctx.clone();
            tokio::spawn(async move {
                let step = if task % 2 == 0 { Step::Post(pending) } else { Step::Void(pending) };
                book(&ctx, &format!("resolve/{task}"), vec![step]).await
            })
        });
        let answers = futures_util::future::join_all(tries).await;
        let won = answers.iter().filter(|answer| answer.as_ref().unwrap().is_ok()).count();
        assert_eq!(won, 1);
        let [(.., balance)] = ledger::balances_of(&ctx.db, "an").await.unwrap()[..] else { panic!() };
        assert_eq!(balance.pending_in_minor, 0);
        assert!([0, 500].contains(&balance.posted_minor));
    }

    async fn the_same_booking_at_the_same_moment_stands_once(app: TestApp) {
        let ctx = app.context();
        let tries = (0..8).map(|_| {
            let ctx = ctx.clone();
            tokio::spawn(async move { book(&ctx, "once", vec![Step::Move(earned(500))]).await })
        });
        for answer in futures_util::future::join_all(tries).await {
            assert!(matches!(answer.unwrap(), Ok(_) | Err(LedgerError::Raced)));
        }
        let [(.., balance)] = ledger::balances_of(&ctx.db, "an").await.unwrap()[..] else { panic!() };
        assert_eq!(balance.posted_minor, 500);
    }

    async fn the_database_refuses_to_edit_history(app: TestApp) {
        let ctx = app.context();
        book(ctx, "earned", vec![Step::Move(earned(1_000))]).await.unwrap();
        for sql in [
            "UPDATE ledger_transfer SET amount_minor = 1",
            "DELETE FROM ledger_transfer",
            "UPDATE ledger_account SET owner = 'other'",
            "UPDATE ledger_account SET currency = 'USD'",
            "DELETE FROM ledger_account",
        ] {
            assert!(run_raw(ctx, sql).await.is_err(), "{sql}");
        }
        run_raw(ctx, "UPDATE ledger_account SET lock_count = lock_count + 1").await.unwrap();
    }

    async fn the_database_refuses_mixed_currencies_and_resolutions_of_another_amount(app: TestApp) {
        let ctx = app.context();
        book(ctx, "accrued", vec![Step::Pend(earned(1_000))]).await.unwrap();
        let mixed = "INSERT INTO ledger_transfer (transfer_id, debit_account_id, credit_account_id, currency,
                         amount_minor, kind, source_event, idempotency_key, line, effective_at, recorded_at, leaf_id)
                     SELECT debit_account_id, debit_account_id, credit_account_id, 'USD', 1, 'posted', 'x', 'x', 0,
                         effective_at, recorded_at, leaf_id
                     FROM ledger_transfer";
        assert!(matches!(run_raw(ctx, mixed).await, Err(DbError::Conflict(_))));
        let other_amount = "INSERT INTO ledger_transfer (transfer_id, debit_account_id, credit_account_id, currency,
                                amount_minor, kind, pending_id, source_event, idempotency_key, line, effective_at,
                                recorded_at, leaf_id)
                            SELECT debit_account_id, debit_account_id, credit_account_id, currency, amount_minor - 1,
                                'post_pending', transfer_id, 'x', 'x', 0, effective_at, recorded_at, leaf_id
                            FROM ledger_transfer";
        assert!(run_raw(ctx, other_amount).await.is_err());
    }

    async fn sums_beyond_64_bits_are_counted_and_not_wrapped(app: TestApp) {
        let ctx = app.context();
        let steps = vec![Step::Move(earned(MINOR_MAX)); STEPS_MAX];
        for booking in 0..6 {
            book(ctx, &format!("huge/{booking}"), steps.clone()).await.unwrap();
        }
        let [(.., balance)] = ledger::balances_of(&ctx.db, "an").await.unwrap()[..] else { panic!() };
        assert_eq!(balance.posted_minor, i128::from(MINOR_MAX) * 1_200);
        assert!(balance.posted_minor > i128::from(i64::MAX));
        let more = vec![Step::Move(earned(1)); STEPS_MAX + 1];
        assert!(matches!(book(ctx, "more", more).await, Err(LedgerError::Malformed)));
        assert_eq!(ledger::laws(&ctx.db).await.unwrap(), []);
        let nets = ledger::nets_by_cause(&ctx.db, Purpose::ShopReceivable, "a", "z").await.unwrap();
        assert_eq!(nets, [("test".to_owned(), balance.posted_minor)]);
    }
}
