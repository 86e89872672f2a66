//! kubewright is killed at random moments of creating, growing, changing and deleting: typing the command again goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::random::Random;
use crate::running::Moment;
use crate::world::World;
use crate::{checks, machines};

const CLUSTER: &str = "crash1";
/// Kills in one cluster's life.
const CRASHES_PER_LIFE: usize = 10;
/// Kills in all; `KUBEWRIGHT_CRASHES` asks for another number.
const CRASHES: usize = 6;

/// A control plane, and a group that has no machines yet.
const DOCUMENTS: &str = "
apiVersion: kubewright.io/v1alpha1
kind: Cluster
metadata: {name: crash1}
spec: {kubernetesVersion: 1.36.3, provider: local}
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata: {name: control-plane, cluster: crash1}
spec: {role: ControlPlane, count: 1}
---
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata: {name: worker, cluster: crash1}
spec: {role: Worker, count: 0}
";

pub(crate) fn story(world: &mut World) {
    let given = std::env::var("KUBEWRIGHT_CRASHES").ok();
    let mut left = given.map_or(CRASHES, |text| text.parse::<usize>().expect("KUBEWRIGHT_CRASHES is a number"));
    let mut random = Random::from_environment();
    while left > 0 {
        let crashes = left.min(CRASHES_PER_LIFE);
        life(world, &mut random, crashes);
        left -= crashes;
    }
}

/// What is done to the cluster while it is interrupted.
struct Phase {
    /// Its end is that the cluster is gone.
    deletes: bool,
    /// What it takes undisturbed.
    typical: Duration,
    crashes: usize,
}

fn life(world: &mut World, random: &mut Random, crashes: usize) {
    let phase = |index: usize, typical: u64| Phase {
        deletes: index == 3,
        typical: Duration::from_secs(typical),
        crashes: (0..crashes).filter(|crash| crash % 4 == index).count(),
    };
    let mut known = Identity::default();
    world.write("crash1.yaml", DOCUMENTS);

    carry_out(world, random, &mut known, &phase(0, 14));
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    settled(world, &["control-plane-1"]);
    let member = etcd_identity(world);

    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.count=1"]);
    carry_out(world, random, &mut known, &phase(1, 10));
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1"]);
    settled(world, &["control-plane-1", "worker-1"]);

    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.labels={tier: front}"]);
    carry_out(world, random, &mut known, &phase(2, 2));
    let labelled = world.kubectl(&["get", "nodes", "-l", "tier=front", "-o", "name"]);
    assert_eq!(labelled.trim(), "node/worker-1");
    settled(world, &["control-plane-1", "worker-1"]);
    assert_eq!(etcd_identity(world), member, "etcd's cluster and member are the same");

    carry_out(world, random, &mut known, &phase(3, 3));
}

/// Ids of etcd's cluster and its members.
fn etcd_identity(world: &World) -> String {
    const POD: &str = "etcd-control-plane-1";
    let ids = world.eventually(&checks::etcdctl(POD, &["member", "list"]), |text| text.contains("started"));
    let status = world.kubectl(&checks::etcdctl(POD, &["endpoint", "status", "-w", "fields"]));
    let cluster = status.lines().find(|line| line.contains("ClusterID")).unwrap_or_default();
    format!("{cluster} {ids}")
}

/// These machines and no others run, and nothing is left to do.
fn settled(world: &mut World, machines: &[&str]) {
    assert!(machines::running(world, CLUSTER).keys().eq(machines), "{machines:?} run");
    checks::nothing_to_do(world, CLUSTER);
}

/// Begins a phase again after each kill, and lets it end at last.
fn carry_out(world: &mut World, random: &mut Random, known: &mut Identity, phase: &Phase) {
    for _ in 0..phase.crashes {
        if let Some(arguments) = next(world, phase) {
            crash(world, random, phase, &arguments);
        }
        if !phase.deletes {
            known.check(world);
        }
    }
    if let Some(arguments) = next(world, phase) {
        world.kubewright(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if !phase.deletes {
        known.check(world);
    }
}

/// What a user types to begin, or to go on; nothing when a delete has got that far already.
fn next(world: &mut World, phase: &Phase) -> Option<Vec<String>> {
    let clusters = world.kubewright(&["get", "clusters", "-o", "json"]);
    let clusters: Vec<Value> = serde_json::from_str(&clusters).expect("clusters are JSON");
    let is_there = clusters.iter().any(|cluster| cluster["name"] == CLUSTER);
    let typed = match (phase.deletes, is_there) {
        (true, false) => return None,
        (true, true) => format!("delete cluster {CLUSTER} --yes"),
        (false, true) => format!("update cluster {CLUSTER} --yes"),
        (false, false) => format!("create cluster {CLUSTER} -f {} --yes", world.write("crash1.yaml", DOCUMENTS)),
    };
    Some(typed.split(' ').map(str::to_owned).collect())
}

/// Starts a program and kills it at some moment: after a while, or when some of its actions are done.
fn crash(world: &mut World, random: &mut Random, phase: &Phase, arguments: &[String]) {
    let moment = match random.coin() {
        true => Moment::After(phase.typical.mul_f64(random.share())),
        false => Moment::Share(random.share()),
    };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut running = world.start_kubewright(&arguments);
    if running.reaches(moment) {
        println!("      killed at {moment:?}, when it had said:{}", running.kill());
    } else {
        let (status, said) = running.finish();
        assert!(status.success(), "{arguments:?} ended with {status}:\n{said}");
        println!("      ended before {moment:?}");
    }
}

/// What must never change once it is there: a cluster that lost it would be another one.
#[derive(Default)]
struct Identity(BTreeMap<String, String>);

impl Identity {
    fn check(&mut self, world: &mut World) {
        for (what, found) in look(world) {
            let known = self.0.entry(what.clone()).or_insert_with(|| found.clone());
            assert_eq!(*known, found, "{what} has changed");
        }
    }
}

/// What is there so far of a cluster's identity.
fn look(world: &mut World) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let keys = "upper/etc/ssh/ssh_host_ed25519_key.pub";
    for machine in std::fs::read_dir(world.state().join("machines").join(CLUSTER)).into_iter().flatten().flatten() {
        if let Ok(key) = std::fs::read_to_string(machine.path().join(keys)) {
            found.insert(format!("host key of {}", machine.file_name().to_string_lossy()), key);
        }
    }
    if world.try_kubewright(&["export", "kubeconfig", CLUSTER]).status.success() {
        let authority = "jsonpath={.clusters[0].cluster.certificate-authority-data}";
        found.insert("the authority".to_owned(), world.kubectl(&["config", "view", "--raw", "-o", authority]));
        let uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}", "--request-timeout=2s"];
        let uid = world.try_kubectl(&uid);
        if uid.status.success() {
            found.insert("UID of kube-system".to_owned(), String::from_utf8_lossy(&uid.stdout).into_owned());
        }
    }
    found
}
