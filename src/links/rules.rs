//! Where a link may lead.

use crate::{
    catalogue::Terms,
    kernel::host::{UrlFault, WebUrl},
};

/// Why a target was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// It is not an address that may be linked to.
    #[error(transparent)]
    Url(#[from] UrlFault),
    /// The program names the hosts that links may lead to, and this is none.
    #[error("must be on one of the program's hosts, which {0} is not")]
    Host(String),
    /// It leads back here, where the true target would be hidden behind another redirect.
    #[error("must not lead to this service")]
    Loop,
}

/// The target of a new link: the address asked for, or else the product's own.
pub(super) fn target_of(
    asked: Option<&str>,
    product: &WebUrl,
    terms: &Terms,
    public_url: &str,
) -> Result<WebUrl, TargetFault> {
    let target = match asked {
        Some(text) => WebUrl::parse(text)?,
        None => product.clone(),
    };
    let ours = WebUrl::parse(public_url).is_ok_and(|ours| ours.host() == target.host());
    if ours {
        return Err(TargetFault::Loop);
    }
    if !terms.allows(target.host()) {
        return Err(TargetFault::Host(target.host().to_string()));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::{AccrueOn, Rounding},
        kernel::{ambient::Ambient, host::HostName},
    };

    fn terms(hosts: &[&str]) -> Terms {
        let ambient = Ambient::system();
        Terms {
            program_id: ambient.id(),
            version: 1,
            rate_bps: 1000,
            attribution_window_days: 7,
            hold_days: 7,
            accrue_on: AccrueOn::Paid,
            allowed_hosts: hosts
                .iter()
                .map(|host| HostName::parse(host).unwrap())
                .collect(),
            rounding: Rounding::HalfUp,
            valid_from: ambient.now(),
        }
    }

    fn target(asked: Option<&str>, hosts: &[&str]) -> Result<String, TargetFault> {
        let product = WebUrl::parse("https://shop.example.com/p/1").unwrap();
        target_of(asked, &product, &terms(hosts), "https://go.example.net")
            .map(|url| url.to_string())
    }

    #[test]
    fn without_a_wish_the_link_leads_to_the_product() {
        assert_eq!(
            target(None, &[]).as_deref(),
            Ok("https://shop.example.com/p/1")
        );
        assert_eq!(
            target(None, &["example.com"]).as_deref(),
            Ok("https://shop.example.com/p/1")
        );
    }

    #[test]
    fn a_deep_link_stays_on_the_programs_hosts() {
        let deep = Some("https://m.example.com/p/1?color=red");
        assert_eq!(
            target(deep, &["example.com"]).as_deref(),
            Ok("https://m.example.com/p/1?color=red")
        );
        assert!(matches!(
            target(deep, &["shop.example.com"]),
            Err(TargetFault::Host(_))
        ));
        assert!(matches!(
            target(Some("https://example.com.evil.example"), &["example.com"]),
            Err(TargetFault::Host(_))
        ));
        assert!(target(Some("https://elsewhere.example.org"), &[]).is_ok());
    }

    #[test]
    fn a_link_never_leads_back_here_or_into_the_dark() {
        assert_eq!(
            target(Some("https://go.example.net/r/other"), &[]),
            Err(TargetFault::Loop)
        );
        assert_eq!(
            target(Some("http://10.0.0.1/"), &[]),
            Err(TargetFault::Url(UrlFault::Literal))
        );
        assert_eq!(
            target(Some("javascript:alert(1)"), &[]),
            Err(TargetFault::Url(UrlFault::Scheme))
        );
    }
}
