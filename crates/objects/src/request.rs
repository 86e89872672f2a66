//! Requests to the Kubernetes API, as data.

use std::fmt::Write as _;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::ApiError;

/// The name under which our fields are owned in `managedFields`.
pub(crate) const MANAGER: &str = "kubewright";

/// How long the API server may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    content_type: &'static str,
    body: Option<Value>,
    /// How long to wait for the answer.
    pub(crate) timeout: Duration,
}

impl Request {
    fn new(method: Method, path: &str, content_type: &'static str, body: Option<Value>) -> Self {
        Self { method, path: path.to_owned(), query: Vec::new(), content_type, body, timeout: TIMEOUT }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path, "application/json", None)
    }

    pub(crate) fn post(path: &str, body: Value) -> Self {
        Self::new(Method::POST, path, "application/json", Some(body))
    }

    pub(crate) fn put(path: &str, body: Value) -> Self {
        Self::new(Method::PUT, path, "application/json", Some(body))
    }

    /// Server-side apply by our manager, taking conflicting fields over.
    pub(crate) fn apply(path: &str, body: Value) -> Self {
        // JSON is YAML; the media type is the only one that every version knows.
        Self::new(Method::PATCH, path, "application/apply-patch+yaml", Some(body))
            .query(&[("fieldManager", MANAGER), ("force", "true")])
    }

    /// A JSON merge patch.
    pub(crate) fn merge(path: &str, body: Value) -> Self {
        Self::new(Method::PATCH, path, "application/merge-patch+json", Some(body)).query(&[("fieldManager", MANAGER)])
    }

    /// A strategic merge patch by somebody else.
    #[cfg(test)]
    pub(crate) fn strategic(path: &str, body: Value) -> Self {
        Self::new(Method::PATCH, path, "application/strategic-merge-patch+json", Some(body))
            .query(&[("fieldManager", "somebody-else")])
    }

    /// Deletes in the background, and only the object with this UID where one is given.
    pub(crate) fn delete(path: &str, uid: Option<&str>) -> Self {
        let mut options =
            serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
        if let Some(uid) = uid {
            options["preconditions"] = serde_json::json!({"uid": uid});
        }
        Self::new(Method::DELETE, path, "application/json", Some(options))
    }

    /// Deletes without waiting for a kubelet to end the pod.
    #[cfg(test)]
    pub(crate) fn delete_now(path: &str) -> Self {
        Self::new(Method::DELETE, path, "application/json", None).query(&[("gracePeriodSeconds", "0")])
    }

    /// The same with more query parameters.
    pub(crate) fn query(mut self, parameters: &[(&str, &str)]) -> Self {
        self.query.extend(parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    /// The same with another time limit.
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether the answer is plain text that says nothing but yes.
    pub(crate) fn is_probe(&self) -> bool {
        self.path == "/readyz" || self.path.ends_with("/proxy/healthz")
    }

    pub(crate) fn to_http(&self) -> Result<http::Request<Vec<u8>>, ApiError> {
        let mut uri = encode(&self.path, "/:@!$&'()*+,;=");
        for (index, (name, value)) in self.query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(&encode(name, ""));
            uri.push('=');
            uri.push_str(&encode(value, ""));
        }
        let body = self.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
        http::Request::builder()
            .method(self.method.clone())
            .uri(uri)
            .header(http::header::CONTENT_TYPE, self.content_type)
            .header(http::header::ACCEPT, if self.is_probe() { "*/*" } else { "application/json" })
            .body(body)
            .map_err(|error| ApiError::Answer(error.to_string()))
    }
}

/// Percent-encodes everything but unreserved characters and those in `keep`.
fn encode(text: &str, keep: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parameters_are_encoded() {
        let request = Request::get("/apis/rbac.authorization.k8s.io/v1/clusterroles/kubeadm:get nodes")
            .query(&[("fieldSelector", "spec.nodeName=w-1")]);
        assert_eq!(
            request.to_http().unwrap().uri().to_string(),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/kubeadm:get%20nodes?fieldSelector=spec.nodeName%3Dw-1"
        );
    }

    #[test]
    fn an_apply_names_our_manager_and_forces() {
        let request = Request::apply("/api/v1/namespaces/x", Value::Null).to_http().unwrap();
        assert_eq!(request.uri().query(), Some("fieldManager=kubewright&force=true"));
        assert_eq!(request.headers()["content-type"], "application/apply-patch+yaml");
    }
}
