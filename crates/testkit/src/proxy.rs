//! A proxy between a client and a real HTTP server, with faults and a memory of what passed.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;

use crate::serving::Serving;

/// What goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hitch {
    /// The server does the work, but the connection breaks before its reply is through.
    LoseReply,
    /// The request waits this long before it reaches the server.
    Delay(Duration),
    /// This status and body instead; the server hears of nothing.
    Refuse(u16, String),
}

/// One request that came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Such as `GET`.
    pub method: String,
    /// Path with the query, as sent.
    pub path: String,
}

/// Which request meets which hitch.
struct Waiting {
    method: String,
    part: String,
    hitch: Hitch,
}

#[derive(Default)]
struct Memory {
    passed: Vec<Passed>,
    waiting: VecDeque<Waiting>,
}

#[derive(Clone)]
struct Shared {
    server: String,
    client: reqwest::Client,
    memory: Arc<Mutex<Memory>>,
    /// Writes reach the server one by one: servers for tests look at a condition and write in two steps, real ones in one.
    writing: Arc<tokio::sync::Mutex<()>>,
}

/// A proxy on this machine, until it is dropped.
pub struct Proxy {
    shared: Shared,
    serving: Serving,
}

impl Proxy {
    /// Starts a proxy before a server such as `http://127.0.0.1:5000`.
    pub async fn start(server: &str) -> io::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let shared = Shared {
            server: server.to_owned(),
            client: client.build().map_err(io::Error::other)?,
            memory: Arc::default(),
            writing: Arc::default(),
        };
        let router = Router::new().fallback(pass).with_state(shared.clone());
        Ok(Self { shared, serving: Serving::start(router).await? })
    }

    /// Its address, without a trailing slash.
    pub fn url(&self) -> String {
        self.serving.url()
    }

    /// The next request of this method whose path has this in it meets the hitch; several are met one after the other.
    pub fn hitch(&self, method: &str, part: &str, hitch: Hitch) {
        let waiting = Waiting { method: method.to_owned(), part: part.to_owned(), hitch };
        lock(&self.shared.memory).waiting.push_back(waiting);
    }

    /// How many hitches nobody met yet.
    pub fn waiting(&self) -> usize {
        lock(&self.shared.memory).waiting.len()
    }

    /// All requests since this was asked last.
    pub fn take_passed(&self) -> Vec<Passed> {
        std::mem::take(&mut lock(&self.shared.memory).passed)
    }
}

fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(State(shared): State<Shared>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let method = request.method().clone();
    let hitch = meet(&shared.memory, method.as_str(), &path);
    match hitch {
        Some(Hitch::Refuse(status, body)) => return reply(status, HeaderMap::new(), Body::from(body)),
        Some(Hitch::Delay(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let answer = forward(&shared, method, &path, request).await;
    if hitch == Some(Hitch::LoseReply) {
        // Ends this connection's task, and with it the connection, without a word.
        std::panic::resume_unwind(Box::new("the reply is lost"));
    }
    answer.unwrap_or_else(|error| reply(502, HeaderMap::new(), Body::from(error.to_string())))
}

fn meet(memory: &Mutex<Memory>, method: &str, path: &str) -> Option<Hitch> {
    let mut memory = lock(memory);
    memory.passed.push(Passed { method: method.to_owned(), path: path.to_owned() });
    let at = memory.waiting.iter().position(|waiting| waiting.method == method && path.contains(&waiting.part))?;
    memory.waiting.remove(at).map(|waiting| waiting.hitch)
}

async fn forward(shared: &Shared, method: Method, path: &str, request: Request) -> Result<Response, reqwest::Error> {
    let mut headers = request.headers().clone();
    headers.remove(header::HOST);
    headers.remove(header::EXPECT);
    let body = to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
    let is_write = method != Method::GET && method != Method::HEAD;
    let _alone = if is_write { Some(shared.writing.lock().await) } else { None };
    let sent = shared.client.request(method, format!("{}{path}", shared.server)).headers(headers).body(body);
    let answer = sent.send().await?;
    let (status, mut headers) = (answer.status().as_u16(), answer.headers().clone());
    for name in [header::TRANSFER_ENCODING, header::CONNECTION] {
        headers.remove(name);
    }
    Ok(reply(status, headers, Body::from(answer.bytes().await?)))
}

fn reply(status: u16, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}
