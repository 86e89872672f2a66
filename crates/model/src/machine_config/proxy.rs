//! containerd's way to registries through a proxy.

use crate::Resolved;

/// A drop-in of containerd's unit; nothing where there is no proxy.
pub(super) fn drop_in(resolved: &Resolved) -> Option<String> {
    let proxy = &resolved.cluster.spec.containerd.proxy;
    let proxies = [("HTTP_PROXY", &proxy.http), ("HTTPS_PROXY", &proxy.https)];
    let named: Vec<(&str, &str)> =
        proxies.into_iter().filter_map(|(name, value)| value.as_deref().map(|value| (name, value))).collect();
    if named.is_empty() {
        return None;
    }
    let exceptions = exceptions(resolved).join(",");
    let lines = named.into_iter().chain([("NO_PROXY", exceptions.as_str())]);
    // `%` begins a specifier in units.
    let line = |(name, value): (&str, &str)| format!("Environment=\"{name}={}\"\n", value.replace('%', "%%"));
    Some(lines.map(line).fold("[Service]\n".to_owned(), |text, line| text + &line))
}

/// What is near: this machine, all machines, pods, Services and their names, and what the user names.
fn exceptions(resolved: &Resolved) -> Vec<String> {
    let networking = &resolved.cluster.spec.networking;
    let domain = &networking.dns_domain;
    let mut all: Vec<String> = ["127.0.0.1", "::1", "localhost", ".svc"].map(str::to_owned).into();
    all.push(format!(".{domain}"));
    all.extend(resolved.networks.iter().map(ToString::to_string));
    all.extend(networking.pod_cidrs.iter().chain(&networking.service_cidrs).map(ToString::to_string));
    all.extend(resolved.cluster.spec.api.endpoint.clone());
    all.extend(resolved.cluster.spec.containerd.proxy.no_proxy.clone());
    all
}
