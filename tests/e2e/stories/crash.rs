//! kubewright is killed before and after random actions of creating, growing, changing and deleting: typing the command again
//! goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::random::Random;
use crate::running::{Journal, Mark, Moment};
use crate::world::World;
use crate::{checks, documents, machines};

const CLUSTER: &str = "crash1";
/// Creating, growing, changing and deleting. With each kill, less is left to interrupt.
const PHASES: [Phase; 4] = [Phase::of(5), Phase::of(3), Phase::of(2), Phase { deletes: true, ..Phase::of(4) }];
/// Within what time of its start a program is killed that makes a cluster from nothing.
const BEGINNING: Duration = Duration::from_secs(8);
/// Kills in all; `KUBEWRIGHT_CRASHES` asks for another number.
const CRASHES: usize = 12;

pub(crate) fn story(world: &mut World) {
    let given = std::env::var("KUBEWRIGHT_CRASHES").ok();
    let mut left = given.map_or(CRASHES, |text| text.parse::<usize>().expect("KUBEWRIGHT_CRASHES is a number"));
    let mut random = Random::from_environment();
    while left > 0 {
        life(world, &mut random, &mut left);
    }
}

/// What is done to the cluster while it is interrupted.
struct Phase {
    /// Its end is that the cluster is gone.
    deletes: bool,
    /// The most kills.
    crashes: usize,
}

impl Phase {
    const fn of(crashes: usize) -> Self {
        Self { deletes: false, crashes }
    }
}

/// A cluster from its creation to its end; takes the kills that there were from `left`.
fn life(world: &mut World, random: &mut Random, left: &mut usize) {
    let [creating, growing, changing, deleting] = PHASES;
    let mut known = Identity::default();

    carry_out(world, random, &mut known, &creating, left);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1"]);
    settled(world, &["control-plane-1"]);
    let member = etcd_identity(world);

    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.count=1"]);
    carry_out(world, random, &mut known, &growing, left);
    checks::nodes_and_system(world, "1.36.3", &["control-plane-1", "worker-1"]);
    settled(world, &["control-plane-1", "worker-1"]);

    world.kubewright(&["set", "cluster", CLUSTER, "--instance-group", "worker", "spec.labels={tier: front}"]);
    carry_out(world, random, &mut known, &changing, left);
    let labelled = world.kubectl(&["get", "nodes", "-l", "tier=front", "-o", "name"]);
    assert_eq!(labelled.trim(), "node/worker-1");
    settled(world, &["control-plane-1", "worker-1"]);
    known.assert_complete(&["control-plane-1", "worker-1"]);
    assert_eq!(etcd_identity(world), member, "etcd's cluster and member are the same");

    carry_out(world, random, &mut known, &deleting, left);
    assert_eq!(world.kubectl(&["config", "get-contexts", "-o", "name"]), "", "its context went with it");
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
fn carry_out(world: &mut World, random: &mut Random, known: &mut Identity, phase: &Phase, left: &mut usize) {
    for _ in 0..phase.crashes.min(*left) {
        let Some(typed) = next(world, phase) else { break };
        if !crash(world, random, &typed) {
            break;
        }
        *left -= 1;
        if !phase.deletes {
            known.check(world);
        }
    }
    if let Some(typed) = next(world, phase) {
        world.kubewright(&yes(&typed));
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
        (true, true) => format!("delete cluster {CLUSTER}"),
        (false, true) => format!("update cluster {CLUSTER}"),
        (false, false) => format!("create cluster {CLUSTER} -f {}", write_documents(world)),
    };
    Some(typed.split(' ').map(str::to_owned).collect())
}

/// A control plane, and a group that has no machines yet.
fn write_documents(world: &World) -> String {
    world.write("crash1.yaml", &documents::with_workers(CLUSTER, "", 0))
}

fn yes(typed: &[String]) -> Vec<&str> {
    typed.iter().map(String::as_str).chain(["--yes"]).collect()
}

/// Starts a program and kills it before or after one of its actions; false when there is none.
fn crash(world: &mut World, random: &mut Random, typed: &[String]) -> bool {
    let moment = if typed[0] == "create" {
        // Also before there is anything that could be planned.
        Moment::After(BEGINNING.mul_f64(random.share()))
    } else {
        let actions = actions(world, typed);
        if actions == 0 {
            return false;
        }
        let mark = if random.coin() { Mark::Started } else { Mark::Succeeded };
        let journal = Journal::new(world.state().join("clusters").join(CLUSTER).join("journals"));
        Moment::Records(journal, mark, random.among(actions))
    };
    let mut running = world.start_kubewright(&yes(typed));
    if !running.reaches(&moment) {
        let (status, said) = running.finish();
        panic!("{typed:?} ended with {status} before {moment:?}:\n{said}");
    }
    match moment {
        Moment::Records(_, mark, number) => println!("      killed when action {number} had {mark:?}"),
        other => println!("      killed {other:?}"),
    }
    println!("      it had said:{}", running.kill());
    true
}

/// How many actions what was typed would take.
fn actions(world: &mut World, typed: &[String]) -> usize {
    let preview: Vec<&str> = typed.iter().map(String::as_str).chain(["-o", "json"]).collect();
    let plan: Value = serde_json::from_str(&world.kubewright(&preview)).expect("a plan is JSON");
    plan["changes"].as_array().expect("a plan has changes").len()
}

/// What must never change once it is there: a cluster that lost it would be another one.
#[derive(Default)]
struct Identity(BTreeMap<String, String>);

impl Identity {
    /// Of a cluster that is whole, everything was seen.
    fn assert_complete(&self, machines: &[&str]) {
        let keys = machines.iter().map(|machine| format!("host key of {machine}"));
        for what in keys.chain(["the authority", "UID of kube-system"].map(str::to_owned)) {
            assert!(self.0.contains_key(&what), "{what} was never seen, only {:?}", self.0.keys());
        }
    }

    fn check(&mut self, world: &mut World) {
        for (what, found) in inspect(world) {
            let known = self.0.entry(what.clone()).or_insert_with(|| found.clone());
            assert_eq!(*known, found, "{what} has changed");
        }
    }
}

/// What is there so far of a cluster's identity.
fn inspect(world: &mut World) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let keys = "upper/etc/ssh/ssh_host_ed25519_key.pub";
    for machine in machines::homes(world, CLUSTER) {
        if let Ok(key) = std::fs::read_to_string(machine.join(keys)) {
            found.insert(format!("host key of {}", machine.file_name().unwrap_or_default().display()), key);
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
