//! Opens firewalls that drop forwarded packets and a resolver on loopback, and closes them again, for real: in a network
//! namespace of its own, so that the host's own rules are not touched.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use engine::{Handler, ObserveRequest};
use plan::Operation;
use provider_local::{LocalProvider, MarkedKind};
use resource::{Observation, ResourceId};
use serde_json::{Value, json};
use world::{Images, World, change, context};

fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn network() -> Value {
    json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24", "gateway": "10.88.0.1"})
}

async fn apply(provider: &LocalProvider, operation: Operation, inputs: &Value) {
    let id = ResourceId::new("network", "dev");
    let world = Arc::new(World::default());
    let change = change(operation, &id, inputs, None);
    let context = context("dev", &change, &world);
    provider.apply(&change, &context).await.unwrap_or_else(|error| panic!("{error}\n{:?}", error.output));
    let request = ObserveRequest { id: id.clone(), desired: Some(inputs.clone()), recorded: None };
    let found: BTreeMap<_, _> = provider.observe(vec![request], world).await;
    let expected =
        if operation == Operation::Delete { Observation::Absent } else { Observation::present(inputs.clone()) };
    assert_eq!(found[&id], expected);
}

async fn opens_and_closes(firewall: &str, rules: &str) {
    shell(firewall);
    let before = shell(rules);
    let count = || shell(rules).lines().filter(|line| line.contains("kubewright:dev")).count();
    let provider = LocalProvider::new("/nowhere".into(), Arc::new(Images("/nowhere".into())));
    apply(&provider, Operation::Create, &network()).await;
    assert_eq!(count(), 2, "{}", shell(rules));
    apply(&provider, Operation::Create, &network()).await;
    assert_eq!(count(), 2, "{}", shell(rules));
    let left = async |kinds: &[MarkedKind]| {
        let marked = provider.leftovers(BTreeSet::new()).await.unwrap();
        marked.into_iter().filter(|marked| kinds.contains(&marked.kind)).collect::<Vec<_>>()
    };
    assert_eq!(left(&[MarkedKind::Rule]).await.len(), 2);
    apply(&provider, Operation::Delete, &network()).await;
    assert_eq!(shell(rules), before);
    assert_eq!(left(&[MarkedKind::Rule, MarkedKind::Bridge, MarkedKind::Table]).await, []);
}

