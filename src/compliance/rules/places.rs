//! What the lists say of addresses.

use chrono::NaiveDate;

use super::{
    super::{
        ground::GroundCode,
        keys,
        lists::{Compiled, Found},
        model::{Effect, Ground, MatchKind},
    },
    plain,
    read::{Address, Place, Surety},
};

/// What `list` says of the addresses as they stand, by the first rules.
pub(super) fn addresses_in(
    list: &Compiled,
    addresses: &[Address<'_>],
    day: NaiveDate,
) -> Vec<Ground> {
    let each = addresses.iter();
    each.flat_map(|address| named(list, &address.place, day, address.found))
        .collect()
}

/// What `list` says of the addresses, of those they lead to, and of names that only look like its own.
pub(super) fn reached_in(
    list: &Compiled,
    addresses: &[Address<'_>],
    day: NaiveDate,
) -> Vec<Ground> {
    let mut grounds: Vec<Ground> = Vec::new();
    for address in addresses {
        let as_it_stands = named(list, &address.place, day, address.found);
        let first = grounds.len();
        grounds.extend(as_it_stands);
        let here = std::iter::once((&address.place, Surety::Leads));
        let beyond = address.beyond.iter().map(|(place, how)| (place, *how));
        for (place, how) in here.chain(beyond) {
            let mut more = named(list, place, day, address.found);
            if how == Surety::May {
                for ground in &mut more {
                    ground.effect = Effect::Review;
                }
            }
            more.extend(
                keys::hosts_up(place.url.host())
                    .flat_map(|host| list.looks_like(host, day, address.found)),
            );
            for ground in more {
                let mut known = grounds.iter().skip(first);
                if !known.any(|known| known.entry_id == ground.entry_id) {
                    grounds.push(ground);
                }
            }
        }
    }
    grounds
}

/// Entries that name the host, one above it, or the address.
fn named(list: &Compiled, place: &Place, day: NaiveDate, found: Found<'_>) -> Vec<Ground> {
    let hosts = keys::hosts_up(place.url.host())
        .filter_map(|host| list.exactly(MatchKind::Domain, host, day, found));
    let addresses = place
        .addresses()
        .filter_map(|address| list.exactly(MatchKind::Url, address, day, found));
    hosts.chain(addresses).collect()
}

/// An address that does not read cannot be cleared.
pub(super) fn unreadable(place: Found<'_>) -> Ground {
    let length = i64::try_from(place.original.chars().count()).unwrap_or(i64::MAX);
    Ground {
        field: Some(place.field),
        matched: Some(place.original.to_owned()),
        span: Some([0, length]),
        ..plain(GroundCode::ScreeningUnavailable)
    }
}

/// A person looks where an address leads that only a stranger can tell.
pub(super) fn blind(address: &Address<'_>) -> Option<Ground> {
    address.is_blind.then(|| Ground {
        effect: Effect::Review,
        ..unreadable(address.found)
    })
}
