//! The HTTP surface of sign-in.

mod accounts;
mod api_keys;
mod sessions;

use utoipa_actix_web::service_config::ServiceConfig;

/// Mounts the operations, under the version's scope.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(accounts::create)
        .service(accounts::current)
        .service(accounts::set_password)
        .service(sessions::open)
        .service(sessions::exchange)
        .service(sessions::close)
        .service(api_keys::make)
        .service(api_keys::list)
        .service(api_keys::revoke);
}

/// Mounts what stands at a well-known place, outside any version.
pub fn well_known(cfg: &mut ServiceConfig) {
    cfg.service(sessions::public_keys);
}
