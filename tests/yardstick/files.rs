//! What the script needs: who the machines are, how to log in, and the files that both sides share.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use catalog::Image;
use model::{Resolved, ids};
use serde_json::{Value, json};
use spec::Role;
use testkit::Site;

use crate::machines::Wanted;

/// Files that a package of containerd or kubelet would bring, as kubewright writes them.
const PREPARED: [&str; 5] = [
    "/etc/containerd/config.toml",
    "/etc/crictl.yaml",
    "/etc/systemd/system/containerd.service",
    "/etc/systemd/system/kubelet.service",
    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
];

/// Everything but the key.
pub(crate) fn write(directory: &Path, resolved: &Resolved, desired: &Wanted) {
    std::fs::create_dir_all(directory).expect("a directory");
    put(directory, "machines", &machines(resolved));
    put(directory, "settings", &settings(resolved));
    put(directory, "flannel.json", &flannel(desired).to_string());
    let config = &desired[&ids::machine_config("control-plane-1")].inputs["config"]["group"]["files"];
    for path in PREPARED {
        let text = config[path]["content"]["text"].as_str().unwrap_or_else(|| panic!("no text in {path}"));
        put(directory, &format!("prepared{path}"), text);
    }
}

fn put(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(path, text).expect("a file is written");
}

/// One line per machine: name, role, address; control planes first.
fn machines(resolved: &Resolved) -> String {
    let line = |machine: &model::Machine| {
        let role = if machine.role == Role::ControlPlane { "control-plane" } else { "worker" };
        format!("{} {role} {}\n", machine.name, machine.address.known().expect("an address"))
    };
    resolved.machines.iter().map(line).collect()
}

/// Shell assignments.
fn settings(resolved: &Resolved) -> String {
    let networking = &resolved.cluster.spec.networking;
    let list = |ranges: &[ipnet::IpNet]| ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let image = resolved.image(Image::CoreDns);
    let dns_tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
    format!(
        "version={}\npods={}\nservices={}\ndns_tag={dns_tag}\n",
        resolved.release.tag(),
        list(&networking.pod_cidrs),
        list(&networking.service_cidrs),
    )
}

/// The pod network's objects, namespaces before what is in them and workloads last.
fn flannel(desired: &Wanted) -> Value {
    let mut objects: Vec<&Value> = desired
        .values()
        .map(|resource| &resource.inputs["manifest"])
        .filter(|manifest| manifest["metadata"].to_string().contains("flannel"))
        .collect();
    objects.sort_by_key(|manifest| match manifest["kind"].as_str() {
        Some("Namespace") => 0,
        Some("DaemonSet") => 2,
        _ => 1,
    });
    assert!(objects.len() >= 5, "flannel has {} objects", objects.len());
    json!({"apiVersion": "v1", "kind": "List", "items": objects})
}

/// The key that the machines let in.
pub(crate) async fn write_key(directory: &Path, site: &Site) {
    let state = site.state().await.expect("the state");
    let id = ids::ssh_key("operator");
    let wanted = [(id.clone(), state.resources[&id].secrets.clone())].into();
    let secrets = engine::SecretVault::get(&site.vault, &wanted).await.expect("the vault");
    let key = secrets[&id]["private"].reveal().to_owned();
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(directory.join("key")).expect("a file");
    std::io::Write::write_all(&mut file, key.as_bytes()).expect("the key is written");
}
