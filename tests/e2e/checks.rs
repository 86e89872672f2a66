//! What must be true of any cluster that kubewright made.

use serde_json::Value;

use crate::world::World;

/// Nodes are Ready with version, role and runtime; kube-system is Ready; the API is well.
pub(crate) fn nodes_and_system(world: &World, version: &str, names: &[&str]) {
    world.eventually(&["get", "nodes", "--no-headers"], |text| {
        text.lines().count() == names.len() && text.lines().all(|line| line.contains(" Ready "))
    });
    let nodes = world.get(&["nodes"]);
    let mut found: Vec<String> = Vec::new();
    for node in nodes["items"].as_array().expect("nodes") {
        let name = node["metadata"]["name"].as_str().unwrap_or_default();
        let info = &node["status"]["nodeInfo"];
        assert_eq!(info["kubeletVersion"], format!("v{version}"), "kubelet of {name}");
        let runtime = info["containerRuntimeVersion"].as_str().unwrap_or_default();
        assert!(runtime.starts_with("containerd://2."), "runtime of {name} is {runtime}");
        let labels = node["metadata"]["labels"].as_object().expect("labels");
        let role = if name.starts_with("control-plane") { "control-plane" } else { "worker" };
        assert!(labels.contains_key(&format!("node-role.kubernetes.io/{role}")), "{name} lacks its role");
        found.push(name.to_owned());
    }
    found.sort();
    assert_eq!(found, names);
    world.eventually(&["get", "pods", "-n", "kube-system", "--no-headers"], |text| {
        // Static pods are listed up to a minute later, when kubelet looks at them again; some pod always is.
        !text.trim().is_empty()
            && text.lines().all(|line| {
                let ready = line.split_whitespace().nth(1).unwrap_or_default();
                line.contains(" Running ") && ready.split_once('/').is_some_and(|(up, all)| up == all)
            })
    });
    assert!(world.kubectl(&["get", "--raw", "/readyz?verbose"]).contains("readyz check passed"));
    let version_text = world.kubectl(&["version", "-o", "json"]);
    assert!(version_text.contains(&format!("\"gitVersion\": \"v{version}\"")), "{version_text}");
}

/// etcd has so many members, and every one of them is well.
pub(crate) fn etcd_is_whole(world: &World, through: &str, members: usize) {
    let pod = format!("etcd-{through}");
    world.eventually(&etcdctl(&pod, &["member", "list"]), |text| {
        text.lines().count() == members && text.lines().all(|line| line.contains("started"))
    });
    world.eventually(&etcdctl(&pod, &["endpoint", "health", "--cluster", "-w", "json"]), |text| {
        text.matches("\"health\":true").count() == members
    });
}

/// kubectl's arguments for an etcdctl in `pod`.
pub(crate) fn etcdctl<'a>(pod: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    const POD: [&str; 9] = [
        "exec",
        "--namespace=kube-system",
        "--container=etcd",
        "",
        "--",
        "etcdctl",
        "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
        "--cert=/etc/kubernetes/pki/etcd/server.crt",
        "--key=/etc/kubernetes/pki/etcd/server.key",
    ];
    let mut words = POD.to_vec();
    words[3] = pod;
    words.extend(arguments);
    words
}

/// All runs of a cluster, as `get runs` tells them.
pub(crate) fn runs(world: &mut World, cluster: &str) -> Vec<Value> {
    let text = world.kubewright(&["get", "runs", cluster, "-o", "json"]);
    serde_json::from_str(&text).expect("runs are JSON")
}

/// A second update has nothing to do and says so.
pub(crate) fn nothing_to_do(world: &mut World, cluster: &str) {
    let text = world.kubewright(&["update", "cluster", cluster, "--detailed-exitcode"]);
    assert!(text.contains("No changes."), "{text}");
}
