//! What kind of client clicked, by its `User-Agent`.
//!
//! Crawlers and link previews fetch every address they see; counting them as people would inflate the figures on which
//! shops judge their affiliates. They are marked, not dropped: their redirect works and their row is kept. The
//! substrings are data (`data/agents.csv`), kept to clients that say what they are.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::model::Agent;

/// Bytes of a `User-Agent` that are looked at; real ones are below 500.
pub(super) const AGENT_BYTES_MAX: usize = 1024;

struct Table {
    finder: Option<AhoCorasick>,
    kinds: Vec<Agent>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rows = include_str!("data/agents.csv").lines().skip(1);
    let rows = rows.filter_map(|row| row.rsplit_once(','));
    let (substrings, kinds): (Vec<&str>, Vec<Agent>) = rows
        .filter_map(|(substring, kind)| Some((substring, kind.parse::<Agent>().ok()?)))
        .unzip();
    let finder = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostFirst)
        .build(substrings);
    Table {
        finder: finder.ok(),
        kinds,
    }
});

/// The kind of client that sends `user_agent`. One that sends none is a program.
#[must_use]
pub(super) fn kind_of(user_agent: &[u8]) -> Agent {
    let seen = user_agent.get(..AGENT_BYTES_MAX).unwrap_or(user_agent);
    if seen.iter().all(u8::is_ascii_whitespace) {
        return Agent::Bot;
    }
    let table = &*TABLE;
    let found = table.finder.as_ref().and_then(|finder| finder.find(seen));
    found
        .and_then(|found| table.kinds.get(found.pattern().as_usize()))
        .copied()
        .unwrap_or(Agent::Person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_people_in_the_apps_of_this_market_too() {
        for agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 14; SM-A556E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 13; V2247 Build/TP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0 Mobile Safari/537.36 Zalo android/12100737",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/450.0.0.38.108;FBBV/564431005;FBDV/iPhone14,5]",
            "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0 Mobile Safari/537.36 trill_340103 BytedanceWebview/d8a21c6",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0",
        ] {
            assert_eq!(kind_of(agent.as_bytes()), Agent::Person, "{agent}");
        }
    }

    #[test]
    fn previews_and_bots_are_told_apart() {
        for (agent, kind) in [
            (
                "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
                Agent::Preview,
            ),
            (
                "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
                Agent::Preview,
            ),
            ("TelegramBot (like TwitterBot)", Agent::Preview),
            ("WhatsApp/2.23.20.0", Agent::Preview),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                Agent::Bot,
            ),
            (
                "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
                Agent::Bot,
            ),
            ("curl/8.5.0", Agent::Bot),
            ("python-requests/2.32.3", Agent::Bot),
            ("", Agent::Bot),
            ("   ", Agent::Bot),
        ] {
            assert_eq!(kind_of(agent.as_bytes()), kind, "{agent}");
        }
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let rows = include_str!("data/agents.csv").lines().skip(1).count();
        assert_eq!(TABLE.kinds.len(), rows);
        assert!(TABLE.finder.is_some());
    }

    #[test]
    fn bytes_that_are_no_text_and_endless_ones_are_looked_at_all_the_same() {
        assert_eq!(kind_of(&[0xff; 10]), Agent::Person);
        assert_eq!(kind_of(&b"x".repeat(100_000)), Agent::Person);
    }
}
