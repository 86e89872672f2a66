//! A web server with files, faults and a memory of what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures::stream;
use tokio_util::bytes::Bytes;

use crate::serving::Serving;

/// Bytes that are sent at once.
const PIECE: usize = 16 * 1024;

/// What goes wrong with one request for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// This status instead, with what `Retry-After` says.
    Status(u16, Option<u64>),
    /// The connection is cut after so many bytes of content.
    Cut(usize),
    /// Another address, on this server or another.
    Redirect(String),
    /// Other content than is there.
    Lie(Vec<u8>),
    /// All of the file, whichever part was asked for.
    Whole,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Such as `GET`.
    pub method: String,
    /// With the leading slash.
    pub path: String,
    /// The first byte that was asked for.
    pub from: usize,
}

#[derive(Default)]
struct Site {
    files: BTreeMap<String, Bytes>,
    troubles: BTreeMap<String, VecDeque<Trouble>>,
    /// Beginnings of paths, and the servers that have what is below them.
    elsewhere: BTreeMap<String, String>,
    asked: Vec<Asked>,
}

/// A web server on this machine, until it is dropped.
pub struct WebServer {
    site: Arc<Mutex<Site>>,
    serving: Serving,
}

impl WebServer {
    /// Starts a server without files.
    pub async fn start() -> io::Result<Self> {
        let site = Arc::<Mutex<Site>>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
        Ok(Self { site, serving: Serving::start(router).await? })
    }

    /// Its address, without a trailing slash.
    pub fn url(&self) -> String {
        self.serving.url()
    }

    /// Puts a file at a path (without the leading slash).
    pub fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        lock(&self.site).files.insert(format!("/{path}"), Bytes::from(content.into()));
    }

    /// The next request for the path meets this, each one after it what was given after it.
    pub fn trouble(&self, path: &str, trouble: Trouble) {
        lock(&self.site).troubles.entry(format!("/{path}")).or_default().push_back(trouble);
    }

    /// Everything below a path (without the leading slash) is on another server, under the same path.
    pub fn move_below(&self, path: &str, url: &str) {
        lock(&self.site).elsewhere.insert(format!("/{path}"), url.to_owned());
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.site).asked.clone()
    }

    /// The first bytes that GETs of the path asked for, one per request.
    pub fn gets(&self, path: &str) -> Vec<usize> {
        let path = format!("/{path}");
        let all = self.asked();
        all.iter().filter(|asked| asked.method == "GET" && asked.path == path).map(|asked| asked.from).collect()
    }
}

fn lock(site: &Mutex<Site>) -> MutexGuard<'_, Site> {
    site.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(site): State<Arc<Mutex<Site>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let from = request.headers().get(header::RANGE).and_then(first_byte);
    let (content, trouble) = {
        let mut site = lock(&site);
        let asked = Asked { method: request.method().to_string(), path: path.clone(), from: from.unwrap_or(0) };
        site.asked.push(asked);
        let moved = site.elsewhere.iter().find(|(prefix, _)| path.starts_with(*prefix));
        let moved = moved.map(|(_, url)| Trouble::Redirect(format!("{url}{path}")));
        let trouble = site.troubles.get_mut(&path).and_then(VecDeque::pop_front).or(moved);
        (site.files.get(&path).cloned(), trouble)
    };
    let mut response = match (content, trouble) {
        (_, Some(Trouble::Status(status, after))) => refusal(status, after),
        (_, Some(Trouble::Redirect(to))) => redirect(&to),
        (_, Some(Trouble::Lie(content))) => file(&content.into(), from, None),
        (Some(content), Some(Trouble::Cut(length))) => file(&content, from, Some(length)),
        (Some(content), Some(Trouble::Whole)) => file(&content, None, None),
        (Some(content), None) => file(&content, from, None),
        (None, _) => refusal(404, None),
    };
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// The 5 of `bytes=5-`.
fn first_byte(range: &HeaderValue) -> Option<usize> {
    range.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

fn with_status(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn refusal(status: u16, after: Option<u64>) -> Response {
    let mut response = with_status(status);
    if let Some(after) = after {
        response.headers_mut().insert(header::RETRY_AFTER, after.into());
    }
    response
}

fn redirect(to: &str) -> Response {
    let mut response = with_status(302);
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// The file from a byte on; `cut` after so many bytes, though more were promised.
fn file(content: &Bytes, from: Option<usize>, cut: Option<usize>) -> Response {
    let all = content.len();
    if from.is_some_and(|from| from >= all) {
        return with_status(416);
    }
    let mut response = with_status(if from.is_some() { 206 } else { 200 });
    let rest = content.slice(from.unwrap_or(0)..);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, rest.len().into());
    if let Some(from) = from
        && let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{}/{all}", all - 1))
    {
        headers.insert(header::CONTENT_RANGE, range);
    }
    let sent = cut.map_or(rest.clone(), |cut| rest.slice(..cut.min(rest.len())));
    let pieces = (0..sent.len()).step_by(PIECE).map(|at| Ok(sent.slice(at..(at + PIECE).min(sent.len()))));
    let end = cut.map(|_| Err(io::Error::from(io::ErrorKind::ConnectionReset)));
    let pieces: Vec<io::Result<Bytes>> = pieces.chain(end).collect();
    *response.body_mut() = Body::from_stream(stream::iter(pieces));
    response
}
