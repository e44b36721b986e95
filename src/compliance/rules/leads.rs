//! Where an address leads beyond what it shows: addresses inside it, short and app links, strangers' shorteners.
//!
//! Nothing is fetched: what a stranger's server would answer today says nothing of tomorrow, and a screening that waits
//! for a network is no screening. What can be read is followed; what only a stranger knows goes to a person.

use std::{collections::HashMap, sync::LazyLock};

use url::form_urlencoded;

use super::read::{Place, Surety};
use crate::kernel::host::WebUrl;

/// How deep addresses may be packed into each other.
const DEPTH_MAX: usize = 3;

/// Addresses inside one that are followed; one with more is looked at by a person.
const INSIDE_MAX: usize = 16;

/// Hosts of platforms' app and short links, and the platform each stands for: `host,platform,leads,source`.
static APP_LINKS: LazyLock<HashMap<&str, Vec<(&str, Surety)>>> = LazyLock::new(|| {
    let mut links: HashMap<&str, Vec<(&str, Surety)>> = HashMap::new();
    for line in include_str!("../data/app-links.csv").lines().skip(1) {
        let mut cells = line.split(',');
        if let (Some(host), Some(platform), Some(leads)) =
            (cells.next(), cells.next(), cells.next())
        {
            let surety = match leads {
                "always" => Surety::Leads,
                _ => Surety::May,
            };
            links.entry(host).or_default().push((platform, surety));
        }
    }
    links
});

/// Hosts whose links lead wherever their makers said: `host,source`.
static SHORTENERS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("../data/shorteners.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect()
});

