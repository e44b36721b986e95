//! Reading requests: bounded, typed, and refused with a pointer to what is wrong.

use std::{future::Ready, future::ready, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::Bytes,
};
use futures_util::{StreamExt as _, future::LocalBoxFuture};
use serde::de::DeserializeOwned;

use super::{
    auth::Peer,
    problem::{Problem, kinds},
};

/// Largest JSON body of an ordinary call, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Deepest nesting of a JSON body.
const JSON_DEPTH_MAX: usize = 32;

/// Longest `Idempotency-Key`, in characters.
const KEY_LEN_MAX: usize = 255;

/// A body of at most `MAX` bytes with what an idempotent write needs to know of its request.
///
/// Extraction only gathers the bytes, so that a handler can first ask whether the caller may do this at all.
#[derive(Debug, Clone)]
pub struct PostedUpTo<const MAX: usize> {
    pub(super) raw: Bytes,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) key: Option<String>,
    pub(super) peer: Peer,
    media_type: Option<String>,
}

/// The body of an ordinary call.
pub type Posted = PostedUpTo<BODY_BYTES_MAX>;

impl<const MAX: usize> PostedUpTo<MAX> {
    /// The bytes as they came.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The media type without parameters, lower case.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }

    /// Reads the JSON body.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.media_type() != Some("application/json") {
            return Err(Problem::of(&kinds::MEDIA_TYPE).detail("send application/json"));
        }
        // Derived readers would take the values of an array for the fields of an object, in their order.
        if self.raw.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return Err(Problem::of(&kinds::INVALID).field("", "must be an object"));
        }
        read_json(&self.raw)
    }
}

/// Reads JSON: 400 where it does not parse, 422 with a pointer where a field is wrong.
pub fn read_json<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    // A parser that stops at an unknown field would never see the bytes behind it.
    if std::str::from_utf8(raw).is_err() {
        return Err(Problem::of(&kinds::MALFORMED).detail("JSON is UTF-8, and this is not"));
    }
    if depth_of(raw) > JSON_DEPTH_MAX {
        return Err(Problem::of(&kinds::MALFORMED)
            .detail(format!("nested deeper than {JSON_DEPTH_MAX} levels")));
    }
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| refused(&error))?;
    reader
        .end()
        .map_err(|error| Problem::of(&kinds::MALFORMED).detail(plain(&error)))?;
    Ok(value)
}

fn refused(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let text = plain(error.inner());
    if error.inner().is_data() {
        Problem::of(&kinds::INVALID).field(pointer_of(error.path()), text)
    } else {
        Problem::of(&kinds::MALFORMED).detail(text)
    }
}

/// The parser's words without its position, cut to a sane length.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(words, _)| words);
    text.chars().take(200).collect()
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}

/// Deepest bracket nesting outside strings; cheap, before the parser recurses.
#[must_use]
pub fn depth_of(raw: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in raw {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl<const MAX: usize> FromRequest for PostedUpTo<MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let key = key_of(request);
        let media_type = media_type_of(request);
        let method = request.method().clone();
        let target = request
            .uri()
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default();
        let peer = Peer::of(request);
        let declared = declared_length(request);
        let payload = payload.take();
        Box::pin(async move {
            let key = key?;
            let raw = gather(payload, declared, MAX).await?;
            Ok(Self {
                raw,
                method,
                target,
                key,
                peer,
                media_type,
            })
        })
    }
}

/// Bytes of at most `MAX`, exactly as received, for signatures over the raw body.
#[derive(Debug, Clone)]
pub struct Raw<const MAX: usize>(pub Bytes);

impl<const MAX: usize> FromRequest for Raw<MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = declared_length(request);
        let payload = payload.take();
        Box::pin(async move { gather(payload, declared, MAX).await.map(Self) })
    }
}

