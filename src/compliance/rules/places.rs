//! What the lists say of addresses.

use chrono::NaiveDate;

use super::{
    super::{
        ground::GroundCode,
        keys,
        lists::{Compiled, Found},
        model::{Ground, MatchKind},
    },
    plain,
};
use crate::kernel::host::WebUrl;

pub(super) fn addresses_in(
    list: &Compiled,
    places: &[(Found<'_>, WebUrl)],
    day: NaiveDate,
) -> Vec<Ground> {
    let mut grounds = Vec::new();
    for (found, url) in places {
        let hosts = keys::hosts_up(url.host())
            .filter_map(|host| list.exactly(MatchKind::Domain, host, day, *found));
        grounds.extend(hosts);
        let whole = keys::whole_address(url);
        let without_query = keys::address_without_query(url);
        grounds.extend(list.exactly(MatchKind::Url, &whole, day, *found));
        if without_query != whole {
            grounds.extend(list.exactly(MatchKind::Url, &without_query, day, *found));
        }
    }
    grounds
}

pub(super) fn unreadable(place: Found<'_>) -> Ground {
    let length = i64::try_from(place.original.chars().count()).unwrap_or(i64::MAX);
    Ground {
        field: Some(place.field),
        matched: Some(place.original.to_owned()),
        span: Some([0, length]),
        ..plain(GroundCode::ScreeningUnavailable)
    }
}
