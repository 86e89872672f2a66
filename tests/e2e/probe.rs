//! A small web service (agnhost netexec) and ways to ask it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::world::World;

/// The agnhost of the default minor, as [`MANIFEST`] has it.
pub(crate) const AGNHOST: &str = "2.63.0";

/// Three replicas behind a Service of type NodePort.
pub(crate) const MANIFEST: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 10
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}, nodeTaintsPolicy: Honor}
      containers:
      - name: web
        image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
        args: [netexec, --http-port=8080]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
        # Every node needs a moment to send nothing more to a pod that ends.
        lifecycle: {preStop: {sleep: {seconds: 2}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
";

/// Asks `target` from inside a pod, a few times: rules on other nodes may be a moment behind.
pub(crate) fn from_pod(world: &World, pod: &str, target: &str) {
    world.eventually(&["exec", pod, "--", "/agnhost", "connect", "--timeout=3s", target], |_| true);
}

/// Asks `target` over HTTP from the host.
pub(crate) fn from_host(target: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while !answers(target) {
        assert!(Instant::now() < until, "{target} does not answer the host");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Asks a service on `address` from a node itself, over HTTP.
pub(crate) fn from_node(world: &mut World, cluster: &str, node: &str, address: &str, port: u16) {
    let script = format!(
        "for try in 1 2 3 4 5 6; do exec 3<>/dev/tcp/{address}/{port} && printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3 && exit 0; sleep 1; done; exit 1"
    );
    let answer = world.on_machine(cluster, node, &format!("bash -c \"{}\"", script.replace('"', "\\\"")));
    assert!(answer.contains(" 200 OK"), "{address}:{port} asked from {node} says {answer}");
}

/// Whether `target` gives its name over HTTP.
pub(crate) fn answers(target: &str) -> bool {
    get(target, "/hostname").contains(" 200 OK")
}

/// The answer to a request for `path`, headers and all; empty when there is none.
pub(crate) fn get(target: &str, path: &str) -> String {
    let Ok(address) = target.parse() else { return String::new() };
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(2)) else { return String::new() };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let _ = stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}