/// Parameters that name where the reader is sent.
static REDIRECTING: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("../data/redirect-parameters.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// The addresses that `url` surely leads to.
pub(in crate::compliance) fn led_to(url: &WebUrl) -> Vec<WebUrl> {
    let (found, _) = beyond(url);
    let sure = found.into_iter().filter(|(_, how)| *how == Surety::Leads);
    sure.map(|(place, _)| place.url).collect()
}

/// The addresses that `url` leads to, and whether it also leads where nobody here can tell.
pub(super) fn beyond(url: &WebUrl) -> (Vec<(Place, Surety)>, bool) {
    let mut found: Vec<(WebUrl, Surety)> = Vec::new();
    let mut is_blind = is_shortener(url);
    let mut layer = vec![(url.clone(), Surety::Leads)];
    for _ in 0..DEPTH_MAX {
        let mut next = Vec::new();
        for (outer, surety) in &layer {
            for (inner, how) in inside(outer).into_iter().chain(platforms(outer)) {
                let how = if *surety == Surety::May {
                    Surety::May
                } else {
                    how
                };
                let is_known = inner == *url || found.iter().any(|(known, _)| *known == inner);
                if is_known {
                    continue;
                }
                if found.len() >= INSIDE_MAX {
                    is_blind = true;
                    continue;
                }
                is_blind |= how == Surety::Leads && is_shortener(&inner);
                found.push((inner.clone(), how));
                next.push((inner, how));
            }
        }
        layer = next;
    }
    is_blind |= layer.iter().any(|(deepest, _)| !inside(deepest).is_empty());
    let places = found.into_iter().map(|(url, how)| (Place::of(url), how));
    (places.collect(), is_blind)
}

fn is_shortener(url: &WebUrl) -> bool {
    let host = url.host().as_str();
    SHORTENERS.iter().any(|short| is_within(host, short))
}

fn is_within(host: &str, above: &str) -> bool {
    host.strip_suffix(above)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The front pages of the platforms that a short or app link stands for.
fn platforms(url: &WebUrl) -> Vec<(WebUrl, Surety)> {
    let host = url.host().as_str();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let platforms = APP_LINKS.get(host).into_iter().flatten();
    platforms
        .filter_map(|(platform, how)| {
            let front = WebUrl::parse(&format!("https://{platform}/")).ok()?;
            Some((front, *how))
        })
        .collect()
}

/// The addresses written inside `url`: as values of its query or fragment, or at the end of its path.
fn inside(url: &WebUrl) -> Vec<(WebUrl, Surety)> {
    let mut found = Vec::new();
    let parsed = url.url();
    let fragment = parsed.fragment().unwrap_or_default();
    let fragment = fragment.trim_start_matches(['/', '!', '?']);
    let pairs = parsed
        .query_pairs()
        .chain(form_urlencoded::parse(fragment.as_bytes()));
    for (name, value) in pairs {
        let redirects = REDIRECTING.contains(&name.to_ascii_lowercase().as_str());
        let bare = redirects.then_some(value.as_ref());
        let how = if redirects {
            Surety::Leads
        } else {
            Surety::May
        };
        // A query or fragment that is an address and no pair has it as its name.
        let written = address(&value).or_else(|| address(&name));
        found.extend(
            written
                .or_else(|| bare.and_then(bare_host))
                .map(|url| (url, how)),
        );
    }
    let path = decoded(parsed.path());
    let written = ["http:/", "https:/"].iter();
    let at = written
        .filter_map(|scheme| path.to_ascii_lowercase().find(scheme))
        .min();
    let in_path = at.and_then(|at| path.get(at..)).and_then(address);
    found.extend(in_path.map(|url| (url, Surety::Leads)));
    found
}

/// The address that `text` is, however often it was encoded.
fn address(text: &str) -> Option<WebUrl> {
    let mut text = text.trim().to_owned();
    for _ in 0..DEPTH_MAX {
        let lower = text
            .get(..8.min(text.len()))
            .unwrap_or_default()
            .to_ascii_lowercase();
        if lower.starts_with("http:/") || lower.starts_with("https:/") {
            return WebUrl::parse(&text).ok();
        }
        if let Some(rest) = text.strip_prefix("//") {
            return WebUrl::parse(&format!("https://{rest}")).ok();
        }
        if !text.contains('%') {
            return None;
        }
        text = decoded(&text);
    }
    None
}

/// `shop.example.com/p`, as redirecting parameters also take it.
fn bare_host(text: &str) -> Option<WebUrl> {
    let is_like_a_host = text.contains('.') && !text.contains([' ', '@']);
    is_like_a_host
        .then(|| WebUrl::parse(&format!("https://{text}")).ok())
        .flatten()
}

fn decoded(text: &str) -> String {
    let whole = format!("v={}", text.replace('&', "%26").replace('+', "%2B"));
    form_urlencoded::parse(whole.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> (Vec<String>, bool) {
        let (places, is_blind) = beyond(&WebUrl::parse(url).unwrap());
        let shown = |(place, how): &(Place, Surety)| match how {
            Surety::Leads => place.url.to_string(),
            Surety::May => format!("? {}", place.url),
        };
        (places.iter().map(shown).collect(), is_blind)
    }

    #[test]
    fn addresses_inside_an_address_are_read() {
        for (url, inside) in [
            (
                "https://go.example.com/?url=https://bad.example.org/p",
                "https://bad.example.org/p",
            ),
            (
                "https://go.example.com/?URL=https%3A%2F%2Fbad.example.org",
                "https://bad.example.org/",
            ),
            (
                "https://go.example.com/?u=https%253A%252F%252Fbad.example.org",
                "https://bad.example.org/",
            ),
            (
                "https://go.example.com/?redirect=//bad.example.org/x",
                "https://bad.example.org/x",
            ),
            (
                "https://go.example.com/?to=bad.example.org/x",
                "https://bad.example.org/x",
            ),
            (
                "https://go.example.com/out/https://bad.example.org/x",
                "https://bad.example.org/x",
            ),
            (
                "https://go.example.com/#url=https://bad.example.org/x",
                "https://bad.example.org/x",
            ),
            (
                "https://go.example.com/#https://bad.example.org/x",
                "? https://bad.example.org/x",
            ),
            (
                "https://go.example.com/?ref=https://bad.example.org/x",
                "? https://bad.example.org/x",
            ),
        ] {
            assert_eq!(shown(url), (vec![inside.to_owned()], false), "{url}");
        }
        let deep = "https://a.example.com/?url=https%3A%2F%2Fb.example.com%2F%3Furl%3Dhttps%253A%252F%252Fc.example.com";
        assert_eq!(shown(deep).0.len(), 2);
        for url in [
            "https://a.example.com/?q=noi+com",
            "https://a.example.com/?url=/p/1",
            "https://a.example.com/?u=xy",
        ] {
            assert_eq!(shown(url), (vec![], false), "{url}");
        }
    }

    #[test]
    fn more_addresses_than_are_followed_are_a_persons_to_follow() {
        let many: Vec<String> = (0..20)
            .map(|n| format!("p{n}=https://h{n}.example.com"))
            .collect();
        let (inside, is_blind) = shown(&format!("https://a.example.com/?{}", many.join("&")));
        assert_eq!(inside.len(), INSIDE_MAX);
        assert!(is_blind);
    }

    #[test]
    fn short_and_app_links_stand_for_their_platform() {
        assert_eq!(
            shown("https://shope.ee/3abc"),
            (vec!["https://shopee.vn/".to_owned()], false)
        );
        assert_eq!(
            shown("https://vt.tiktok.com/x"),
            (
                vec![
                    "? https://shop.tiktok.com/".to_owned(),
                    "https://tiktok.com/".to_owned()
                ],
                false
            )
        );
        assert_eq!(shown("https://bit.ly/x"), (vec![], true));
        assert_eq!(shown("https://abc.onelink.me/x"), (vec![], true));
        assert!(shown("https://a.example.com/?url=https://bit.ly/x").1);
    }

    #[test]
    fn the_data_read() {
        for file in [
            include_str!("../data/app-links.csv"),
            include_str!("../data/shorteners.csv"),
        ] {
            let columns = file.lines().next().unwrap().split(',').count();
            for line in file.lines() {
                assert_eq!(line.split(',').count(), columns, "{line}");
            }
        }
        for (host, platforms) in APP_LINKS.iter() {
            for name in platforms.iter().map(|(platform, _)| platform).chain([host]) {
                assert!(WebUrl::parse(&format!("https://{name}/")).is_ok(), "{name}");
            }
        }
    }
}
