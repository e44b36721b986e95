//! Which orders in force name something of a request.

use super::{
    model::{OrderSubject, host_of},
    store,
};
use crate::{
    compliance::model::{OrderFact, Subject},
    kernel::{
        db::{DbError, Tx},
        host::HostName,
        ids::{AccountId, ProductId},
    },
};

/// The orders in force that name something of `subject`. None comes or goes before the commit.
pub async fn orders_naming(tx: &mut Tx, subject: &Subject) -> Result<Vec<OrderFact>, DbError> {
    store::hold_head(tx).await?;
    store::naming(tx, &keys_of(subject)).await
}

/// What an order's subject is looked up by. A link is looked up as its owner and its product: nobody gets a killed link
/// back by asking for its like.
pub(super) fn key_of(subject: &OrderSubject, link: Option<(AccountId, ProductId)>) -> String {
    match (subject, link) {
        (OrderSubject::Domain(host), _) => format!("domain:{host}"),
        (OrderSubject::Link(_), Some((owner, product))) => like(owner, product),
        _ => subject.value(),
    }
}

fn like(owner: AccountId, product: ProductId) -> String {
    format!("{owner}/{product}")
}

/// Everything by which an order can name the request.
fn keys_of(subject: &Subject) -> Vec<String> {
    let mut keys = vec![
        subject.account.to_string(),
        subject.shop.id.to_string(),
        subject.product_id.to_string(),
        like(subject.account, subject.product_id),
    ];
    let addresses = [
        Some(subject.url.as_str()),
        subject.product.url.as_deref(),
        subject.shop.website.as_deref(),
        subject
            .channel
            .as_ref()
            .and_then(|channel| channel.url.as_deref()),
    ];
    let hosts = addresses.into_iter().flatten().filter_map(host_of);
    keys.extend(hosts.flat_map(|host| domains_over(&host)));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The host and every domain that it is part of, up to the one that is registered.
fn domains_over(host: &HostName) -> Vec<String> {
    let registered = host.registrable();
    let mut name = host.as_str();
    let mut domains = vec![format!("domain:{name}")];
    while name != registered {
        match name.split_once('.') {
            Some((_, rest)) => name = rest,
            None => break,
        }
        domains.push(format!("domain:{name}"));
    }
    domains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_looked_up_with_every_domain_over_it_and_no_suffix() {
        let host = HostName::parse("a.b.shop.com.vn").unwrap();
        let domains = domains_over(&host);
        let expected = [
            "domain:a.b.shop.com.vn",
            "domain:b.shop.com.vn",
            "domain:shop.com.vn",
        ];
        assert_eq!(domains, expected);
    }

    #[test]
    fn an_address_and_a_bare_host_have_the_same_host() {
        let bare = host_of("Shop.com.vn").unwrap();
        assert_eq!(host_of("https://shop.com.vn/x?y#z"), Some(bare));
        assert_eq!(host_of("no host"), None);
    }
}
