//! The list of slices: mounts their routes and writes the document, both from the same handlers.

use actix_web::http::Method;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    ResponseBuilder,
    path::{HttpMethod, Operation},
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_actix_web::{AppExt as _, scope, service_config::ServiceConfig};

use crate::{
    accounts, catalogue, clicks, commissions, compliance, identity, links, orders,
    web::{Kind, ProblemBody, problem::kinds},
};

/// Mounts every slice.
pub fn api(cfg: &mut ServiceConfig) {
    cfg.service(scope("/v1").configure(v1));
    cfg.configure(accounts::well_known)
        .configure(clicks::redirects);
}

fn v1(cfg: &mut ServiceConfig) {
    // Routes are tried one after the other, each by its pattern: the one that comes in floods is first.
    cfg.configure(orders::inbound)
        .configure(accounts::routes)
        .configure(identity::routes)
        .configure(catalogue::routes)
        .configure(compliance::routes)
        .configure(links::routes)
        .configure(clicks::routes)
        .configure(orders::routes)
        .configure(commissions::routes);
}

/// The document of what [`api`] mounts, OpenAPI 3.1.
#[must_use]
pub fn document() -> OpenApi {
    let (_, document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(base())
        .configure(api)
        .split_for_parts();
    finished(document)
}

/// What the document says before any handler adds to it.
#[must_use]
pub fn base() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An access token of `POST /v1/sessions`, or an API key.",
        ))
        .build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Tinvia")
                .version("1")
                .description(Some(include_str!("api.md")))
                .build(),
        )
        .components(Some(
            ComponentsBuilder::new()
                .schema_from::<ProblemBody>()
                .schema_from::<crate::kernel::page::Limit>()
                .security_scheme("bearer", SecurityScheme::Http(bearer))
                .build(),
        ))
        .build()
}

/// Adds to every operation the failures that any operation of its kind may answer.
#[must_use]
pub fn finished(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let has_parameters = path.contains('{');
        let operations = [
            (&mut item.get, false),
            (&mut item.head, false),
            (&mut item.delete, false),
            (&mut item.post, true),
            (&mut item.put, true),
            (&mut item.patch, true),
        ];
        for (operation, has_body) in operations {
            if let Some(operation) = operation {
                add_failures(operation, has_parameters, has_body);
            }
        }
    }
    document
}

fn add_failures(operation: &mut Operation, has_parameters: bool, has_body: bool) {
    let mut statuses = vec![
        ("400", "The request cannot be read"),
        ("429", "Too many requests"),
    ];
    statuses.push(("503", "Too busy right now"));
    statuses.push(("500", "Something failed on our side"));
    if operation.security.is_some() {
        statuses.push(("401", "Not signed in"));
        statuses.push(("403", "The role or the API key does not allow it"));
    }
    if has_parameters {
        statuses.push(("404", "Nothing of yours has this id"));
    }
    if has_parameters || operation.parameters.is_some() || has_body {
        statuses.push(("422", "Some fields are not valid"));
    }
    if has_body {
        statuses.push(("408", "The body took too long to arrive"));
        statuses.push(("409", "The present state does not allow it"));
        statuses.push(("413", "The body is too large"));
        statuses.push(("415", "The body's media type is not taken here"));
    }
    for (status, words) in statuses {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(words)));
    }
}

fn problem(words: &str) -> Response {
    let body = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemBody")))
        .build();
    ResponseBuilder::new()
        .description(words)
        .content("application/problem+json", body)
        .build()
}

/// Which methods a path offers, for telling a wrong method from an unknown path.
#[derive(Debug, Clone)]
pub struct Offered(Vec<(Vec<String>, Vec<&'static str>)>);

impl Offered {
    /// Reads the document.
    #[must_use]
    pub fn of(document: &OpenApi) -> Self {
        let methods = |item: &utoipa::openapi::PathItem| {
            let all = [
                ("GET", item.get.is_some()),
                ("HEAD", item.head.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            all.into_iter()
                .filter_map(|(name, offered)| offered.then_some(name))
                .collect()
        };
        let segments = |path: &str| path.split('/').map(str::to_owned).collect();
        let paths = &document.paths.paths;
        Self(
            paths
                .iter()
                .map(|(path, item)| (segments(path), methods(item)))
                .collect(),
        )
    }

    /// The methods offered at `path`; none when it is unknown.
    #[must_use]
    pub fn at(&self, path: &str) -> Vec<&'static str> {
        let asked: Vec<&str> = path.split('/').collect();
        let fits = |template: &[String]| {
            template.len() == asked.len()
                && template
                    .iter()
                    .zip(&asked)
                    .all(|(t, a)| t.starts_with('{') || t == a)
        };
        let found = self.0.iter().filter(|(template, _)| fits(template));
        found
            .flat_map(|(_, methods)| methods.iter().copied())
            .collect()
    }
}

/// The operations of the document: method, path template, operation.
pub fn operations(document: &OpenApi) -> impl Iterator<Item = (Method, &str, &Operation)> {
    document.paths.paths.iter().flat_map(|(path, item)| {
        [
            (HttpMethod::Get, &item.get),
            (HttpMethod::Head, &item.head),
            (HttpMethod::Post, &item.post),
            (HttpMethod::Put, &item.put),
            (HttpMethod::Patch, &item.patch),
            (HttpMethod::Delete, &item.delete),
        ]
        .into_iter()
        .filter_map(move |(method, operation)| {
            let method = match method {
                HttpMethod::Head => Method::HEAD,
                HttpMethod::Post => Method::POST,
                HttpMethod::Put => Method::PUT,
                HttpMethod::Patch => Method::PATCH,
                HttpMethod::Delete => Method::DELETE,
                _ => Method::GET,
            };
            operation
                .as_ref()
                .map(|operation| (method, path.as_str(), operation))
        })
    })
}

/// Every problem code there is, floor and slices.
pub fn problems() -> impl Iterator<Item = &'static Kind> {
    let slices = [
        kinds::PROBLEMS,
        accounts::PROBLEMS,
        catalogue::PROBLEMS,
        clicks::PROBLEMS,
        commissions::PROBLEMS,
        compliance::PROBLEMS,
        identity::PROBLEMS,
        links::PROBLEMS,
        orders::PROBLEMS,
    ];
    slices.into_iter().flatten().copied()
}
