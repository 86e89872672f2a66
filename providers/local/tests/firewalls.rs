//! Opens firewalls that drop forwarded packets, and closes them again, for real. On demand, in a namespace of its own:
//!
//! ```text
//! unshare --net --mount cargo test -p provider-local --test firewalls -- --ignored --test-threads=1
//! ```

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;

use engine::{Handler, ObserveRequest};
use plan::Operation;
use provider_local::{LocalProvider, MarkedKind};
use resource::{Observation, ResourceId};
use serde_json::json;
use world::{Images, World, change, context};

fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn apply(provider: &LocalProvider, operation: Operation) {
    let id = ResourceId::new("network", "dev");
    let inputs = json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24", "gateway": "10.88.0.1"});
    let world = Arc::new(World::default());
    let change = change(operation, &id, &inputs, None);
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
    apply(&provider, Operation::Create).await;
    assert_eq!(count(), 2, "{}", shell(rules));
    apply(&provider, Operation::Create).await;
    assert_eq!(count(), 2, "{}", shell(rules));
    let left = async |kinds: &[MarkedKind]| {
        let marked = provider.leftovers(BTreeSet::new()).await.unwrap();
        marked.into_iter().filter(|marked| kinds.contains(&marked.kind)).collect::<Vec<_>>()
    };
    assert_eq!(left(&[MarkedKind::Rule]).await.len(), 2);
    apply(&provider, Operation::Delete).await;
    assert_eq!(shell(rules), before);
    assert_eq!(left(&[MarkedKind::Rule, MarkedKind::Bridge, MarkedKind::Table]).await, []);
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
#[ignore = "changes the packet filters of its network namespace; see the head of the file"]
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
#[ignore = "changes the packet filters of its network namespace, with iptables; see the head of the file"]
async fn marked_rules_come_and_go_in_iptables() {
    assert_eq!(shell("ip -o link show | wc -l").trim(), "1", "this must run in a network namespace of its own");
    for firewall in [DOCKER, UFW, "iptables -A FORWARD -j LOG; iptables -A FORWARD -j DROP"] {
        opens_and_closes(firewall, "iptables -S").await;
        shell("nft flush ruleset");
    }
}
