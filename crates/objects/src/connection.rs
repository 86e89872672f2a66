//! Connections to clusters, one per access, kept for the life of the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kube::Client;
use resource::{Digest, Secret};
use serde_json::Value;

use crate::dial::TlsDial;
use crate::request::Request;
use crate::resource_type::ResourceType;
use crate::{Access, ApiError};

/// How long a readiness probe may take before the server counts as not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Makes the client of one API server; replaced by tests.
pub trait Dial: Send + Sync {
    /// A client that talks to `server` only. Makes no connection yet.
    fn client(&self, access: &Access, server: &str) -> Result<Client, ApiError>;

    /// A client that talks to `server` only and shows `token` instead of a certificate.
    fn token_client(&self, access: &Access, server: &str, token: &Secret) -> Result<Client, ApiError>;
}

/// All connections of this process.
pub struct Connections {
    dial: Arc<dyn Dial>,
    open: Mutex<BTreeMap<Digest, Arc<Connection>>>,
}

impl Default for Connections {
    fn default() -> Self {
        Self::new()
    }
}

impl Connections {
    /// Connections over TLS.
    pub fn new() -> Self {
        Self::with_dial(Arc::new(TlsDial))
    }

    /// Connections made by `dial`.
    pub fn with_dial(dial: Arc<dyn Dial>) -> Self {
        Self { dial, open: Mutex::default() }
    }

    /// The connection for an `access` output, made when there is none yet. Sends nothing.
    pub(crate) fn open(&self, text: &Secret) -> Result<Arc<Connection>, ApiError> {
        let digest = Digest::of_bytes(text.reveal().as_bytes());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = open.get(&digest) {
            return Ok(connection.clone());
        }
        let access = Access::parse(text)?;
        let connection = Arc::new(Connection::new(&access, &*self.dial)?);
        open.insert(digest, connection.clone());
        Ok(connection)
    }
}

/// One API server of a cluster.
pub(crate) struct Server {
    /// Its base address.
    pub(crate) address: String,
    client: Client,
}

impl Server {
    fn new(access: &Access, address: &str, dial: &dyn Dial) -> Result<Self, ApiError> {
        Ok(Self { address: address.to_owned(), client: dial.client(access, address)? })
    }

    /// The same server, to which a token is shown instead of a certificate.
    pub(crate) fn with_token(
        access: &Access,
        address: &str,
        token: &Secret,
        connections: &Connections,
    ) -> Result<Self, ApiError> {
        Ok(Self { address: address.to_owned(), client: connections.dial.token_client(access, address, token)? })
    }

    /// Sends one request and reads the answer as JSON; `null` where the answer is no JSON.
    pub(crate) async fn send(&self, request: &Request) -> Result<Value, ApiError> {
        let sent = tokio::time::timeout(request.timeout, self.client.request_text(request.to_http()?));
        let text = match sent.await {
            Ok(answer) => answer.map_err(|error| ApiError::from_kube(&self.address, &error))?,
            Err(_) => return Err(self.silent("it takes too long")),
        };
        if request.is_probe() {
            Ok(Value::Null)
        } else {
            serde_json::from_str(&text).map_err(|error| ApiError::Answer(error.to_string()))
        }
    }

    /// Why the server is not ready; `Ok` when it is.
    pub(crate) async fn probe(&self) -> Result<(), ApiError> {
        self.send(&Request::get("/readyz").within(PROBE_TIMEOUT)).await.map(drop)
    }

    fn silent(&self, why: &str) -> ApiError {
        ApiError::Transport { server: self.address.clone(), why: why.to_owned() }
    }
}

/// The API servers of one cluster, of which the first that is ready is used until it fails.
pub(crate) struct Connection {
    pub(crate) servers: Vec<Server>,
    live: tokio::sync::Mutex<Option<usize>>,
    identity: tokio::sync::Mutex<Option<String>>,
    /// Kinds found by discovery, by group and version.
    pub(crate) types: tokio::sync::Mutex<BTreeMap<String, Vec<ResourceType>>>,
}