/// Tells the tests below, each of which changes the packet filters of the namespace that it runs in.
#[test]
fn in_a_namespace_of_their_own() {
    let has = |script: &str| Command::new("sh").args(["-c", script]).status().is_ok_and(|status| status.success());
    if !has("test $(id -u) = 0 && command -v nft ip unshare") {
        eprintln!("SKIPPED: these tests need root, nft and ip");
        return;
    }
    let mut tests = Command::new("unshare");
    tests.args(["--net", "--mount", "--"]).arg(std::env::current_exe().unwrap());
    tests.args(["--ignored", "--test-threads=1", "--nocapture"]);
    if !has("command -v iptables") {
        eprintln!("SKIPPED: marked_rules_come_and_go_in_iptables needs iptables");
        tests.args(["--skip", "iptables"]);
    }
    let output = tests.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

/// What Docker adds: a dropping policy and chains of its own.
const DOCKER: &str = "iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -N DOCKER; \
    iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -j DOCKER; \
    iptables -A DOCKER ! -i docker0 -o docker0 -j DROP; iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT";

/// What ufw does where forwarded packets are to be rejected.
const UFW: &str = "iptables -N ufw-reject-forward; iptables -A ufw-reject-forward -j REJECT; \
    iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A FORWARD -j ufw-reject-forward";

/// A chain at the forward hook.
fn chain(table: &str, name: &str, policy: &str, rest: &str) -> String {
    format!(
        "printf '%s\\n' 'table {table} {{' 'chain {name} {{' \
         'type filter hook forward priority filter; policy {policy}; {rest}' '}}' '}}' | nft -f -"
    )
}

#[tokio::test]
#[ignore = "told in a namespace of its own by in_a_namespace_of_their_own"]
async fn marked_rules_come_and_go_in_every_kind_of_firewall() {
    assert_eq!(shell("ip -o link show | wc -l").trim(), "1", "this must run in a network namespace of its own");
    let all = "nft -s list ruleset | sed '/^table inet kubewright-/,/^}/d'";
    let firewalls = [
        chain("inet site", "forwarding", "drop", ""),
        // Debian's /etc/nftables.conf calls its table so.
        chain("inet filter", "forward", "drop", "ct state established,related accept"),
        chain(
            "inet filter",
            "forward",
            "accept",
            "iifname \"lan0\" accept; counter reject with icmpx type admin-prohibited",
        ),
        chain("ip filter", "forward", "accept", "iifname != \"lan0\" drop"),
    ];
    for firewall in firewalls {
        opens_and_closes(&firewall, all).await;
        shell("nft flush ruleset");
    }
}

#[tokio::test]
#[ignore = "told in a namespace of its own by in_a_namespace_of_their_own"]
async fn marked_rules_come_and_go_in_iptables() {
    assert_eq!(shell("ip -o link show | wc -l").trim(), "1", "this must run in a network namespace of its own");
    for firewall in [DOCKER, UFW, "iptables -A FORWARD -j LOG; iptables -A FORWARD -j DROP"] {
        opens_and_closes(firewall, "iptables -S").await;
        shell("nft flush ruleset");
    }
}

/// A machine's side of the bridge, in a network namespace `machine`. It may send to loopback addresses, as an attacker would.
const MACHINE: &str = "ip netns add machine; ip link add to-machine type veth peer name eth0 netns machine; \
    ip link set to-machine master kw-dev up; ip -n machine address add 10.88.0.11/24 dev eth0; \
    ip -n machine link set eth0 up; ip -n machine route add 127.0.0.0/8 via 10.88.0.1; \
    ip netns exec machine sysctl -qw net.ipv4.conf.eth0.route_localnet=1";

/// What a UDP socket of the host on this address answers when the machine sends to `destination`; nothing is no answer.
fn asked(listens: &str, destination: &str) -> String {
    let socket = UdpSocket::bind(listens).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let host = std::thread::spawn(move || {
        let mut question = [0; 16];
        let (length, from) = socket.recv_from(&mut question).ok()?;
        socket.send_to(&question[..length], from).ok()
    });
    let (address, port) = destination.split_once(':').unwrap();
    let script = format!("exec 3<>/dev/udp/{address}/{port}; printf asked >&3; timeout 2 head -c 5 <&3 || true");
    let output = Command::new("ip").args(["netns", "exec", "machine", "bash", "-c", &script]).output().unwrap();
    host.join().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
#[ignore = "told in a namespace of its own by in_a_namespace_of_their_own"]
async fn a_resolver_on_the_hosts_loopback_is_asked_at_the_gateway_and_nothing_else_there_is() {
    assert_eq!(shell("ip -o link show | wc -l").trim(), "1", "this must run in a network namespace of its own");
    shell("ip link set lo up");
    let provider = LocalProvider::new("/nowhere".into(), Arc::new(Images("/nowhere".into())));
    let mut inputs = network();
    inputs["resolver"] = json!("127.0.0.1");
    apply(&provider, Operation::Create, &inputs).await;
    shell(&format!("mkdir -p /run/netns; mount -t tmpfs none /run/netns; {MACHINE}"));
    assert_eq!(asked("127.0.0.1:53", "10.88.0.1:53"), "asked");
    assert_eq!(asked("127.0.0.1:5300", "127.0.0.1:5300"), "", "the host's loopback is no machine's");
    // Without the rule that drops them such packets arrive: the line above could fail.
    shell("nft delete chain inet \"$(nft list tables | sed -n 's/^table inet //p')\" loopback");
    assert_eq!(asked("127.0.0.1:5300", "127.0.0.1:5300"), "asked");
    // The change that puts the rule back is seen, and a host whose resolver moved away closes the way.
    apply(&provider, Operation::Create, &inputs).await;
    apply(&provider, Operation::Create, &network()).await;
    assert_eq!(shell("sysctl -n net.ipv4.conf.kw-dev.route_localnet").trim(), "0");
    assert_eq!(asked("127.0.0.1:53", "10.88.0.1:53"), "");
    apply(&provider, Operation::Delete, &network()).await;
    // First, and not with the namespace: that ends its links a moment later, and the next test would find this one.
    shell("ip link delete to-machine; ip netns delete machine");
}
