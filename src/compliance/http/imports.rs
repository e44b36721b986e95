//! Whole snapshots of a list.

use actix_web::{
    HttpResponse, post,
    web::{Bytes, Data},
};

use super::WRITERS;
use crate::{
    compliance::{
        change::Compliance,
        draft::NewEntry,
        error::ComplianceError,
        import::{ImportView, ReadSnapshot, import},
        model::{Draft, ListName},
        snapshot::{self, Snapshot},
    },
    kernel::{context::Context, digest::sha256},
    web::{
        Answer, Caller, Path, Problem,
        extract::{PostedUpTo, read_json},
        problem::kinds,
    },
};

/// Largest snapshot, in bytes.
const SNAPSHOT_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Debug, Clone, Copy)]
enum Form {
    Csv,
    Json,
}

/// Makes a list what a whole snapshot says, all or nothing: what it lacks is closed, what is new is added.
///
/// CSV, UTF-8, with the header
/// `match_kind,match_value,effect,reason,source_authority,source_document_number,source_url,source_issued_on,effective_from,effective_to,exceptions`,
/// columns in any order; the prefixes may be left out, columns after `source_authority` too, and phrases in `exceptions`
/// are parted by `|`. JSON is an object with `entries`, or the bare array. At most 8 MiB and 100,000 entries, and
/// at least one: to empty a list, close its entries.
#[utoipa::path(
    tag = "lists",
    params(("list" = ListName, Path, description = "The list")),
    request_body(content(
        (Snapshot = "application/json"),
        (String = "text/csv"),
    )),
    responses((status = 201, description = "The list is what the snapshot says", body = ImportView)),
    security(("bearer" = [])),
)]
#[post("/lists/{list}/imports")]
pub(super) async fn create_import(
    ctx: Data<Context>,
    state: Data<Compliance>,
    caller: Caller,
    Path(list): Path<ListName>,
    posted: PostedUpTo<SNAPSHOT_BYTES_MAX>,
) -> Result<HttpResponse, Problem> {
    caller.allow(WRITERS, None)?;
    let form = match posted.media_type() {
        Some("text/csv") => Form::Csv,
        Some("application/json") => Form::Json,
        _ => {
            let problem = Problem::of(&kinds::MEDIA_TYPE);
            return Err(problem.detail("send text/csv or application/json"));
        }
    };
    let snapshot = read(list, form, posted.raw().clone()).await?;
    let (actor, state, arrived_at) = (caller.actor(), state.into_inner(), ctx.ambient.now());
    posted
        .once(&ctx, &caller, move |tx, ctx| {
            Box::pin(async move {
                let view: ImportView =
                    import(tx, &ctx, &state, (&actor, arrived_at), list, snapshot).await?;
                Ok(Answer::created(&view))
            })
        })
        .await
}

/// Reads the snapshot off the async workers: a long one takes seconds.
async fn read(list: ListName, form: Form, raw: Bytes) -> Result<ReadSnapshot, Problem> {
    let reading = tokio::task::spawn_blocking(move || {
        let drafts = match form {
            Form::Csv => snapshot::of_csv(list, &raw).map_err(ComplianceError::Misread)?,
            Form::Json => of_json(list, &raw)?,
        };
        // An empty snapshot is what a failed download looks like, and would open the gate.
        if drafts.is_empty() {
            return Err(Problem::of(&kinds::INVALID).field("/entries", "must not be empty"));
        }
        Ok(ReadSnapshot {
            drafts,
            sha256: sha256(&[&raw]),
        })
    });
    reading
        .await
        .unwrap_or_else(|_| Err(Problem::of(&kinds::INTERNAL)))
}

fn of_json(list: ListName, raw: &[u8]) -> Result<Vec<Draft>, Problem> {
    let first = raw.iter().find(|byte| !byte.is_ascii_whitespace());
    let (root, entries) = if first == Some(&b'[') {
        ("", read_json::<Vec<NewEntry>>(raw)?)
    } else {
        ("/entries", read_json::<Snapshot>(raw)?.entries)
    };
    Ok(snapshot::of_entries(list, root, entries).map_err(ComplianceError::Misread)?)
}
