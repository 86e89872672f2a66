//! What the SDK's errors mean, in plain words, with what to do about it.

use std::error::Error as StdError;
use std::io;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use engine::StoreError;
use thiserror::Error;

/// Why S3 did not do as asked.
#[derive(Debug, Clone, Error)]
pub(crate) enum Failure {
    #[error("there is no bucket `{bucket}`: make it with `aws s3 mb s3://{bucket}`, or name another one with --state")]
    NoBucket { bucket: String },
    #[error("not allowed: these credentials need {permission} on {resource}")]
    Forbidden { permission: &'static str, resource: String },
    #[error(
        "there are no AWS credentials here: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in \
         with `aws sso login` ({0})"
    )]
    NoCredentials(String),
    #[error("{endpoint} does not accept the AWS credentials in use ({code}): try `aws sts get-caller-identity`")]
    BadCredentials { endpoint: String, code: String },
    #[error("the region of the bucket is not known: set AWS_REGION, or add ?region=REGION to --state")]
    NoRegion,
    #[error("the bucket is in another region{0}: set AWS_REGION, or add ?region=REGION to --state")]
    OtherRegion(String),
    #[error("the clock of this host is wrong, so {0} refuses its requests: set the time")]
    Clock(String),
    #[error("{endpoint} cannot be reached: {why}")]
    Unreachable { endpoint: String, why: String },
    #[error("{0} did not answer in time")]
    Silent(String),
    #[error("{0} asks for fewer requests, also after several tries: try again in a minute")]
    Throttled(String),
    #[error("{endpoint} answered what S3 does not answer, so it may be something else: {why}")]
    Foreign { endpoint: String, why: String },
    #[error("{endpoint} answered {status} {code}: {message}")]
    Refused { endpoint: String, status: u16, code: String, message: String },
}

impl Failure {
    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::NoBucket { .. } => io::ErrorKind::NotFound,
            Self::Forbidden { .. } | Self::NoCredentials(_) | Self::BadCredentials { .. } => {
                io::ErrorKind::PermissionDenied
            }
            Self::Unreachable { .. } => io::ErrorKind::NotConnected,
            Self::Silent(_) => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        }
    }

    /// As the port's error; `what` says what was tried, on which object.
    pub(crate) fn during(self, what: String) -> StoreError {
        StoreError::Unusable { what, source: io::Error::new(self.kind(), self) }
    }
}

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) enum Answer {
    /// There is no such object.
    Missing,
    /// The condition of the request does not hold.
    Unfit,
    /// Somebody else changes the object just now; whether it was changed by this request is open.
    Busy,
    /// Anything else.
    Failed(Failure),
}

/// What a request was about, for messages.
pub(crate) struct Subject<'a> {
    pub(crate) endpoint: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) permission: &'static str,
    /// Such as `arn:aws:s3:::bucket/prefix/*`.
    pub(crate) resource: String,
}

/// Sorts an error of the SDK.
pub(crate) fn sort<E>(error: SdkError<E, HttpResponse>, subject: &Subject<'_>) -> Answer
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let endpoint = subject.endpoint.to_owned();
    match &error {
        SdkError::ServiceError(answer) => {
            let (status, error) = (answer.raw().status().as_u16(), answer.err());
            let region = answer.raw().headers().get("x-amz-bucket-region");
            let code = error.code().unwrap_or_default();
            sort_code(status, code, error.message().unwrap_or_default(), region, subject)
        }
        SdkError::TimeoutError(_) => Answer::Failed(Failure::Silent(endpoint)),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => Answer::Failed(Failure::Silent(endpoint)),
        SdkError::DispatchFailure(failure) if failure.is_io() => {
            Answer::Failed(Failure::Unreachable { endpoint, why: root(&error) })
        }
        _ if causes(&error).any(|text| text.contains("credential")) => {
            Answer::Failed(Failure::NoCredentials(root(&error)))
        }
        SdkError::ResponseError(_) => Answer::Failed(Failure::Foreign { endpoint, why: root(&error) }),
        _ => Answer::Failed(Failure::Unreachable { endpoint, why: root(&error) }),
    }
}

fn sort_code(status: u16, code: &str, message: &str, region: Option<&str>, subject: &Subject<'_>) -> Answer {
    let endpoint = subject.endpoint.to_owned();
    Answer::Failed(match (status, code) {
        (_, "NoSuchBucket") => Failure::NoBucket { bucket: subject.bucket.to_owned() },
        (404, "NoSuchKey") => return Answer::Missing,
        (412, _) | (_, "PreconditionFailed") => return Answer::Unfit,
        (409, _) => return Answer::Busy,
        (
            _,
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired",
        ) => Failure::BadCredentials { endpoint, code: code.to_owned() },
        (_, "RequestTimeTooSkewed") => Failure::Clock(endpoint),
        (301 | 307, _) | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
            Failure::OtherRegion(region.map(|region| format!(" ({region})")).unwrap_or_default())
        }
        (403, _) => Failure::Forbidden { permission: subject.permission, resource: subject.resource.clone() },
        (429 | 503, _) => Failure::Throttled(endpoint),
        (_, "") => Failure::Foreign { endpoint, why: format!("status {status} without a code") },
        _ => Failure::Refused { endpoint, status, code: code.to_owned(), message: message.to_owned() },
    })
}

/// An error's own text and those of everything that caused it.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = String> + 'a {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
        .map(ToString::to_string)
}

fn root(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject<'static> {
        Subject {
            endpoint: "S3 in eu-central-1",
            bucket: "b",
            permission: "s3:PutObject",
            resource: "arn:aws:s3:::b/p/*".to_owned(),
        }
    }

    fn text(status: u16, code: &str) -> String {
        match sort_code(status, code, "why", None, &subject()) {
            Answer::Failed(failure) => failure.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_says_what_to_type() {
        assert!(text(404, "NoSuchBucket").contains("`aws s3 mb s3://b`"));
        assert!(text(403, "AccessDenied").contains("s3:PutObject on arn:aws:s3:::b/p/*"));
        assert!(text(403, "ExpiredToken").contains("aws sts get-caller-identity"));
        assert!(text(301, "PermanentRedirect").contains("AWS_REGION"));
        assert!(text(404, "").contains("may be something else"));
        assert!(text(500, "InternalError").contains("500 InternalError: why"));
    }

    #[test]
    fn conditions_and_missing_objects_are_no_failures() {
        assert!(matches!(sort_code(404, "NoSuchKey", "", None, &subject()), Answer::Missing));
        assert!(matches!(sort_code(412, "PreconditionFailed", "", None, &subject()), Answer::Unfit));
        assert!(matches!(sort_code(409, "ConditionalRequestConflict", "", None, &subject()), Answer::Busy));
    }
}
