//! Stores in buckets: everything of AWS is a feature of the build, since compiling it takes long and few try it first.

use std::sync::Arc;

use engine::StateStore;

use crate::error::CommandError;
use crate::exit::Exit;

type Opened = Result<Arc<dyn StateStore>, CommandError>;

#[cfg(feature = "s3")]
const OPEN: Option<fn(&str, &str) -> Opened> = Some(open_s3);
#[cfg(not(feature = "s3"))]
const OPEN: Option<fn(&str, &str) -> Opened> = None;

/// The store at an address with a scheme; `from` is where the user wrote it.
pub(crate) fn open(address: &str, from: &str) -> Opened {
    OPEN.map_or_else(|| Err(left_out(address, from)), |open| open(address, from))
}

#[cfg(feature = "s3")]
fn open_s3(text: &str, from: &str) -> Opened {
    let url = text
        .parse::<state_s3::S3Url>()
        .map_err(|error| CommandError::from_source(from, &error).exit(Exit::Usage).hint(crate::address::SHAPE))?;
    Ok(Arc::new(state_s3::S3Store::new(url)))
}

/// Whether an address is one of a bucket; else what is wrong with it.
#[cfg(feature = "s3")]
pub(crate) fn check(address: &str) -> Result<(), String> {
    address.parse::<state_s3::S3Url>().map(drop).map_err(|error| error.to_string())
}

/// The same as far as it can be told without what reads the whole address.
#[cfg(not(feature = "s3"))]
pub(crate) fn check(address: &str) -> Result<(), String> {
    match address.strip_prefix("s3://") {
        Some(bucket) if bucket.starts_with(|c: char| c.is_ascii_alphanumeric()) => Ok(()),
        Some(_) => Err(format!("`{address}` names no bucket")),
        None => Err(format!("`{address}` is neither a directory nor a bucket")),
    }
}

/// What a program says that cannot open it.
fn left_out(address: &str, from: &str) -> CommandError {
    CommandError::failed(format!("{from}: {address} is no directory, and this kubewright was built without S3"))
        .exit(Exit::Usage)
        .hint("build it with S3, in its sources: cargo build -p cli --features s3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_buckets_says_how_to_get_one_with_them() {
        let error = left_out("s3://bucket/clusters", "--state");
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains("--state: s3://bucket/clusters"), "{}", error.message);
        assert!(error.hints.iter().any(|hint| hint.contains("cargo build -p cli --features s3")), "{:?}", error.hints);
    }

    #[test]
    fn an_address_is_refused_or_opened_as_the_program_was_built() {
        assert_eq!(open("s3://bucket/clusters?region=us-east-1", "--state").is_ok(), cfg!(feature = "s3"));
        let Err(error) = open("gs://bucket", "--state") else { panic!("nobody can open it") };
        assert_eq!(error.exit, Exit::Usage);
    }
}
