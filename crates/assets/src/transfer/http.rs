//! Files of web servers.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::{Opened, Remote, TransferError};

/// How long a server may take to be connected with.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);
/// How long a server may say nothing.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);
/// What calls itself a checksum or a record may not be longer.
const LONGEST_TEXT: usize = 1 << 20;
/// What we call ourselves.
pub(crate) const USER_AGENT: &str = concat!("kubewright/", env!("CARGO_PKG_VERSION"));

/// A client of web servers. Proxies are taken from the usual variables of the environment.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    /// The error, when there can be no client: a machine without any certificate authority.
    client: Result<Client, String>,
}

/// A file of a web server.
pub(crate) struct HttpFile {
    pub(crate) http: Http,
    pub(crate) url: String,
}

impl Http {
    /// A client.
    pub(crate) fn new() -> Self {
        let client = Client::builder().connect_timeout(CONNECT).read_timeout(SILENCE).user_agent(USER_AGENT).build();
        Self { client: client.map_err(|error| innermost(&error)) }
    }

    /// A short text, such as a checksum.
    pub(crate) async fn text(&self, url: &str) -> Result<String, TransferError> {
        let response = self.get(url, 0).await?;
        let mut bytes = Vec::new();
        let mut content = response.bytes_stream();
        while let Some(more) = content.next().await {
            bytes.extend_from_slice(&more.map_err(|error| broken(&error))?);
            if bytes.len() > LONGEST_TEXT {
                return Err(TransferError::Refused("it is too long for what it should be".into()));
            }
        }
        String::from_utf8(bytes).map_err(|_| TransferError::Refused("it is not text".into()))
    }

    /// The size of a file, when the server says it.
    pub(crate) async fn size(&self, url: &str) -> Result<Option<u64>, TransferError> {
        let response = Self::send(self.client()?.head(url)).await?;
        // A HEAD has no content, so its length is only in the header.
        Ok(response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()))
    }

    fn client(&self) -> Result<&Client, TransferError> {
        self.client.as_ref().map_err(|why| TransferError::Unreachable(why.clone()))
    }

    async fn get(&self, url: &str, from: u64) -> Result<Response, TransferError> {
        let mut request = self.client()?.get(url);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        Self::send(request).await
    }

    async fn send(request: RequestBuilder) -> Result<Response, TransferError> {
        let response = request.send().await.map_err(|error| unanswered(&error))?;
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        judge(response.status(), after.map(Duration::from_secs))?;
        Ok(response)
    }
}

#[async_trait]
impl Remote for HttpFile {
    fn address(&self) -> String {
        self.url.clone()
    }

    async fn open(&self, from: u64) -> Result<Opened, TransferError> {
        let response = self.http.get(&self.url, from).await?;
        let length = response.content_length();
        let from = if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
            range.and_then(first_byte).ok_or(TransferError::Changed)?
        } else {
            0
        };
        let size = length.map(|length| from + length);
        Ok(Opened { from, size, content: response.bytes_stream().map_err(|error| broken(&error)).boxed() })
    }
}

/// The `5` of `bytes 5-9/10`.
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// What an answer's status means for a transfer.
pub(crate) fn judge(status: StatusCode, after: Option<Duration>) -> Result<(), TransferError> {
    let why = || format!("the server says {status}");
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(TransferError::Missing),
        StatusCode::RANGE_NOT_SATISFIABLE => Err(TransferError::Changed),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Err(TransferError::Temporary { why: why(), after })
        }
        status if status.is_server_error() => Err(TransferError::Temporary { why: why(), after }),
        _ => Err(TransferError::Refused(why())),
    }
}

/// An error before any answer came. Only a redirect that leads nowhere is the server's own fault.
pub(crate) fn unanswered(error: &reqwest::Error) -> TransferError {
    let why = innermost(error);
    if error.is_redirect() || error.is_builder() {
        TransferError::Refused(why)
    } else {
        TransferError::Unreachable(why)
    }
}

/// An error in the midst of an answer.
pub(crate) fn broken(error: &reqwest::Error) -> TransferError {
    let why = format!("the connection broke: {}", innermost(error));
    TransferError::Temporary { why, after: None }
}

/// What really happened; the errors around it only say that something did.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_get_better_is_temporary() {
        let temporary = |code: u16| {
            matches!(judge(StatusCode::from_u16(code).unwrap(), None), Err(TransferError::Temporary { .. }))
        };
        assert!([429, 408, 500, 502, 503, 504].into_iter().all(temporary));
        assert!(![200, 206, 401, 403, 404, 410, 416].into_iter().any(temporary));
    }

    #[test]
    fn the_first_byte_of_a_range_is_read() {
        assert_eq!(first_byte("bytes 5-9/10"), Some(5));
        assert_eq!(first_byte("bytes */10"), None);
    }
}
