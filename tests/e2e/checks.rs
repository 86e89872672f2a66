//! What must be true of any cluster that kubewright made.

use crate::probe;
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
        text.lines().all(|line| {
            let ready = line.split_whitespace().nth(1).unwrap_or_default();
            line.contains(" Running ") && ready.split_once('/').is_some_and(|(up, all)| up == all)
        })
    });
    assert!(world.kubectl(&["get", "--raw", "/readyz?verbose"]).contains("readyz check passed"));
    let version_text = world.kubectl(&["version", "-o", "json"]);
    assert!(version_text.contains(&format!("\"gitVersion\": \"v{version}\"")), "{version_text}");
}

/// Pods talk across nodes, by service address and by name, from pods and from outside; logs, exec and scaling work.
pub(crate) fn pods_talk(world: &World, node_addresses: &[String]) {
    world.apply(probe::MANIFEST);
    world.kubectl(&["rollout", "status", "deployment/web", "--timeout=120s"]);
    let pods = world.get(&["pods", "-l", "app=web"]);
    let pods = pods["items"].as_array().expect("pods").clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let first = text(&pods[0]["metadata"]["name"]);
    let mut nodes: Vec<String> = pods.iter().map(|pod| text(&pod["spec"]["nodeName"])).collect();
    nodes.sort();
    nodes.dedup();
    assert_eq!(nodes.len(), 2, "three replicas stand on both workers: {nodes:?}");
    for pod in &pods {
        let address = text(&pod["status"]["podIP"]);
        assert!(address.starts_with("10.244."), "pod addresses are from the pod range: {address}");
        probe::from_pod(world, &first, &format!("{address}:8080"));
    }
    let service = world.get(&["service", "web"]);
    let cluster_ip = text(&service["spec"]["clusterIP"]);
    let node_port = service["spec"]["ports"][0]["nodePort"].as_u64().expect("a node port");
    probe::from_pod(world, &first, &format!("{cluster_ip}:80"));
    probe::from_pod(world, &first, "web:80");
    probe::from_pod(world, &first, "web.default.svc.cluster.local:80");
    for address in node_addresses {
        probe::from_host(&format!("{address}:{node_port}"));
    }
    assert!(world.kubectl(&["logs", &first]).contains("Started HTTP server"));
    assert_eq!(world.kubectl(&["exec", &first, "--", "/agnhost", "--version"]).lines().count(), 1);
    for replicas in ["1", "4", "2"] {
        world.kubectl(&["scale", "deployment/web", &format!("--replicas={replicas}")]);
        world.eventually(&["get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}"], |text| text == replicas);
    }
    world.kubectl(&["delete", "deployment/web", "service/web", "--wait=true"]);
}

/// etcd has so many members, and every one of them is well.
pub(crate) fn etcd_is_whole(world: &World, through: &str, members: usize) {
    const CREDENTIALS: [&str; 3] = [
        "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
        "--cert=/etc/kubernetes/pki/etcd/server.crt",
        "--key=/etc/kubernetes/pki/etcd/server.key",
    ];
    let pod = format!("etcd-{through}");
    let ask = ["exec", "-n", "kube-system", &pod, "--", "etcdctl"];
    world.eventually(&[&ask, CREDENTIALS.as_slice(), &["member", "list"]].concat(), |text| {
        text.lines().count() == members && text.lines().all(|line| line.contains("started"))
    });
    world.eventually(
        &[&ask, CREDENTIALS.as_slice(), &["endpoint", "health", "--cluster", "-w", "json"]].concat(),
        |text| text.matches("\"health\":true").count() == members,
    );
}

/// A second update has nothing to do and says so.
pub(crate) fn nothing_to_do(world: &mut World, cluster: &str) {
    let text = world.kubewright(&["update", "cluster", cluster, "--detailed-exitcode"]);
    assert!(text.contains("No changes."), "{text}");
}
