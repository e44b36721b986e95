//! Our own short links among the addresses of a request, and where they lead: known here, so no stranger is asked.

use futures_util::future::BoxFuture;

use super::{
    model::{Subject, Unwrapped},
    rules,
};
use crate::kernel::{
    context::Context,
    db::{DbError, Tx},
    host::WebUrl,
};

/// The short links of this service. The links slice implements it.
pub trait OwnLinks: Send + Sync {
    /// Where the link with this code or slug leads, dead or alive; `None` when there is none.
    fn target<'t>(
        &'t self,
        tx: &'t mut Tx,
        name: &'t str,
    ) -> BoxFuture<'t, Result<Option<String>, DbError>>;
}

/// What our short links on the request lead to. One that leads nowhere yet may lead anywhere tomorrow: the rules have a
/// person look at it.
pub(super) async fn unwrapped(
    tx: &mut Tx,
    ctx: &Context,
    own: Option<&dyn OwnLinks>,
    subject: &Subject,
) -> Result<Vec<Unwrapped>, DbError> {
    let Ok(ours) = WebUrl::parse(&ctx.public_url) else {
        return Ok(Vec::new());
    };
    let mut unwrapped = Vec::new();
    for address in rules::addresses_of(subject.into()) {
        let Some(name) = name_in(&address, &ours) else {
            continue;
        };
        let target = match own {
            Some(own) => own.target(tx, &name).await?,
            None => None,
        };
        unwrapped.push(Unwrapped {
            address: address.to_string(),
            target,
        });
    }
    Ok(unwrapped)
}

/// The code or slug that an address of ours carries.
fn name_in(address: &WebUrl, ours: &WebUrl) -> Option<String> {
    if address.host() != ours.host() {
        return None;
    }
    let segments: Vec<&str> = address.url().path_segments()?.collect();
    match segments[..] {
        ["r", name] | ["r", name, ""] => Some(name.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_links_of_ours_have_a_name() {
        let ours = WebUrl::parse("https://go.example.net").unwrap();
        let name = |text: &str| name_in(&WebUrl::parse(text).unwrap(), &ours);
        assert_eq!(
            name("https://GO.example.net/r/ABC?x=1").as_deref(),
            Some("ABC")
        );
        assert_eq!(
            name("http://go.example.net/r/tet-sale/").as_deref(),
            Some("tet-sale")
        );
        for other in [
            "https://go.example.net/",
            "https://go.example.net/v1/r/x",
            "https://example.net/r/ABC",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}
