//! The catalogue over HTTP.

mod fields;
mod products;
mod programs;
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

/// The codes of this slice.
pub const PROBLEMS: &[&Kind] = &[&TAX_CODE_INVALID, &URL_NOT_ALLOWED];

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
            CatalogueError::UnknownProgram => Self::of(&kinds::NOT_FOUND),
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
