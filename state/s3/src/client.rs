//! Makes the SDK's client: region, endpoint and credentials from AWS' own chain, save what the store's address says.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, Credentials, RequestChecksumCalculation};
use aws_types::service_config::ServiceConfigKey;

use crate::S3Url;
use crate::failure::Failure;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// What servers other than AWS' are told when nobody names a region: they want one, and any will do.
const ANY_REGION: &str = "us-east-1";

/// A client, and the address of its server for messages.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) endpoint: String,
}

/// Makes a client of its own: connections, credentials and all. `attempt` is how long one try of a request may take.
///
/// `credentials` are used instead of those that AWS' own chain finds.
pub(crate) async fn connect(
    url: &S3Url,
    attempt: Duration,
    credentials: Option<Credentials>,
) -> Result<Connection, Failure> {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(attempt);
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts.build());
    // The default chain ends with a question to the instance that this may run on, which takes seconds elsewhere.
    let region = url.region.as_deref().or(url.endpoint.is_some().then_some(ANY_REGION));
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(endpoint) = &url.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials);
    }
    let config = loader.load().await;
    let endpoint = url.endpoint.clone().or_else(|| endpoint_of_environment(&config));
    let mut builder = Builder::from(&config).force_path_style(url.path_style.unwrap_or(endpoint.is_some()));
    if endpoint.is_some() {
        // Checksums that nobody asked for are what other servers stumble over.
        builder = builder.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    }
    let region = match (config.region(), &endpoint) {
        (Some(region), _) => region.to_string(),
        (None, Some(_)) => {
            builder = builder.region(Region::from_static(ANY_REGION));
            ANY_REGION.to_owned()
        }
        (None, None) => return Err(Failure::NoRegion),
    };
    let endpoint = endpoint.unwrap_or_else(|| format!("S3 in {region}"));
    Ok(Connection { client: Client::from_conf(builder.build()), endpoint })
}

/// What AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile say.
fn endpoint_of_environment(config: &SdkConfig) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    let specific = config.service_config().and_then(|environment| environment.load_config(key));
    specific.or_else(|| config.endpoint_url().map(str::to_owned))
}
