//! The catalogue over HTTP.

mod documents;
mod edits;
mod fields;
mod products;
mod programs;
mod shop_acts;
mod shops;

use utoipa_actix_web::service_config::ServiceConfig;

use super::{error::CatalogueError, rules::Viewer};
use crate::{
    kernel::{actor::Role, host::WebUrl},
    web::{Caller, Kind, Problem, problem::kinds},
};

/// The tax code cannot be one of its country's; `errors[]` and `reason` say why.
const TAX_CODE_INVALID: Kind = Kind {
    code: "shop-tax-code-invalid",
    status: 422,
    en: "The tax code is not valid",
    vi: "Mã số thuế không hợp lệ",
};

/// The address is one that nothing here may lead to.
pub const URL_NOT_ALLOWED: Kind = Kind {
    code: "url-not-allowed",
    status: 422,
    en: "The address is not allowed",
    vi: "Địa chỉ không được phép",
};

/// The paper was rejected or withdrawn, or is so already.
const DOCUMENT_CLOSED: Kind = Kind {
    code: "document-closed",
    status: 409,
    en: "Nothing more can be done with the paper so",
    vi: "Không thể xử lý giấy tờ này như vậy nữa",
};

/// Nobody says of a paper of their own that it is good.
const DOCUMENT_OWN: Kind = Kind {
    code: "document-own",
    status: 403,
    en: "Another officer must look at this paper",
    vi: "Cần một cán bộ khác xem giấy tờ này",
};

/// The product has as many papers as it may.
const DOCUMENT_TOO_MANY: Kind = Kind {
    code: "document-too-many",
    status: 409,
    en: "The product has too many papers",
    vi: "Sản phẩm có quá nhiều giấy tờ",
};

/// An edit of the product waits for an officer.
const EDIT_PENDING: Kind = Kind {
    code: "product-edit-pending",
    status: 409,
    en: "An edit of the product waits for an officer",
    vi: "Sản phẩm đang có một lần sửa chờ duyệt",
};

/// Somebody ruled on the edit before.
const EDIT_RULED: Kind = Kind {
    code: "product-edit-ruled",
    status: 409,
    en: "The edit was ruled on before",
    vi: "Lần sửa này đã được xử lý",
};

/// Nobody rules on an edit of their own.
const EDIT_OWN: Kind = Kind {
    code: "product-edit-own",
    status: 403,
    en: "Another officer must rule on this edit",
    vi: "Cần một cán bộ khác duyệt lần sửa này",
};

/// The shop is as it shall be.
const SHOP_UNCHANGED: Kind = Kind {
    code: "shop-status-unchanged",
    status: 409,
    en: "The shop is in that state already",
    vi: "Gian hàng đã ở trạng thái này",
};

/// The shop must be told first, and when it was told some days must go by.
const NOTICE_OWED: Kind = Kind {
    code: "shop-notice-owed",
    status: 422,
    en: "The shop must be given notice first",
    vi: "Cần thông báo trước cho gian hàng",
};

/// The codes of this slice.
pub const PROBLEMS: &[&Kind] = &[
    &TAX_CODE_INVALID,
    &URL_NOT_ALLOWED,
    &DOCUMENT_CLOSED,
    &DOCUMENT_OWN,
    &DOCUMENT_TOO_MANY,
    &EDIT_PENDING,
    &EDIT_RULED,
    &EDIT_OWN,
    &edits::EDIT_REFUSED,
    &SHOP_UNCHANGED,
    &NOTICE_OWED,
];

/// Who makes shops and what belongs to them.
const SELLERS: &[Role] = &[Role::Shop, Role::Admin];

/// Mounts the catalogue under `/v1`.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(shops::create_shop)
        .service(shops::list_shops)
        .service(shops::get_shop)
        .service(products::create_product)
        .service(products::list_products)
        .service(products::get_product)
        .service(edits::change_product)
        .service(edits::list_product_edits)
        .service(edits::rule_product_edit)
        .service(documents::create_document)
        .service(documents::list_documents)
        .service(documents::withdraw_document)
        .service(documents::review_document)
        .service(shop_acts::suspend_shop)
        .service(shop_acts::reinstate_shop)
        .service(programs::create_program)
        .service(programs::list_programs)
        .service(programs::get_program)
        .service(programs::change_program);
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::UnknownShop => {
                Self::of(&kinds::INVALID).field("/shop_id", error.to_string())
            }
            CatalogueError::NoShop
            | CatalogueError::UnknownProgram
            | CatalogueError::UnknownProduct
            | CatalogueError::UnknownDocument
            | CatalogueError::UnknownEdit => Self::of(&kinds::NOT_FOUND),
            CatalogueError::Paper(faults) => faults
                .into_iter()
                .fold(Self::of(&kinds::INVALID), |problem, (pointer, words)| {
                    problem.field(pointer, words)
                }),
            CatalogueError::TooManyPapers(_) => {
                Self::of(&DOCUMENT_TOO_MANY).detail(error.to_string())
            }
            CatalogueError::PaperClosed(_) => Self::of(&DOCUMENT_CLOSED).detail(error.to_string()),
            CatalogueError::OwnPaper => Self::of(&DOCUMENT_OWN),
            CatalogueError::EditPending(id) => Self::of(&EDIT_PENDING).with("edit_id", id),
            CatalogueError::EditRuled(_) => Self::of(&EDIT_RULED).detail(error.to_string()),
            CatalogueError::OwnEdit => Self::of(&EDIT_OWN),
            CatalogueError::SameShopStatus(_) => {
                Self::of(&SHOP_UNCHANGED).detail(error.to_string())
            }
            CatalogueError::NoticeOwed { days, earliest } => Self::of(&NOTICE_OWED)
                .field("/notice_given_at", error.to_string())
                .with("notice_days", days)
                .with("earliest_at", earliest),
            CatalogueError::NoticeToCome => {
                Self::of(&kinds::INVALID).field("/notice_given_at", error.to_string())
            }
            CatalogueError::Stale(_) => {
                Self::of(&kinds::PRECONDITION_FAILED).detail(error.to_string())
            }
            CatalogueError::Keys(fault) => {
                tracing::error!(error = %fault, "a tax code cannot be sealed");
                Self::of(&kinds::INTERNAL)
            }
            CatalogueError::Db(fault) => fault.into(),
        }
    }
}

fn viewer(caller: &Caller) -> Viewer {
    Viewer::new(caller.account, &caller.roles)
}

/// Reads an address, blaming the field at `pointer`.
fn address(pointer: &str, text: &str) -> Result<WebUrl, Problem> {
    WebUrl::parse(text)
        .map_err(|fault| Problem::of(&URL_NOT_ALLOWED).field(pointer, fault.to_string()))
}

fn absent() -> Problem {
    Problem::of(&kinds::NOT_FOUND)
}
