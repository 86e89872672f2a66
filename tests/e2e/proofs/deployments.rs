//! Deployments: an image that is pulled, rollouts and their history, replicas.

use super::{BOOTCAMP, apply, field, field_becomes, sorted};
use crate::world::World;

/// As in every manual, with an image that is there.
const NGINX: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx-deployment, labels: {app: nginx}}
spec:
  replicas: 3
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: nginx}}, nodeTaintsPolicy: Honor, matchLabelKeys: [pod-template-hash]}
      containers:
      - name: nginx
        image: gcr.io/google-samples/kubernetes-bootcamp:v1
        ports: [{containerPort: 80}]
";

/// With limits; it pulls its image always, so that its pod tells of it.
const LIMITED: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: limited}
spec:
  selector: {matchLabels: {app: limited}}
  template:
    metadata: {labels: {app: limited}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: c
        image: gcr.io/google-samples/kubernetes-bootcamp:v1
        imagePullPolicy: Always
        resources: {limits: {memory: 128Mi, cpu: 500m}}
";

/// One image that the first pod pulls, and one that every pod pulls.
pub(super) fn images(world: &World) {
    world.kubectl(&["create", "deployment", "kubernetes-bootcamp", &format!("--image={BOOTCAMP}:v1")]);
    apply(world, "limited", LIMITED);
    an_image_is_pulled(world);
    a_pod_tells_its_story(world);
}

/// The life of a Deployment.
pub(super) fn rollouts(world: &World) {
    apply(world, "nginx", NGINX);
    a_deployment_is_rolled_out(world);
    a_rollout_is_undone(world);
    replicas_come_and_go(world);
}

/// T-01: the first command of the tutorial. containerd finds the image at the mirror that the cluster's documents name.
fn an_image_is_pulled(world: &World) {
    let listed = ["get", "deployments", "kubernetes-bootcamp", "--no-headers"];
    world.eventually(&listed, |text| text.split_whitespace().nth(1) == Some("1/1"));
    let of_it = ["events", "--field-selector=reason=Pulled"];
    let pulled = format!("Successfully pulled image \"{BOOTCAMP}:v1\"");
    field_becomes(world, &of_it, ".items[*].message", |text| text.contains(&pulled));
}

/// DBG-02: what `describe` says of a pod with limits, from its scheduling on.
fn a_pod_tells_its_story(world: &World) {
    world.kubectl(&["rollout", "status", "deployment/limited", "--timeout=120s"]);
    let told = world.eventually(&["describe", "pod", "-l", "app=limited"], |text| text.contains("Started "));
    let (pod, events) = told.split_once("\nEvents:").expect("events");
    let mut rest = events;
    for reason in ["Scheduled", "Pulling", "Pulled", "Created", "Started"] {
        let (_, after) = rest.split_once(reason).unwrap_or_else(|| panic!("{reason} is not next in:{events}"));
        rest = after;
    }
    let line = |name: &str| pod.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    assert_eq!(line("QoS Class:"), "Guaranteed", "{pod}");
    assert!(line("Node:").starts_with("worker-") && line("IP:").starts_with("10.244."), "{pod}");
    assert!(pod.contains("/var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-"), "{pod}");
    for condition in ["Initialized", "Ready", "ContainersReady", "PodScheduled"] {
        let is_true = |line: &str| line.split_whitespace().eq([condition, "True"]);
        assert!(pod.lines().any(is_true), "{condition}:\n{pod}");
    }
    let name = field(world, &["pods", "-l", "app=limited"], ".items[0].metadata.name");
    let namespace =
        world.kubectl(&["exec", &name, "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace"]);
    assert_eq!(namespace, "default", "its account is there");
}

/// T-09: three replicas, and the API's own Service at the first address of the range.
fn a_deployment_is_rolled_out(world: &World) {
    let said = world.kubectl(&["rollout", "status", "deployment/nginx-deployment", "--timeout=120s"]);
    assert!(said.contains("successfully rolled out"), "{said}");
    let all = world.kubectl(&["get", "all", "--no-headers"]);
    let lines = |beginning: &str| all.lines().filter(|line| line.starts_with(beginning)).count();
    let expected = [("pod/nginx-", 3), ("replicaset.apps/nginx-", 1), ("deployment.apps/nginx-", 1)];
    assert!(expected.iter().all(|(beginning, count)| lines(beginning) == *count), "{all}");
    let api = all.lines().find(|line| line.starts_with("service/kubernetes ")).expect("the API's Service");
    let words: Vec<&str> = api.split_whitespace().collect();
    assert_eq!(words[1..5], ["ClusterIP", "10.96.0.1", "<none>", "443/TCP"]);
}

/// T-10: only a changed template is rolled out; what is undone comes back as the newest revision.
fn a_rollout_is_undone(world: &World) {
    const NAME: &str = "deployment/nginx-deployment";
    let image = |world: &World| field(world, &[NAME], ".spec.template.spec.containers[0].image");
    let revisions = |world: &World| -> Vec<String> {
        let said = world.kubectl(&["rollout", "history", NAME]);
        let numbers = said.lines().filter_map(|line| line.split_whitespace().next());
        numbers.filter(|word| word.parse::<u32>().is_ok()).map(str::to_owned).collect()
    };
    let settled = |world: &World| world.kubectl(&["rollout", "status", NAME, "--timeout=120s"]);
    assert_eq!(revisions(world), ["1"]);
    world.kubectl(&["set", "image", NAME, &format!("nginx={BOOTCAMP}:v2")]);
    settled(world);
    world.kubectl(&["annotate", NAME, "kubernetes.io/change-cause=image updated to v2"]);
    let pattern = |text: &str| text.contains("image updated to v2");
    world.eventually(&["rollout", "history", NAME], pattern);
    assert_eq!(revisions(world), ["1", "2"]);
    let second = world.kubectl(&["rollout", "history", NAME, "--revision=2"]);
    assert!(second.contains(&format!("{BOOTCAMP}:v2")), "{second}");
    world.kubectl(&["rollout", "undo", NAME]);
    settled(world);
    assert_eq!((image(world), revisions(world)), (format!("{BOOTCAMP}:v1"), vec!["2".to_owned(), "3".to_owned()]));
    world.kubectl(&["rollout", "undo", NAME, "--to-revision=2"]);
    settled(world);
    assert_eq!((image(world), revisions(world)), (format!("{BOOTCAMP}:v2"), vec!["3".to_owned(), "4".to_owned()]));
}

/// T-05: four replicas have four addresses on both workers, none have none, and no revision comes of it.
fn replicas_come_and_go(world: &World) {
    const NAME: &str = "deployment/nginx-deployment";
    let pods = ["pods", "-l", "app=nginx"];
    let revision = ".metadata.annotations.deployment\\.kubernetes\\.io/revision";
    let before = field(world, &[NAME], revision);
    world.kubectl(&["scale", NAME, "--replicas=0"]);
    field_becomes(world, &pods, ".items[*].metadata.name", str::is_empty);
    world.kubectl(&["scale", NAME, "--replicas=4"]);
    world.kubectl(&["rollout", "status", NAME, "--timeout=120s"]);
    let distinct = |path: &str| {
        let text = field(world, &pods, path);
        let mut words: Vec<String> = sorted(&text).into_iter().map(str::to_owned).collect();
        words.dedup();
        words
    };
    assert_eq!(distinct(".items[*].status.podIP").len(), 4, "each has an address of its own");
    assert_eq!(distinct(".items[*].spec.nodeName"), ["worker-1", "worker-2"]);
    assert_eq!(field(world, &[NAME], revision), before);
    world.kubectl(&["delete", NAME, "--wait=false"]);
}
