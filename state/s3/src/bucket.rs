//! Requests to one bucket, in the store's own terms: what is there, what was written, what stands in the way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use engine::StoreError;
use tokio::sync::OnceCell;

use crate::S3Url;
use crate::client::{self, Connection};
use crate::failure::{Answer, Failure, Subject, sort};
use crate::layout::Layout;

/// How often a write is tried that somebody else's write gets in the way of.
const BUSY_TRIES: u32 = 5;
/// How often an object is read whose content breaks off.
const READ_TRIES: u32 = 3;
/// How many objects one request can delete.
const DELETED_AT_ONCE: usize = 1000;

/// An object as it is now.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    /// Changes with every write.
    pub(crate) tag: String,
    /// How long ago it was written, whole seconds; by the server's clock, as is everything that must be agreed on.
    pub(crate) age: i64,
}

/// An object in a list.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) key: String,
    /// When it was written, seconds, by the server's clock.
    pub(crate) written: i64,
}

/// When a write may happen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition<'a> {
    /// Only if there is nothing.
    Absent,
    /// Only if there is exactly this.
    Tag(&'a str),
}

/// How a conditional write ended.
#[derive(Debug)]
pub(crate) enum Written {
    /// It is there, with this tag.
    Done(String),
    /// Something else is there, or nothing where something was expected.
    Refused(Option<Object>),
}

/// One bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    url: S3Url,
    /// How long one try of a request may take.
    attempt: Duration,
    credentials: Option<Credentials>,
    pub(crate) layout: Layout,
    /// Made on first use: a command that needs no state must not wait for credentials.
    connection: OnceCell<Connection>,
}

impl Bucket {
    pub(crate) fn new(url: S3Url, attempt: Duration, credentials: Option<Credentials>) -> Self {
        Self { layout: Layout::new(&url), url, attempt, credentials, connection: OnceCell::new() }
    }

    /// The same bucket with connections and credentials of its own.
    pub(crate) fn apart(&self, attempt: Duration) -> Self {
        Self::new(self.url.clone(), attempt, self.credentials.clone())
    }

    pub(crate) fn url(&self) -> &S3Url {
        &self.url
    }

