//! Brakes on guessing, in process and always on.
//!
//! Only failures count, so a correct caller is never slowed, however often it signs in. Three things are counted:
//!
//! | what | failures | then |
//! |---|---|---|
//! | an address from one place | 5, one more every 12 s | 429 for that address from that place |
//! | a place, whatever the address | 60, one more a second | 429 for that place |
//! | an address, wherever from | 100, one more every 36 s | the address is under attack: each place has one failure a minute |
//!
//! The last line never refuses an address as such: a place without a failure is always heard, so a stranger who fails
//! ten thousand times from ten thousand places slows ten thousand places, not the owner. A place is an IPv4 address or
//! an IPv6 /64, the least that one customer gets. Addresses are known here by keyed digest alone.
//!
//! A check before the password is hashed and a count after would let as many guesses through as run at once; so the
//! check is made again when a guess gets its turn, of which there are two.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos,
    state::StateStore,
};

use super::error::AccountsError;
use crate::kernel::{ambient::Ambient, digest::Digest};

/// Keys remembered by one counter before those without effect are forgotten.
const KEYS_MAX: usize = 100_000;

const FIVE: NonZeroU32 = NonZeroU32::new(5).unwrap();
const SIXTY: NonZeroU32 = NonZeroU32::new(60).unwrap();
const HUNDRED: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Where a request comes from, as coarse as one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place(IpAddr);

impl From<IpAddr> for Place {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Whose failures count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Attempt {
    /// Keyed digest of the address tried.
    pub(super) address: Digest,
    /// From where.
    pub(super) place: Place,
}

/// Counts failures to sign in and to sign up.
#[derive(Debug)]
pub(super) struct Throttle {
    pair: Counter<Attempt>,
    pair_under_attack: Counter<Attempt>,
    place: Counter<Place>,
    address: Counter<Digest>,
    sign_ups: Counter<Place>,
}

impl Throttle {
    pub(super) fn new(ambient: &Ambient) -> Self {
        let seconds = Duration::from_secs;
        Self {
            pair: Counter::new(ambient, FIVE, seconds(12)),
            pair_under_attack: Counter::new(ambient, NonZeroU32::MIN, seconds(60)),
            place: Counter::new(ambient, SIXTY, seconds(1)),
            address: Counter::new(ambient, HUNDRED, seconds(36)),
            sign_ups: Counter::new(ambient, HUNDRED, seconds(36)),
        }
    }

    /// Goes on unless this place, or this address from this place, has failed too often.
    pub(super) fn check(&self, attempt: &Attempt) -> Result<(), AccountsError> {
        self.place.peek(&attempt.place)?;
        self.pair.peek(attempt)?;
        if self.address.peek(&attempt.address).is_err() {
            self.pair_under_attack.peek(attempt)?;
        }
        Ok(())
    }

    /// Counts a failure.
    pub(super) fn failed(&self, attempt: &Attempt) {
        // A counter that is already full stays full; the answer was given before.
        let _ = self.place.take(&attempt.place);
        let _ = self.pair.take(attempt);
        let _ = self.pair_under_attack.take(attempt);
        let _ = self.address.take(&attempt.address);
    }

    /// Counts a sign-up from a place, where request quotas apply.
    pub(super) fn sign_up(&self, place: Place) -> Result<(), AccountsError> {
        self.sign_ups.take(&place)
    }
}

/// Nanoseconds of our own clock, so that tests move it.
#[derive(Debug, Clone)]
struct Ticks(Ambient);

impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let micros = u64::try_from(self.0.now().timestamp_micros()).unwrap_or(0);
        Duration::from_micros(micros)
    }
}

/// When each key will have been forgiven everything.
type Forgiven<K> = Arc<Mutex<HashMap<K, Nanos>>>;

/// A store that remembers, or only looks.
#[derive(Debug)]
struct Store<K> {
    forgiven: Forgiven<K>,
    remembers: bool,
}

impl<K: Eq + Hash + Copy> StateStore for Store<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut forgiven = self.forgiven.lock().unwrap_or_else(PoisonError::into_inner);
        let (outcome, until) = decide(forgiven.get(key).copied())?;
        if self.remembers {
            forgiven.insert(*key, until);
        }
        Ok(outcome)
    }
}

type Limiter<K> = RateLimiter<K, Store<K>, Ticks, NoOpMiddleware<Duration>>;

/// Failures per key: counted by one limiter, looked at by another over the same memory.
struct Counter<K: Eq + Hash + Copy> {
    taking: Limiter<K>,
    peeking: Limiter<K>,
    forgiven: Forgiven<K>,
    ticks: Ticks,
    started: Duration,
}

impl<K: Eq + Hash + Copy> Counter<K> {
    /// `burst` failures at once, one more `every` so long.
    fn new(ambient: &Ambient, burst: NonZeroU32, every: Duration) -> Self {
        let one_a_second = Quota::per_second(NonZeroU32::MIN);
        let quota = Quota::with_period(every)
            .unwrap_or(one_a_second)
            .allow_burst(burst);
        let forgiven: Forgiven<K> = Arc::default();
        let ticks = Ticks(ambient.clone());
        let started = ticks.now();
        let limiter = |remembers| {
            let forgiven = forgiven.clone();
            RateLimiter::new(
                quota,
                Store {
                    forgiven,
                    remembers,
                },
                ticks.clone(),
            )
        };
        Self {
            taking: limiter(true),
            peeking: limiter(false),
            forgiven,
            ticks,
            started,
        }
    }