fn declared_length(request: &HttpRequest) -> Option<usize> {
    let value = request.headers().get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

async fn gather(payload: Payload, declared: Option<usize>, max: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::of(&kinds::TOO_LARGE).detail(format!("at most {max} bytes are taken"));
    let gathering = async {
        let mut payload = payload;
        let mut bytes = actix_web::web::BytesMut::with_capacity(declared.unwrap_or(0).min(max));
        let mut fits = declared.is_none_or(|length| length <= max);
        // An oversized body is read to a bound and dropped, so that the client gets to read the answer.
        let mut read = 0_usize;
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Problem::of(&kinds::MALFORMED))?;
            read = read.saturating_add(chunk.len());
            fits = fits && read <= max;
            if fits {
                bytes.extend_from_slice(&chunk);
            } else if read > max.saturating_mul(4).max(8 * 1024 * 1024) {
                break;
            }
        }
        if fits {
            Ok(bytes.freeze())
        } else {
            Err(too_large())
        }
    };
    tokio::time::timeout(BODY_TIMEOUT, gathering)
        .await
        .unwrap_or_else(|_| Err(Problem::of(&kinds::TIMEOUT)))
}

fn media_type_of(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
    )
}

/// The `Idempotency-Key`: 1 to 255 visible ASCII characters, at most one.
fn key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let mut values = request.headers().get_all("idempotency-key");
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let visible = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if values.next().is_some() || !visible || text.len() > KEY_LEN_MAX {
        return Err(Problem::of(&kinds::MALFORMED)
            .detail("send one Idempotency-Key of 1 to 255 visible characters"));
    }
    Ok(Some(text.to_owned()))
}

/// Parts of the path. What does not parse names nothing: 404.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = actix_web::web::Path::<T>::from_request(request, payload).into_inner();
        ready(
            path.map(|path| Self(path.into_inner()))
                .map_err(|_| Problem::of(&kinds::NOT_FOUND)),
        )
    }
}

/// The query. A parameter that is unknown or does not parse is 422.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        let reader = serde_urlencoded::Deserializer::new(pairs);
        ready(
            serde_path_to_error::deserialize(reader)
                .map(Self)
                .map_err(|error| {
                    let name = error.path().to_string();
                    let words: String = error.inner().to_string().chars().take(200).collect();
                    Problem::of(&kinds::INVALID).field(name, words)
                }),
        )
    }
}

/// The version an edit is based on, from `If-Match: "<version>"`.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(Option<i64>);

impl IfMatch {
    /// Goes on only when the edit is based on `current`: 428 when it does not say, 412 when it is stale.
    pub fn require(self, current: i64) -> Result<(), Problem> {
        match self.0 {
            None => Err(Problem::of(&kinds::PRECONDITION_REQUIRED)),
            Some(version) if version == current => Ok(()),
            Some(_) => Err(Problem::of(&kinds::PRECONDITION_FAILED)
                .detail(format!("version {current} is current"))),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(header::IF_MATCH) else {
            return ready(Ok(Self(None)));
        };
        let text = value.to_str().unwrap_or_default().trim();
        let version = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        // A tag that is not one of ours matches no version.
        let version = version
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(i64::MIN);
        ready(Ok(Self(Some(version))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Basket {
        #[expect(dead_code, reason = "only its reading is tested")]
        items: Vec<u8>,
    }

    fn code_of(raw: &str) -> String {
        read_json::<Basket>(raw.as_bytes())
            .unwrap_err()
            .code()
            .to_owned()
    }

    #[test]
    fn what_does_not_parse_differs_from_what_is_not_valid() {
        assert_eq!(code_of("{"), "request-malformed");
        assert_eq!(code_of("{\"items\":[]} x"), "request-malformed");
        assert_eq!(code_of("{\"items\":[300]}"), "request-invalid");
        let broken = read_json::<Basket>(b"{\"more\":\"\xff\"}").unwrap_err();
        assert_eq!(broken.code(), "request-malformed");
        assert_eq!(code_of("{\"items\":[],\"more\":1}"), "request-invalid");
        assert_eq!(code_of(&"[".repeat(100_000)), "request-malformed");
    }

    #[test]
    fn depth_ignores_brackets_in_strings() {
        assert_eq!(depth_of(br#"{"a":"[[[[\"["}"#), 1);
        assert_eq!(depth_of(b"[[{}]]"), 3);
    }
}