    /// Reads an object.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let what = || format!("read {}", self.layout.show(key));
        let connection = self.connect(&what).await?;
        let mut tries = 0;
        loop {
            let date = DateOfAnswer::default();
            let request = connection.client.get_object().bucket(&self.url.bucket).key(key);
            let output = match request.customize().interceptor(date.clone()).send().await {
                Ok(output) => output,
                Err(error) => match sort(error, &self.subject(connection, "s3:GetObject and s3:ListBucket")) {
                    Answer::Missing => return Ok(None),
                    answer => return Err(failed(connection, answer, what())),
                },
            };
            tries += 1;
            // The SDK repeats what was not answered, but not what broke off in the middle of an answer.
            match read(output, &date).await {
                Ok(object) => return Ok(Some(object)),
                Err(_) if tries < READ_TRIES => {}
                Err(why) => {
                    return Err(Failure::Unreachable { endpoint: connection.endpoint.clone(), why }.during(what()));
                }
            }
        }
    }

    /// Writes an object if the condition holds.
    ///
    /// A reply may be lost and the request repeated, by the SDK too: then the condition fails because of the own write. So
    /// a refusal is settled by reading back, and bytes that are there as they were to be written count as written. Bytes
    /// must therefore say who wrote them wherever it matters.
    pub(crate) async fn put(&self, key: &str, bytes: &[u8], condition: Condition<'_>) -> Result<Written, StoreError> {
        let what = || format!("write {}", self.layout.show(key));
        let connection = self.connect(&what).await?;
        let mut tries = 0;
        loop {
            let request = connection.client.put_object().bucket(&self.url.bucket).key(key);
            let request = match condition {
                Condition::Absent => request.if_none_match("*"),
                Condition::Tag(tag) => request.if_match(tag),
            };
            let sent = request.content_type("application/json").body(ByteStream::from(bytes.to_vec())).send().await;
            let error = match sent {
                Ok(output) => return Ok(Written::Done(output.e_tag.unwrap_or_default())),
                Err(error) => error,
            };
            match sort(error, &self.subject(connection, "s3:PutObject")) {
                Answer::Busy if tries < BUSY_TRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(50) * tries).await;
                }
                Answer::Unfit | Answer::Missing | Answer::Busy => break,
                answer @ Answer::Failed(_) => return Err(failed(connection, answer, what())),
            }
        }
        Ok(match self.get(key).await? {
            Some(there) if there.bytes == bytes => Written::Done(there.tag),
            there => Written::Refused(there),
        })
    }

    /// All objects below a prefix, in the order of their keys.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let pages = self.pages(prefix, None).await?;
        let objects = pages.into_iter().flat_map(|page| page.contents.unwrap_or_default());
        let mut found: Vec<_> = objects
            .filter_map(|object| {
                Some(Listed { key: object.key?, written: object.last_modified.map_or(0, |time| time.secs()) })
            })
            .collect();
        found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// What stands between a prefix and the next slash, sorted.
    pub(crate) async fn directories(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let pages = self.pages(prefix, Some("/")).await?;
        let common = pages.into_iter().flat_map(|page| page.common_prefixes.unwrap_or_default());
        let name = |common: String| Some(common.strip_prefix(prefix)?.strip_suffix('/')?.to_owned());
        let mut found: Vec<_> = common.filter_map(|common| common.prefix.and_then(name)).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Everything that a listing answers, in as many requests as the server wants.
    async fn pages(&self, prefix: &str, delimiter: Option<&str>) -> Result<Vec<ListObjectsV2Output>, StoreError> {
        let mut pages = vec![self.list_page(prefix, delimiter, None).await?];
        while let Some(next) = pages.last().and_then(|page| page.next_continuation_token.clone()) {
            pages.push(self.list_page(prefix, delimiter, Some(next)).await?);
        }
        Ok(pages)
    }

    async fn list_page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        page: Option<String>,
    ) -> Result<ListObjectsV2Output, StoreError> {
        let what = || format!("list {}", self.layout.show(prefix));
        let connection = self.connect(&what).await?;
        let request = connection.client.list_objects_v2().bucket(&self.url.bucket).prefix(prefix);
        let request = request.set_delimiter(delimiter.map(str::to_owned)).set_continuation_token(page);
        let resource = format!("arn:aws:s3:::{}", self.url.bucket);
        request.send().await.map_err(|error| {
            let subject = Subject { resource, ..self.subject(connection, "s3:ListBucket") };
            failed(connection, sort(error, &subject), what())
        })
    }

    /// Deletes one object, or finds it gone.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        let what = || format!("delete {}", self.layout.show(key));
        let connection = self.connect(&what).await?;
        match connection.client.delete_object().bucket(&self.url.bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) => match sort(error, &self.subject(connection, "s3:DeleteObject")) {
                Answer::Missing => Ok(()),
                answer => Err(failed(connection, answer, what())),
            },
        }
    }

    /// Deletes many objects.
    pub(crate) async fn delete_all(&self, keys: &[String]) -> Result<(), StoreError> {
        for keys in keys.chunks(DELETED_AT_ONCE) {
            let what =
                || format!("delete {} and others", keys.first().map(|key| self.layout.show(key)).unwrap_or_default());
            let connection = self.connect(&what).await?;
            let identifiers = keys.iter().filter_map(|key| ObjectIdentifier::builder().key(key).build().ok());
            let delete = Delete::builder().set_objects(Some(identifiers.collect())).quiet(true).build();
            let delete =
                delete.map_err(|error| StoreError::Unusable { what: what(), source: std::io::Error::other(error) })?;
            let sent = connection.client.delete_objects().bucket(&self.url.bucket).delete(delete).send().await;
            let output = sent.map_err(|error| {
                failed(connection, sort(error, &self.subject(connection, "s3:DeleteObject")), what())
            })?;
            if let Some(error) = output.errors().first() {
                let failure = if error.code() == Some("AccessDenied") {
                    let Subject { permission, resource, .. } = self.subject(connection, "s3:DeleteObject");
                    Failure::Forbidden { permission, resource }
                } else {
                    let code = error.code().unwrap_or_default().to_owned();
                    let message = error.message().unwrap_or_default().to_owned();
                    Failure::Refused { endpoint: connection.endpoint.clone(), status: 200, code, message }
                };
                return Err(failure.during(format!("delete {}", self.layout.show(error.key().unwrap_or_default()))));
            }
        }
        Ok(())
    }

    /// Makes the client before it is needed.
    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        self.connect(&|| format!("use {}", self.url)).await.map(drop)
    }

    async fn connect(&self, what: &impl Fn() -> String) -> Result<&Connection, StoreError> {
        let connect = || client::connect(&self.url, self.attempt, self.credentials.clone());
        let connected = self.connection.get_or_try_init(connect).await;
        connected.map_err(|failure| failure.during(what()))
    }

    fn subject<'a>(&'a self, connection: &'a Connection, permission: &'static str) -> Subject<'a> {
        let resource = format!("arn:aws:s3:::{}/{}*", self.url.bucket, self.layout.prefix());
        Subject { endpoint: &connection.endpoint, bucket: &self.url.bucket, permission, resource }
    }
}

fn failed(connection: &Connection, answer: Answer, what: String) -> StoreError {
    let endpoint = connection.endpoint.clone();
    let odd = |status, code: &str| Failure::Refused { endpoint, status, code: code.to_owned(), message: String::new() };
    match answer {
        Answer::Failed(failure) => failure,
        Answer::Missing => odd(404, "not found"),
        Answer::Unfit => odd(412, "precondition failed"),
        Answer::Busy => odd(409, "conflict"),
    }
    .during(what)
}

async fn read(output: GetObjectOutput, date: &DateOfAnswer) -> Result<Object, String> {
    let tag = output.e_tag.unwrap_or_default();
    let written = output.last_modified.map(|time| time.secs());
    let now = date.seconds();
    let bytes = output.body.collect().await.map_err(|error| error.to_string())?.to_vec();
    // What cannot be told counts as written just now: that never takes anything from anybody.
    let age = now.zip(written).map_or(0, |(now, written)| now - written);
    Ok(Object { bytes, tag, age })
}

/// Takes the server's time from its answer: the SDK keeps it to itself.
#[derive(Debug, Clone, Default)]
struct DateOfAnswer(Arc<Mutex<Option<i64>>>);

impl DateOfAnswer {
    fn seconds(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for DateOfAnswer {
    fn name(&self) -> &'static str {
        "DateOfAnswer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let parsed = date.and_then(|date| DateTime::from_str(date, DateTimeFormat::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = parsed.map(|time| time.secs());
        Ok(())
    }
}
