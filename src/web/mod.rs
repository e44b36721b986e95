//! The HTTP floor: problems, extractors, the caller, request ids, idempotent writes. Knows no slice.
//!
//! Every failure leaves here as `application/problem+json` (RFC 9457) in the caller's language, malformed bodies and
//! unknown routes included. Handlers stay short because the floor does the rest: [`Caller`] says who may go on,
//! [`Posted`] reads a bounded body and runs its work once per `Idempotency-Key`.

pub mod auth;
pub mod extract;
pub mod lang;
pub mod problem;
pub mod replay;
pub mod request;

pub use auth::{Authenticator, Caller, Means, Peer, Scope};
pub use extract::{IfMatch, Path, Posted, Query};
pub use lang::Lang;
pub use problem::{Kind, Problem, ProblemBody};
pub use replay::Answer;
