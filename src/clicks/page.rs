//! The page that a dead link shows in a browser: what happened, in the reader's language, and nothing else.
//!
//! Constant text but for the state, so there is nothing to escape; no script, no style sheet, no picture.

use crate::links::LinkStatus;

/// The policy under which the page is shown.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page in both languages, the preferred one first.
pub(super) fn blocked(status: LinkStatus, vietnamese_first: bool) -> String {
    let vi = section("vi", "Liên kết không còn hiệu lực", vi_reason(status));
    let en = section("en", "This link is no longer available", en_reason(status));
    let (lang, title, first, second) = if vietnamese_first {
        ("vi", "Liên kết không còn hiệu lực", vi, en)
    } else {
        ("en", "This link is no longer available", en, vi)
    };
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title></head>\n\
         <body>\n<main>\n{first}<hr>\n{second}</main>\n</body>\n</html>\n"
    )
}

fn section(lang: &str, title: &str, reason: &str) -> String {
    format!("<section lang=\"{lang}\"><h1>{title}</h1><p>{reason}</p></section>\n")
}

fn vi_reason(status: LinkStatus) -> &'static str {
    match status {
        LinkStatus::TakenDown => {
            "Liên kết đã bị gỡ theo quyết định áp dụng Luật Thương mại điện tử 122/2025/QH15 hoặc quy định của dịch vụ."
        }
        LinkStatus::Suspended => {
            "Liên kết bị tạm ngừng vì danh tính của người tiếp thị hiện chưa được xác thực, theo Điều 25 Luật Thương mại điện tử 122/2025/QH15."
        }
        LinkStatus::InReview => "Liên kết đang chờ xem xét.",
        LinkStatus::Active | LinkStatus::Expired => "Liên kết đã hết hạn.",
    }
}

fn en_reason(status: LinkStatus) -> &'static str {
    match status {
        LinkStatus::TakenDown => {
            "It was taken down by a decision under the E-commerce Law 122/2025/QH15 of Vietnam or the rules of this service."
        }
        LinkStatus::Suspended => {
            "It is suspended because the promoter's identity is not verified at present, as article 25 of the E-commerce Law 122/2025/QH15 of Vietnam demands."
        }
        LinkStatus::InReview => "It is waiting for a review.",
        LinkStatus::Active | LinkStatus::Expired => "It has expired.",
    }
}

/// One sentence for programs.
pub(super) fn detail(status: LinkStatus, vietnamese: bool) -> &'static str {
    if vietnamese {
        vi_reason(status)
    } else {
        en_reason(status)
    }
}

/// Whether an `Accept` header would rather have a page than a problem body.
pub(super) fn prefers_page(accept: &str) -> bool {
    let weight = |wanted: &str| {
        accept
            .split(',')
            .take(30)
            .find_map(|part| weight_of(part, wanted))
    };
    let page = weight("text/html")
        .or_else(|| weight("application/xhtml+xml"))
        .unwrap_or(0);
    let problem = weight("application/problem+json").or_else(|| weight("application/json"));
    page > problem.unwrap_or(0)
}

/// The weight in thousandths that `part` gives to exactly `wanted`.
fn weight_of(part: &str, wanted: &str) -> Option<u32> {
    let mut pieces = part.split(';').map(str::trim);
    if !pieces.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    let quality = pieces.find_map(|piece| piece.strip_prefix("q="));
    Some(match quality {
        None => 1000,
        Some(text) if text.starts_with('1') => 1000,
        Some(text) => {
            let fraction = text.strip_prefix("0.").unwrap_or("0");
            let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
            digits.parse().unwrap_or(0)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_a_page_and_programs_a_problem() {
        for accept in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html",
            "application/json;q=0.5, text/html",
        ] {
            assert!(prefers_page(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/problem+json, text/html;q=0.9",
            "text/html;q=0",
        ] {
            assert!(!prefers_page(accept), "{accept}");
        }
    }

    #[test]
    fn the_page_speaks_both_languages_and_loads_nothing() {
        for status in LinkStatus::EVERY {
            let page = blocked(*status, true);
            assert!(page.contains("lang=\"vi\"") && page.contains("lang=\"en\""));
            assert!(
                !page.contains("src=") && !page.contains("<script") && !page.contains("style=")
            );
            assert!(page.find("không").unwrap() < page.find("no longer").unwrap());
            let page = blocked(*status, false);
            assert!(page.find("không").unwrap() > page.find("no longer").unwrap());
        }
    }
}
