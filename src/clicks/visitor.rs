//! Who clicked, without knowing who: a pseudonym that lasts a day.
//!
//! It is a keyed digest over the legal day, the network address and the `User-Agent`, cut to 16 bytes. Within a day it
//! tells one visitor from another; across days it tells nothing, and without our key nobody can try addresses until
//! one fits. The address itself is neither stored nor handed on.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use chrono::Datelike;

use crate::kernel::{
    clock::{Instant, legal_day},
    secret::{KeyRing, Purpose},
};

use super::agent::AGENT_BYTES_MAX;

/// A visitor's name for one day.
pub(super) type Visitor = [u8; 16];

const LABEL: &[u8] = b"click visitor v1";

/// Makes pseudonyms by a key it holds ready.
pub(super) struct Pseudonyms(hmac::Key);

impl Pseudonyms {
    /// Takes the current key of the ring. After a rotation a day's visitors may count twice, once.
    #[must_use]
    pub(super) fn new(keys: &KeyRing) -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA256,
            keys.key(Purpose::Pseudonym).1.bytes(),
        ))
    }

    /// The pseudonym of whoever clicks from `address` with `user_agent` on the day of `at`.
    #[must_use]
    pub(super) fn of(&self, at: Instant, address: Option<IpAddr>, user_agent: &[u8]) -> Visitor {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(LABEL);
        context.update(&legal_day(at).num_days_from_ce().to_be_bytes());
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => context.update(&address.octets()),
            Some(IpAddr::V6(address)) => context.update(&network_of(address.octets())),
            None => {}
        }
        context.update(b"\0");
        context.update(user_agent.get(..AGENT_BYTES_MAX).unwrap_or(user_agent));
        let mut visitor = Visitor::default();
        for (to, from) in visitor.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        visitor
    }
}

/// The /64 of an IPv6 address: the rest changes by the hour on phones.
fn network_of(octets: [u8; 16]) -> [u8; 8] {
    let mut network = [0; 8];
    for (to, from) in network.iter_mut().zip(octets) {
        *to = from;
    }
    network
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(***)")
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn of(keys: [u8; 32], days: i64, address: &str, agent: &str) -> Visitor {
        let at =
            chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::days(days);
        let ring = KeyRing::of(keys, chrono::DateTime::UNIX_EPOCH);
        Pseudonyms::new(&ring).of(at, address.parse().ok(), agent.as_bytes())
    }

    #[test]
    fn one_visitor_has_one_name_a_day() {
        let visitor = of([1; 32], 0, "203.0.113.9", "Firefox");
        assert_eq!(visitor, of([1; 32], 0, "203.0.113.9", "Firefox"));
        assert_eq!(visitor, of([1; 32], 0, "::ffff:203.0.113.9", "Firefox"));
        assert_ne!(visitor, of([1; 32], 1, "203.0.113.9", "Firefox"));
        assert_ne!(visitor, of([1; 32], 0, "203.0.113.10", "Firefox"));
        assert_ne!(visitor, of([1; 32], 0, "203.0.113.9", "Chrome"));
        assert_ne!(visitor, of([2; 32], 0, "203.0.113.9", "Firefox"));
    }

    #[test]
    fn a_phone_that_changes_its_address_within_its_network_stays_one_visitor() {
        assert_eq!(
            of([1; 32], 0, "2001:db8:1:2::5", "x"),
            of([1; 32], 0, "2001:db8:1:2:aaaa::6", "x")
        );
        assert_ne!(
            of([1; 32], 0, "2001:db8:1:2::5", "x"),
            of([1; 32], 0, "2001:db8:1:3::5", "x")
        );
    }
}
