//! T-07: what people do with single pods at the command line.

use super::{AGNHOST, Tools, field, field_becomes};
use crate::world::{World, both};

/// A pod that says what it was told, as in the manual.
const COMMAND_DEMO: &str = "
apiVersion: v1
kind: Pod
metadata: {name: command-demo}
spec:
  restartPolicy: OnFailure
  containers:
  - name: shown
    image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
    command: [sh, -c, 'echo $HOSTNAME; echo $KUBERNETES_PORT']
  - name: beside
    image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
    command: [echo, beside it]
";

pub(super) fn all(world: &World, tools: &[Tools]) {
    one_with_its_service_is_run(world);
    one_is_made_of_a_file(world);
    one_is_written_by_a_dry_run(world);
    they_are_listed(world, tools);
    the_service_leads_to_it(world, &tools[0]);
}

/// `run --port --expose --command`.
fn one_with_its_service_is_run(world: &World) {
    let image = format!("--image={AGNHOST}");
    let run = ["run", "front", &image, "--port=8080", "--expose", "--command", "--", "/agnhost", "netexec"];
    let said = world.kubectl(&run);
    assert_eq!(said, "service/front created\npod/front created\n");
}

/// `create -f`, `logs`, `logs -c`, `delete -f`.
fn one_is_made_of_a_file(world: &World) {
    let file = world.write("command-demo.yaml", COMMAND_DEMO);
    world.kubectl(&["create", "-f", &file]);
    let again = world.try_kubectl(&["create", "-f", &file]);
    assert!(!again.status.success() && both(&again).contains("AlreadyExists"), "{}", both(&again));
    world.kubectl(&["wait", "pod/command-demo", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s"]);
    let said = world.kubectl(&["logs", "command-demo"]);
    assert_eq!(said, "command-demo\ntcp://10.96.0.1:443\n", "its name, and where the API is");
    assert_eq!(world.kubectl(&["logs", "command-demo", "-c", "beside"]), "beside it\n");
    world.kubectl(&["delete", "-f", &file, "--wait=true"]);
    assert!(!world.try_kubectl(&["get", "pod", "command-demo"]).status.success());
}

/// `run --dry-run=client -o yaml`, `apply -f` of what it writes, `edit`, `delete pod`.
fn one_is_written_by_a_dry_run(world: &World) {
    let image = format!("--image={AGNHOST}");
    let written = world.kubectl(&["run", "written", &image, "--labels=tier=front", "--dry-run=client", "-o", "yaml"]);
    assert!(!world.try_kubectl(&["get", "pod", "written"]).status.success(), "nothing was made");
    let file = world.write("written.yaml", &written);
    world.kubectl(&["apply", "-f", &file]);
    assert_eq!(world.kubectl(&["apply", "-f", &file]), "pod/written unchanged\n");
    world.kubectl(&["wait", "pod/written", "--for=condition=Ready", "--timeout=120s"]);
    let mut edit = world.kubectl_command(&["edit", "pod", "written"]);
    let edited = edit.env("KUBE_EDITOR", "sed -i 's/tier: front/tier: back/'").output().expect("kubectl starts");
    assert!(edited.status.success(), "{}", both(&edited));
    assert_eq!(field(world, &["pod", "written"], ".metadata.labels.tier"), "back");
    world.kubectl(&["delete", "pod", "written", "--grace-period=1", "--wait=true"]);
}

/// `get pods -A`, with columns of one's own.
fn they_are_listed(world: &World, tools: &[Tools]) {
    let columns = "custom-columns=NAMESPACE:.metadata.namespace,POD:.metadata.name,NODE:.spec.nodeName";
    let listed = world.kubectl(&["get", "pods", "-A", "-o", columns]);
    let has = |words: &[&str]| listed.lines().any(|line| line.split_whitespace().eq(words.iter().copied()));
    assert!(has(&["NAMESPACE", "POD", "NODE"]), "{listed}");
    for on_node in tools {
        assert!(has(&["default", &on_node.pod, &on_node.node]), "{listed}");
    }
    assert!(listed.lines().any(|line| line.starts_with("kube-system ")), "{listed}");
}

/// What was exposed when it was run is reached by its name, and goes when it is deleted.
fn the_service_leads_to_it(world: &World, tools: &Tools) {
    field_becomes(world, &["endpoints", "front"], ".subsets[*].addresses[*].ip", |text| !text.is_empty());
    tools.eventually(world, "wget -qO- -T 2 http://front:8080/hostname", |text| text == "front");
    world.kubectl(&["delete", "pod/front", "service/front", "--grace-period=1", "--wait=false"]);
}
