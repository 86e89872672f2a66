//! Makes a network and machines on this very host and proves that nothing is left of them. On demand: needs root.
//!
//! ```text
//! KUBEWRIGHT_TEST_IMAGES=DIR [KUBEWRIGHT_TEST_MACHINES=3] \
//!   cargo test -p provider-local --test real -- --ignored --nocapture
//! ```
//!
//! DIR holds `rootfs` and, if wanted, `image-store` (see `crates/assets/tests/machines.rs`) with `containerd`, `ctr` and
//! `containerd-shim-runc-v2`, which then run a container from it.
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/host.rs"]
mod host;
#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Applied, Handler, ObserveRequest, Output};
use futures::future::try_join_all;
use plan::Operation;
use provider_local::{LocalProvider, PreflightInput, names, subnet};
use resource::{Digest, Observation, Reference, ResourceId};
use serde_json::{Value, json};
use world::{Images, World, change, context};

const CLUSTER: &str = "kwtest";
const LINEAGE: &str = "real";

fn directory(name: &str) -> PathBuf {
    std::env::var_os(name).map_or_else(|| panic!("{name} names a directory"), PathBuf::from)
}

/// A cluster on this host under test.
struct TestCluster {
    state: tempfile::TempDir,
    /// The host as it was.
    before: host::Snapshot,
    provider: LocalProvider,
    world: Arc<World>,
    keys: tempfile::TempDir,
    binds: Vec<Value>,
}

impl TestCluster {
    async fn new() -> (Self, ipnet::Ipv4Net) {
        let images = directory("KUBEWRIGHT_TEST_IMAGES");
        let state = tempfile::tempdir_in(&images).unwrap();
        let keys = tempfile::tempdir().unwrap();
        let mut world = BTreeMap::new();
        for owner in ["operator", "m1", "m2", "m3", "m4", "m5"] {
            let file = keys.path().join(owner);
            let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", owner, "-f"];
            assert!(Command::new("ssh-keygen").args(arguments).arg(&file).status().unwrap().success());
            let text = |file: PathBuf| std::fs::read_to_string(file).unwrap();
            world.insert(format!("ssh-key/{owner}#private"), text(file.clone()));
            world.insert(format!("ssh-key/{owner}#public"), text(file.with_extension("pub")));
        }
        let mut binds = Vec::new();
        if images.join("image-store").exists() {
            for program in ["containerd", "ctr", "containerd-shim-runc-v2"] {
                let target = format!("/usr/local/bin/{program}");
                binds.push(json!({"asset": format!("{program}@1"), "target": target}));
            }
        }
        let provider = LocalProvider::new(state.path().join("machines"), Arc::new(Images(images)));
        let before = host::Snapshot::take();
        let tested = Self { state, before, provider, world: Arc::new(World(world)), keys, binds };
        let net = subnet::choose(&tested.provider.facts().await.unwrap(), &[]).unwrap();
        (tested, net)
    }

    /// Nothing is left, and the host is as it was.
    async fn assert_gone(&self) {
        assert_eq!(self.provider.leftovers(BTreeSet::new()).await.unwrap(), []);
        host::Snapshot::take().assert_same(&self.before);
    }

    fn machine(&self, number: u8, net: ipnet::Ipv4Net) -> (ResourceId, Value) {
        let name = format!("m{number}");
        let key = |owner: &str, output: &str| Reference::new(ResourceId::new("ssh-key", owner), output).to_value();
        let inputs = json!({
            "hostname": name, "network": CLUSTER, "bridge": names::bridge_name(CLUSTER),
            "address": net.hosts().nth(usize::from(number) + 9).unwrap(), "prefixLength": net.prefix_len(),
            "gateway": subnet::gateway(net), "image": "rootfs@1",
            "imageStore": (!self.binds.is_empty()).then_some("image-store@1"), "binds": self.binds,
            "hostKey": key(&name, "private"), "hostKeyPublic": key(&name, "public"),
            "authorizedKey": key("operator", "public"), "running": true, "lineage": LINEAGE,
        });
        (ResourceId::new("machine", &format!("{CLUSTER}/{name}")), inputs)
    }

