//! Flags that name a file which the container of their component does not see.

use std::collections::BTreeMap;

use resource::Severity;
use spec::field_path;

use super::{Remark, of_cluster, remark};
use crate::Resolved;
use crate::machine_config::seen::{self, Seen};

pub(super) fn check(resolved: &Resolved) -> Vec<Remark> {
    let spec = &resolved.cluster.spec;
    let components: [(&str, &BTreeMap<String, String>, Seen); 4] = [
        ("kubeAPIServer", &spec.kube_api_server.extra_args, seen::by_api_server(resolved)),
        ("kubeControllerManager", &spec.kube_controller_manager.extra_args, seen::by_controller_manager(resolved)),
        ("kubeScheduler", &spec.kube_scheduler.extra_args, seen::by_scheduler(resolved)),
        ("etcd", &spec.etcd.extra_args, seen::by_etcd(resolved)),
    ];
    let mut remarks = Vec::new();
    for (component, args, seen) in &components {
        for (flag, value) in *args {
            // Programs start in the root, where nothing of the user's is.
            let is_file = ["file", "manifest"].into_iter().any(|last| flag.ends_with(&format!("-{last}")));
            let is_none = !value.starts_with('/') || value.ends_with('/');
            let no_file = (is_file && !value.is_empty() && is_none).then(|| value.clone());
            let unseen = seen::files_of(flag, value).into_iter().find(|path| !seen.has(path)).or(no_file);
            remarks.extend(unseen.map(|path| missing(resolved, component, flag, &path)));
        }
    }
    remarks
}

/// Names of flags that a program reads when it starts, and ends without.
const FILES: [&str; 5] = ["file", "config", "kubeconfig", "key", "cert"];
/// Until 1.35 components went on without this one.
const MANIFEST: (&str, u32) = ("allow-metric-labels-manifest", 36);

fn missing(resolved: &Resolved, component: &str, flag: &str, path: &str) -> Remark {
    let is_read = flag.rsplit('-').next().is_some_and(|last| FILES.contains(&last) || last.ends_with("file"));
    let minor = catalog::find(&resolved.cluster.spec.kubernetes_version).map_or(u32::MAX, |release| release.minor);
    let is_read = is_read || (flag == MANIFEST.0 && minor >= MANIFEST.1);
    let severity = if is_read { Severity::Error } else { Severity::Warning };
    let field = field_path(&format!("spec.{component}.extraArgs"), flag);
    let message = if path.ends_with('/') {
        format!("the flag `{flag}` names {path}, which is a directory")
    } else {
        format!("the flag `{flag}` names {path}, which the container of {component} does not see")
    };
    let help = if path.ends_with('/') {
        "write the path of a file, and the file by `spec.files`".to_owned()
    } else if path.starts_with('/') {
        format!("write it by `spec.files` with the path {path}, and it is mounted there")
    } else {
        "write a path that begins with `/`, and the file by `spec.files`".to_owned()
    };
    remark(of_cluster(&resolved.cluster), severity, "spec::unseen-file", field, message, help)
}