impl Connection {
    fn new(access: &Access, dial: &dyn Dial) -> Result<Self, ApiError> {
        let servers: Result<_, _> = access.servers.iter().map(|address| Server::new(access, address, dial)).collect();
        Ok(Self {
            servers: servers?,
            live: tokio::sync::Mutex::default(),
            identity: tokio::sync::Mutex::default(),
            types: tokio::sync::Mutex::default(),
        })
    }

    /// Sends a request to a ready server, and once more to another one when the first does not answer.
    ///
    /// Every request made here may be done twice.
    pub(crate) async fn send(&self, request: &Request) -> Result<Value, ApiError> {
        let (index, server) = self.live().await?;
        let answer = server.send(request).await;
        match &answer {
            Err(ApiError::Transport { .. }) => {
                self.give_up(index).await;
                let (_, server) = self.live().await?;
                server.send(request).await
            }
            Err(error @ ApiError::Refused { code: 500..=599, .. }) if !error.is_a_nodes() => {
                self.give_up(index).await;
                answer
            }
            _ => answer,
        }
    }

    /// The same, with `None` for what is positively not there.
    pub(crate) async fn find(&self, request: &Request) -> Result<Option<Value>, ApiError> {
        match self.send(request).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All items of a list, page by page.
    pub(crate) async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, ApiError> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let mut query = query.to_vec();
            query.push(("limit", "500"));
            if !next.is_empty() {
                query.push(("continue", &next));
            }
            let mut page = self.send(&Request::get(path).query(&query)).await?;
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(token) if !token.is_empty() => token.clone_into(&mut next),
                _ => return Ok(items),
            }
        }
    }

    /// The UID of kube-system, which is the cluster's identity. Asked once.
    pub(crate) async fn identity(&self) -> Result<String, ApiError> {
        let mut identity = self.identity.lock().await;
        if let Some(uid) = &*identity {
            return Ok(uid.clone());
        }
        let namespace = self.send(&Request::get("/api/v1/namespaces/kube-system")).await?;
        let uid = namespace.pointer("/metadata/uid").and_then(Value::as_str);
        let uid = uid.ok_or_else(|| ApiError::Answer("kube-system has no UID".to_owned()))?.to_owned();
        *identity = Some(uid.clone());
        Ok(uid)
    }

    /// Refuses when another cluster than the recorded one answers.
    pub(crate) async fn check_identity(&self, recorded: Option<&str>) -> Result<(), ApiError> {
        let Some(recorded) = recorded else { return Ok(()) };
        let found = self.identity().await?;
        if found == recorded { Ok(()) } else { Err(ApiError::OtherCluster { recorded: recorded.to_owned(), found }) }
    }

    async fn give_up(&self, index: usize) {
        let mut live = self.live.lock().await;
        if *live == Some(index) {
            *live = None;
        }
    }

    async fn live(&self) -> Result<(usize, &Server), ApiError> {
        let mut live = self.live.lock().await;
        let index = match *live {
            Some(index) => index,
            None => self.first_ready().await?,
        };
        *live = Some(index);
        let server = self.servers.get(index).ok_or(ApiError::Access("it names no server"))?;
        Ok((index, server))
    }

    async fn first_ready(&self) -> Result<usize, ApiError> {
        let mut probes: FuturesUnordered<_> = self
            .servers
            .iter()
            .enumerate()
            .map(|(index, server)| async move { (index, server.probe().await) })
            .collect();
        let mut failures = Vec::new();
        while let Some((index, answer)) = probes.next().await {
            match answer {
                Ok(()) => return Ok(index),
                Err(error) => failures.push(error.to_string()),
            }
        }
        failures.sort_unstable();
        Err(ApiError::Unreachable(failures))
    }
}