    async fn apply(&self, operation: Operation, id: &ResourceId, inputs: &Value, expect: Option<Digest>) -> Applied {
        let change = change(operation, id, inputs, expect);
        let context = context(CLUSTER, &change, &self.world);
        self.provider.apply(&change, &context).await.unwrap_or_else(|error| panic!("{error}\n{:?}", error.output))
    }

    async fn observe(&self, id: &ResourceId, inputs: &Value) -> Observation {
        let request = ObserveRequest { id: id.clone(), desired: Some(inputs.clone()), recorded: None };
        self.provider.observe(vec![request], self.world.clone()).await.remove(id).unwrap()
    }

    fn ssh(&self, address: &Value, command: &str) -> String {
        let known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
        let output = Command::new("ssh")
            .args(known)
            .arg("-i")
            .arg(self.keys.path().join("operator"))
            .arg(format!("root@{}", address.as_str().unwrap()))
            .arg(command)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// What directories, cgroups and links of the machines are named after.
fn owner() -> String {
    format!("{CLUSTER}_{LINEAGE}")
}

fn count() -> u8 {
    std::env::var("KUBEWRIGHT_TEST_MACHINES").ok().map_or(3, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and a machine image; see the head of the file"]
async fn machines_boot_in_parallel_survive_a_stop_and_leave_nothing() {
    let (tested, net) = TestCluster::new().await;
    let bridge = names::bridge_name(CLUSTER);
    let input = PreflightInput {
        cluster: CLUSTER.into(),
        lineage: LINEAGE.into(),
        bridge: bridge.clone(),
        subnet: net,
        recorded: false,
        machines: 3,
        builds_image: true,
        proxies_by_nftables: true,
    };
    assert_eq!(tested.provider.obstacles(&input).await, []);

    let network = ResourceId::new("network", CLUSTER);
    let network_inputs = json!({"bridge": bridge, "subnet": net, "gateway": subnet::gateway(net)});
    let machines: Vec<_> = (1..=count()).map(|number| tested.machine(number, net)).collect();
    assert_eq!(tested.observe(&network, &network_inputs).await, Observation::Absent);

    let begin = Instant::now();
    tested.apply(Operation::Create, &network, &network_inputs, None).await;
    println!("network {:?}", begin.elapsed());
    boot(&tested, &machines).await;
    for (id, inputs) in machines.iter().chain([&(network.clone(), network_inputs.clone())]) {
        assert_eq!(tested.observe(id, inputs).await, Observation::present(inputs.clone()), "{id}");
    }
    inside(&tested, &machines);

    // Made again: nothing happens. A stop keeps data, and an update starts the machine with it.
    tested.apply(Operation::Create, &network, &network_inputs, None).await;
    boot(&tested, &machines).await;
    let kubepods = format!("{}/kubepods", controllers());
    tested.ssh(&machines[0].1["address"], &format!("echo kept > /var/lib/etcd/data; mkdir {kubepods}"));
    let begin = Instant::now();
    let stopped = |inputs: &Value| {
        let mut stopped = inputs.clone();
        stopped["running"] = json!(false);
        stopped["stopped"] = json!({"by": "somebody@here", "at": "2026-01-01T00:00:00Z"});
        stopped
    };
    for (id, inputs) in &machines {
        tested.apply(Operation::Update, id, &stopped(inputs), Some(Digest::of_json(inputs))).await;
    }
    println!("stop {:?}", begin.elapsed());
    for (id, inputs) in &machines {
        let expected = stopped(inputs);
        assert_eq!(tested.observe(id, inputs).await, Observation::present(expected.clone()), "{id}");
        tested.apply(Operation::Update, id, inputs, Some(Digest::of_json(&expected))).await;
        assert_eq!(tested.observe(id, inputs).await, Observation::present(inputs.clone()), "{id}");
    }
    assert_eq!(
        tested.ssh(&machines[0].1["address"], &format!("cat /var/lib/etcd/data; ls -d {kubepods} || true")),
        "kept"
    );

    reboots(&tested, &machines[0]).await;
    shares_the_host(&tested, &network_inputs).await;

    let known = BTreeSet::from([CLUSTER.to_owned()]);
    assert_eq!(tested.provider.leftovers(known).await.unwrap(), []);
    assert!(tested.provider.leftovers(BTreeSet::new()).await.unwrap().len() > machines.len());
    let begin = Instant::now();
    let on = &tested;
    let deletes = machines.iter().map(|(id, inputs)| async move {
        on.apply(Operation::Delete, id, inputs, None).await;
        println!("{id} deleted {:?}", begin.elapsed());
        assert_eq!(on.observe(id, inputs).await, Observation::Absent, "{id}");
        Ok::<_, ()>(())
    });
    try_join_all(deletes).await.unwrap();
    tested.apply(Operation::Delete, &network, &network_inputs, None).await;
    tested.apply(Operation::Delete, &network, &network_inputs, None).await;
    println!("delete {:?}", begin.elapsed());
    tested.assert_gone().await;
    assert_eq!(std::fs::read_dir(tested.state.path().join("machines")).unwrap().count(), 0);
}

async fn boot(tested: &TestCluster, machines: &[(ResourceId, Value)]) {
    let begin = Instant::now();
    let creates = machines.iter().map(|(id, inputs)| async move {
        let applied = tested.apply(Operation::Create, id, inputs, None).await;
        println!("{id} {:?}", begin.elapsed());
        assert_eq!(applied.outputs["address"], Output::Public(inputs["address"].clone()));
        Ok::<_, ()>(())
    });
    try_join_all(creates).await.unwrap();
    let usage = Path::new("/sys/fs/cgroup/cpuacct").join(names::CGROUP).join(owner()).join("cpuacct.usage");
    println!("processor time of all {:?} ns", std::fs::read_to_string(usage).unwrap_or_default().trim());
    println!("all {:?}, load {}", begin.elapsed(), std::fs::read_to_string("/proc/loadavg").unwrap().trim());
}

/// Where the controller of memory is, on this host and in its machines.
fn controllers() -> &'static str {
    if Path::new("/sys/fs/cgroup/memory").is_dir() { "/sys/fs/cgroup/memory" } else { "/sys/fs/cgroup" }
}

/// The upper bounds that the kernel holds a machine's processes to: bytes, and microseconds of each period.
fn in_force(machine: &str) -> String {
    let script = format!(
        "own=$(cat /proc/$(pgrep -f '^systemd-nspawn .*--machine={machine} ')/cgroup)\n\
         at() {{ echo \"$own\" | grep -m 1 \"$1\" | cut -d: -f3; }}\n\
         if [ -d /sys/fs/cgroup/memory ]; then\n\
            cat /sys/fs/cgroup/memory$(at :memory:)/memory.limit_in_bytes /sys/fs/cgroup/cpu$(at :cpu)/cpu.cfs_quota_us\n\
         else cd /sys/fs/cgroup$(at ^0::)/.. && cat memory.max cpu.max; fi"
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and a machine image; see the head of the file"]
async fn limits_hold_a_machines_processes_and_change_while_it_runs() {
    let (tested, net) = TestCluster::new().await;
    let network = ResourceId::new("network", CLUSTER);
    let bridge = json!({"bridge": names::bridge_name(CLUSTER), "subnet": net, "gateway": subnet::gateway(net)});
    tested.apply(Operation::Create, &network, &bridge, None).await;
    let (id, mut inputs) = tested.machine(1, net);
    inputs["memory"] = json!(512 << 20);
    inputs["milliCpus"] = json!(1505);
    tested.apply(Operation::Create, &id, &inputs, None).await;
    let made = Observation::present(inputs.clone());
    assert_eq!(tested.observe(&id, &inputs).await, made);
    let supervisor = names::machine_name(&owner(), "m1");
    assert_eq!(in_force(&supervisor), "536870912 150500");

    let expect = Digest::of_json(&inputs);
    inputs["memory"] = json!(768 << 20);
    inputs["milliCpus"] = json!(1255);
    tested.apply(Operation::Update, &id, &inputs, Some(expect)).await;
    assert_eq!(tested.observe(&id, &inputs).await, Observation::present(inputs.clone()));
    assert_eq!(in_force(&supervisor), "805306368 125500");

    if controllers() == "/sys/fs/cgroup" {
        // A machine outlives a supervisor that is killed; deleting ends it all the same.
        let kill = format!("kill -9 $(pgrep -f '^systemd-nspawn .*--machine={supervisor} ')");
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
    tested.apply(Operation::Delete, &id, &inputs, None).await;
    tested.apply(Operation::Delete, &network, &bridge, None).await;
    tested.assert_gone().await;
}

/// What Kubernetes needs, seen from inside.
fn inside(tested: &TestCluster, machines: &[(ResourceId, Value)]) {
    let (first, last) = (&machines[0].1["address"], &machines[machines.len() - 1].1["address"]);
    assert_eq!(tested.ssh(first, "hostname"), "m1");
    assert_eq!(tested.ssh(first, "findmnt -n -o PROPAGATION /"), "shared");
    assert_eq!(tested.ssh(first, "systemctl --failed --no-legend"), "");
    let cgroups = controllers();
    tested.ssh(first, &format!("mkdir {cgroups}/own && rmdir {cgroups}/own"));
    tested.ssh(first, &format!("test ! -e {cgroups}/kubewright && test -w /proc/sys/kernel/panic"));
    // What kubelets do to the kernel they share; the last network puts it back.
    tested.ssh(first, "echo 10 > /proc/sys/kernel/panic; echo 1 > /proc/sys/vm/overcommit_memory");
    tested.ssh(first, &format!("ping -c 1 -W 2 {}", last.as_str().unwrap()));
    tested.ssh(
        first,
        "ip link add v type vxlan id 1 dstport 8472 dev host0 && ip link del v && iptables -S && nft list ruleset",
    );
    assert_eq!(tested.ssh(first, "cat /proc/sys/net/bridge/bridge-nf-call-iptables"), "1");
    let ids: BTreeSet<String> =
        machines.iter().map(|(_, inputs)| tested.ssh(&inputs["address"], "cat /etc/machine-id")).collect();
    assert_eq!(ids.len(), machines.len());
    for (_, inputs) in machines.iter().filter(|(_, inputs)| inputs["binds"] != json!([])) {
        runs_containers(tested, &inputs["address"]);
    }
    println!(
        "inside: {}",
        tested.ssh(first, "systemd-analyze; systemctl list-units --no-legend --state=running | cat")
    );
}

/// Images are there and pinned, and a container runs from them.
fn runs_containers(tested: &TestCluster, address: &Value) {
    tested.ssh(
        address,
        "systemd-run --quiet --unit containerd -p Delegate=yes -p KillMode=process /usr/local/bin/containerd",
    );
    tested.ssh(address, "for i in $(seq 100); do ctr version >/dev/null 2>&1 && break; sleep 0.1; done");
    let images = tested.ssh(address, "ctr -n k8s.io images ls");
    assert!(images.lines().skip(1).all(|line| line.contains("io.cri-containerd.pinned=pinned")), "{images}");
    let run = "ctr -n k8s.io run --rm registry.k8s.io/kube-scheduler:v1.36.3 t /usr/local/bin/kube-scheduler --version";
    assert!(tested.ssh(address, run).starts_with("Kubernetes v"));
    println!("a container ran; {} images", images.lines().count() - 1);
}

/// A machine that reboots by itself stays the machine it was.
async fn reboots(tested: &TestCluster, (id, inputs): &(ResourceId, Value)) {
    let boot = |tested: &TestCluster| tested.ssh(&inputs["address"], "systemctl show -p UserspaceTimestampMonotonic");
    let before = boot(tested);
    tested.ssh(&inputs["address"], "systemd-run --quiet --on-active=1ms systemctl reboot");
    tokio::time::sleep(Duration::from_secs(3)).await;
    tested.apply(Operation::Create, id, inputs, None).await;
    assert_ne!(boot(tested), before);
    assert_eq!(tested.observe(id, inputs).await, Observation::present(inputs.clone()));
}

/// A second network comes and goes; what the first one needs stays.
async fn shares_the_host(tested: &TestCluster, first: &Value) {
    let facts = tested.provider.facts().await.unwrap();
    let net = subnet::choose(&facts, &[]).unwrap();
    assert_ne!(json!(net), first["subnet"]);
    let id = ResourceId::new("network", "kwtest2");
    let inputs = json!({"bridge": names::bridge_name("kwtest2"), "subnet": net, "gateway": subnet::gateway(net)});
    tested.apply(Operation::Create, &id, &inputs, None).await;
    tested.apply(Operation::Delete, &id, &inputs, None).await;
    assert_eq!(std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap().trim(), "1");
    let id = ResourceId::new("network", CLUSTER);
    assert_eq!(tested.observe(&id, first).await, Observation::present(first.clone()));
}
