//! Where a redirect goes: the link's target, laid out so that a click only has to put its token in.

use crate::kernel::host::WebUrl;

/// The query key under which a target receives the click token.
pub const TOKEN_KEY: &str = "tv_click";

/// A target in two parts, with the place of the token between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Everything, the token left out.
    text: Box<str>,
    /// Bytes in front of the token.
    cut: usize,
}

impl Landing {
    /// Lays out `target`: its query and fragment are kept as they are written, a `tv_click` of its own is dropped.
    #[must_use]
    pub fn of(target: &WebUrl) -> Self {
        let url = target.url();
        let mut bare = url.clone();
        bare.set_query(None);
        bare.set_fragment(None);
        let mut text = String::from(bare);
        text.push('?');
        for pair in url
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| is_kept(pair))
        {
            text.push_str(pair);
            text.push('&');
        }
        text.push_str(TOKEN_KEY);
        text.push('=');
        let cut = text.len();
        if let Some(fragment) = url.fragment() {
            text.push('#');
            text.push_str(fragment);
        }
        Self {
            text: text.into(),
            cut,
        }
    }

    /// The whole address with `token`, which must need no escaping, in its place.
    #[must_use]
    pub fn with(&self, token: &str) -> String {
        let (head, tail) = self
            .text
            .split_at_checked(self.cut)
            .unwrap_or((&self.text, ""));
        let mut whole = String::with_capacity(self.text.len() + token.len());
        whole.push_str(head);
        whole.push_str(token);
        whole.push_str(tail);
        whole
    }
}

fn is_kept(pair: &str) -> bool {
    !pair.is_empty()
        && url::form_urlencoded::parse(pair.as_bytes()).all(|(key, _)| key != TOKEN_KEY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    fn with_token(target: &str) -> String {
        Landing::of(&WebUrl::parse(target).unwrap()).with("TOKEN")
    }

    #[test]
    fn the_token_joins_the_query_in_front_of_the_fragment() {
        for (target, expected) in [
            (
                "https://shop.example.com",
                "https://shop.example.com/?tv_click=TOKEN",
            ),
            (
                "https://shop.example.com/p?",
                "https://shop.example.com/p?tv_click=TOKEN",
            ),
            (
                "https://shop.example.com/p?a=1",
                "https://shop.example.com/p?a=1&tv_click=TOKEN",
            ),
            (
                "https://shop.example.com/p?a=1&a=2#mô-tả",
                "https://shop.example.com/p?a=1&a=2&tv_click=TOKEN#m%C3%B4-t%E1%BA%A3",
            ),
            (
                "https://shop.example.com/p#/route?x=1",
                "https://shop.example.com/p?tv_click=TOKEN#/route?x=1",
            ),
            (
                "https://shop.example.com/p?q=t%C3%BAi+x%20y&&flag",
                "https://shop.example.com/p?q=t%C3%BAi+x%20y&flag&tv_click=TOKEN",
            ),
        ] {
            assert_eq!(with_token(target), expected);
        }
    }

    #[test]
    fn an_old_token_is_replaced_however_it_is_spelt() {
        for target in [
            "https://shop.example.com/p?tv_click=old&a=1",
            "https://shop.example.com/p?a=1&tv%5Fclick=old",
            "https://shop.example.com/p?tv_click&a=1&tv_click=older",
        ] {
            assert_eq!(
                with_token(target),
                "https://shop.example.com/p?a=1&tv_click=TOKEN"
            );
        }
        assert_eq!(
            with_token("https://shop.example.com/p?tv_clicks=1"),
            "https://shop.example.com/p?tv_clicks=1&tv_click=TOKEN"
        );
    }

    proptest! {
        #[test]
        fn the_shop_finds_exactly_our_token(query in "[a-z=&%+#]{0,30}", token in "[A-Za-z0-9_-]{72}") {
            let Ok(target) = WebUrl::parse(&format!("https://shop.example.com/p?{query}")) else { return Ok(()) };
            let whole = Landing::of(&target).with(&token);
            let read = Url::parse(&whole).unwrap();
            prop_assert_eq!(read.as_str(), &whole);
            let mut found = read.query_pairs().filter(|(key, _)| key == TOKEN_KEY);
            prop_assert_eq!(found.next().map(|(_, value)| value.into_owned()), Some(token));
            prop_assert_eq!(found.next(), None);
            prop_assert_eq!(read.host_str(), Some("shop.example.com"));
        }
    }
}
