//! Files of the machine that the containers of the control plane see, and those of the user's that are mounted for them.

use std::collections::BTreeMap;

use render::static_pods::{
    Component, HostMount, PathType, etcd, kube_apiserver, kube_controller_manager, kube_scheduler, mount_paths,
};
use resource::Digest;
use serde_json::json;
use spec::{MachineFile, Role};

use super::control_plane;
use crate::Resolved;

/// A pod whose files have changed starts anew: programs read them once.
const FILES_DIGEST: &str = "kubewright.io/files-digest";
/// Flags whose values may begin with `/` and are no files: paths of URLs and keys, expressions, names of anything, and what a
/// program makes itself.
const NO_FILES: [&str; 18] = [
    "allow-metric-labels",
    "api-audiences",
    "authorization-always-allow-paths",
    "cert-dir",
    "cluster-name",
    "cors-allowed-origins",
    "disabled-metrics",
    "etcd-prefix",
    "etcd-servers-overrides",
    "external-hostname",
    "feature-gates",
    "flex-volume-plugin-dir",
    "runtime-config",
    "service-account-issuer",
    "service-account-jwks-uri",
    "storage-media-type",
    "version",
    "vmodule",
];
/// Beginnings of flags that speak of a provider's words: only those that end with `-file` name files.
const WORDS: [&str; 2] = ["oidc-", "requestheader-"];
/// What every container has.
const EVERYWHERE: [&str; 6] = ["/dev", "/etc/hosts", "/etc/resolv.conf", "/proc", "/sys", "/tmp"];

/// Where a container sees files.
pub(crate) struct Seen(Vec<String>);

impl Seen {
    pub(super) fn of(mounts: Vec<String>) -> Self {
        Self(mounts.into_iter().chain(EVERYWHERE.map(str::to_owned)).collect())
    }

    /// A path is mounted, or lies below what is.
    pub(crate) fn has(&self, path: &str) -> bool {
        let is_below = |mount: &String| path.strip_prefix(mount.as_str()).is_some_and(|rest| rest.starts_with('/'));
        self.0.iter().any(|mount| mount == path || is_below(mount))
    }
}

/// What kube-apiserver sees.
pub(crate) fn by_api_server(resolved: &Resolved) -> Seen {
    Seen::of(mount_paths(&kube_apiserver::pod(&control_plane::apiserver_input(resolved))))
}

/// What kube-controller-manager sees.
pub(crate) fn by_controller_manager(resolved: &Resolved) -> Seen {
    Seen::of(mount_paths(&kube_controller_manager::pod(&control_plane::controller_manager_input(resolved))))
}

/// What kube-scheduler sees.
pub(crate) fn by_scheduler(resolved: &Resolved) -> Seen {
    Seen::of(mount_paths(&kube_scheduler::pod(&control_plane::scheduler_input(resolved))))
}

/// What etcd sees.
pub(crate) fn by_etcd(resolved: &Resolved) -> Seen {
    Seen::of(mount_paths(&etcd::pod(&control_plane::etcd_input(resolved))))
}

/// The files that the value of a flag names: alone, in a list, after `NAME=`, before `:NAME`, or as a URL.
pub(crate) fn files_of(flag: &str, value: &str) -> Vec<String> {
    let is_word = WORDS.iter().any(|beginning| flag.starts_with(beginning)) && !flag.ends_with("-file");
    if is_word || NO_FILES.contains(&flag) {
        return Vec::new();
    }
    let plain = |part: &str| {
        let part = part.trim();
        let part = ["file://", "unix://"].iter().find_map(|scheme| part.strip_prefix(scheme)).unwrap_or(part);
        let part = if part.starts_with('/') { part } else { part.split_once('=').map_or(part, |(_, value)| value) };
        let path = part.split(':').next().unwrap_or(part);
        let names: Vec<&str> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        (path.starts_with('/') && !names.is_empty()).then(|| format!("/{}", names.join("/")))
    };
    value.split(',').filter_map(plain).collect()
}

/// Mounts those of the user's files that the component's own flags name and that its container would not see.
pub(super) fn mount(resolved: &Resolved, component: &mut Component, seen: &Seen) {
    let named: Vec<String> = component
        .extra_args
        .iter()
        .flat_map(|(flag, values)| values.iter().flat_map(|value| files_of(flag, value)))
        .filter(|path| !seen.has(path))
        .collect();
    let mut contents = BTreeMap::new();
    for path in named {
        let Some(content) = content(resolved, &path) else { continue };
        if contents.insert(path.clone(), content).is_none() {
            component.extra_volumes.push(HostMount {
                name: format!("file-{}", Digest::of_bytes(path.as_bytes()).short()),
                host_path: path.clone(),
                mount_path: path,
                read_only: true,
                path_type: PathType::File,
            });
        }
    }
    if !contents.is_empty() {
        let digest = Digest::of_json(&json!(contents));
        component.annotations.insert(FILES_DIGEST.to_owned(), digest.short().to_owned());
    }
}

/// What the user's file at a path contains, in every group of control planes; nothing where one of them lacks it.
fn content<'a>(resolved: &'a Resolved, path: &str) -> Option<Vec<&'a str>> {
    let find = |files: &'a [MachineFile]| files.iter().find(|file| file.path == path).map(|file| file.content.as_str());
    let groups = resolved.groups.iter().filter(|group| group.spec.role == Role::ControlPlane);
    groups.map(|group| find(&group.spec.files).or_else(|| find(&resolved.cluster.spec.files))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_every_form_that_flags_have() {
        for (flag, value, files) in [
            ("oidc-ca-file", "/etc/oidc/ca.pem", &["/etc/oidc/ca.pem"][..]),
            ("tls-sni-cert-key", "/a/x.crt,/a/x.key:api.example.org", &["/a/x.crt", "/a/x.key"]),
            ("auth-token", "jwt,pub-key=/k/a.pub,priv-key=/k/a", &["/k/a.pub", "/k/a"]),
            ("config", "/etc//kubernetes/./x.yaml", &["/etc/kubernetes/x.yaml"]),
            ("debug-socket-path", "unix:///run/debug.sock", &["/run/debug.sock"]),
            ("allow-metric-labels-manifest", "/etc/labels.yaml", &["/etc/labels.yaml"]),
            ("etcd-cafile", "/etc/ca.pem", &["/etc/ca.pem"]),
            ("authorization-always-allow-paths", "/healthz,/readyz", &[]),
            ("etcd-servers-overrides", "/events#https://a:2379", &[]),
            ("external-hostname", "https://a/b", &[]),
            ("profiling", "false", &[]),
            ("cors-allowed-origins", "//example\\.org(:|$)", &[]),
            ("oidc-groups-prefix", "/keycloak/", &[]),
            ("oidc-required-claim", "groups=/admins", &[]),
            ("requestheader-client-ca-file", "/etc/x.pem", &["/etc/x.pem"]),
            ("api-audiences", "/x", &[]),
            ("vmodule", "/x/*=5", &[]),
            ("runtime-config", "/a=true", &[]),
            ("x", "/", &[]),
        ] {
            assert_eq!(files_of(flag, value), files, "{flag}={value}");
        }
    }
}