    fn peek(&self, key: &K) -> Result<(), AccountsError> {
        self.peeking
            .check_key(key)
            .map_err(|until| self.throttled(&until))
    }

    fn take(&self, key: &K) -> Result<(), AccountsError> {
        self.forget_some();
        self.taking
            .check_key(key)
            .map_err(|until| self.throttled(&until))
    }

    fn throttled(&self, until: &NotUntil<Duration>) -> AccountsError {
        let wait = until.wait_time_from(self.ticks.now());
        AccountsError::Throttled {
            retry_after_seconds: wait.as_secs().saturating_add(1),
        }
    }

    /// Bounds the memory: what is forgiven by now is as good as never seen.
    fn forget_some(&self) {
        let mut forgiven = self.forgiven.lock().unwrap_or_else(PoisonError::into_inner);
        if forgiven.len() >= KEYS_MAX {
            let now = Nanos::from(self.ticks.now().saturating_sub(self.started));
            forgiven.retain(|_, until| *until > now);
            // Hashing is far too slow to fill the memory within a counter's span; should it ever be, start anew.
            if forgiven.len() >= KEYS_MAX {
                forgiven.clear();
            }
        }
    }
}

impl<K: Eq + Hash + Copy> std::fmt::Debug for Counter<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counter")
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::kernel::{clock::ManualClock, random::SeededRandom};

    fn throttle() -> (Throttle, Arc<ManualClock>) {
        let start = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let clock = Arc::new(ManualClock::at(start));
        let ambient = Ambient::new(clock.clone(), Arc::new(SeededRandom::new(1)));
        (Throttle::new(&ambient), clock)
    }

    fn attempt(address: u8, place: u32) -> Attempt {
        let place = Place::from(IpAddr::V4(place.into()));
        Attempt {
            address: [address; 32],
            place,
        }
    }

    fn wait_of(outcome: Result<(), AccountsError>) -> u64 {
        match outcome {
            Err(AccountsError::Throttled {
                retry_after_seconds,
            }) => retry_after_seconds,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn s10_the_sixth_try_after_five_failures_in_a_minute_waits() {
        let (throttle, clock) = throttle();
        let attempt = attempt(1, 1);
        for _ in 0..5 {
            throttle.check(&attempt).unwrap();
            throttle.failed(&attempt);
        }
        assert_eq!(wait_of(throttle.check(&attempt)), 13);
        clock.advance(TimeDelta::seconds(12));
        throttle.check(&attempt).unwrap();
        throttle.failed(&attempt);
        assert!(throttle.check(&attempt).is_err());
        clock.advance(TimeDelta::seconds(60));
        throttle.check(&attempt).unwrap();
    }

    #[test]
    fn looking_counts_nothing() {
        let (throttle, _) = throttle();
        for _ in 0..10_000 {
            throttle.check(&attempt(1, 1)).unwrap();
        }
    }

    #[test]
    fn another_address_and_another_place_are_not_slowed() {
        let (throttle, _) = throttle();
        for _ in 0..5 {
            throttle.failed(&attempt(1, 1));
        }
        assert!(throttle.check(&attempt(1, 1)).is_err());
        throttle.check(&attempt(2, 1)).unwrap();
        throttle.check(&attempt(1, 2)).unwrap();
    }

    #[test]
    fn a_place_that_fails_with_many_addresses_waits() {
        let (throttle, _) = throttle();
        for address in 0..60 {
            throttle.check(&attempt(address, 1)).unwrap();
            throttle.failed(&attempt(address, 1));
        }
        assert!(throttle.check(&attempt(200, 1)).is_err());
        throttle.check(&attempt(200, 2)).unwrap();
    }

    #[test]
    fn s10_ten_thousand_failures_from_many_places_do_not_lock_the_owner_out() {
        let (throttle, clock) = throttle();
        for place in 1..=10_000 {
            throttle.check(&attempt(1, place)).unwrap();
            throttle.failed(&attempt(1, place));
        }
        let owner = attempt(1, 20_000);
        throttle.check(&owner).unwrap();
        // Under attack a place has one failure a minute, and so has the owner's.
        assert!(throttle.check(&attempt(1, 10_000)).is_err());
        throttle.failed(&owner);
        assert!(throttle.check(&owner).is_err());
        clock.advance(TimeDelta::seconds(60));
        throttle.check(&owner).unwrap();
    }

    #[test]
    fn one_customer_is_one_place_in_either_protocol() {
        let place = |text: &str| Place::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(place("2001:db8:1:2::1"), place("2001:db8:1:2:ffff::9"));
        assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
        assert_eq!(place("::ffff:203.0.113.7"), place("203.0.113.7"));
        assert_ne!(place("203.0.113.7"), place("203.0.113.8"));
    }

    #[test]
    fn the_memory_is_bounded() {
        let (throttle, clock) = throttle();
        for place in 0..u32::try_from(KEYS_MAX).unwrap() + 10 {
            throttle.failed(&attempt(1, place));
            clock.advance(TimeDelta::milliseconds(1));
        }
        let remembered = throttle.place.forgiven.lock().unwrap().len();
        assert!(remembered < KEYS_MAX, "{remembered}");
    }
}
