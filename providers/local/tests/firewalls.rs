//! Opens firewalls that drop forwarded packets, and closes them again, for real. On demand, in a namespace of its own:
//!
//! ```text
//! unshare --net --mount cargo test -p provider-local --test firewalls -- --ignored
//! ```

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;

use engine::{Handler, ObserveRequest};
use plan::Operation;
use provider_local::LocalProvider;
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

async fn opens_and_closes(firewall: &str, rules: &str, count: impl Fn() -> usize) {
    shell(firewall);
    let before = shell(rules);
    let provider = LocalProvider::new("/nowhere".into(), Arc::new(Images("/nowhere".into())));
    apply(&provider, Operation::Create).await;
    assert_eq!(count(), 2, "{}", shell(rules));
    apply(&provider, Operation::Create).await;
    assert_eq!(count(), 2, "{}", shell(rules));
    assert_eq!(provider.leftovers(BTreeSet::from(["dev".to_owned()])).await.unwrap(), []);
    apply(&provider, Operation::Delete).await;
    assert_eq!(shell(rules), before);
    assert_eq!(provider.leftovers(BTreeSet::new()).await.unwrap(), []);
}

#[tokio::test]
#[ignore = "changes the packet filters of its network namespace; see the head of the file"]
async fn marked_rules_come_and_go_in_every_kind_of_firewall() {
    assert_eq!(shell("ip -o link show | wc -l").trim(), "1", "this must run in a network namespace of its own");
    let lines =
        |listing: &'static str| move || shell(listing).lines().filter(|line| line.contains("kubewright:dev")).count();

    let iptables = "iptables-save | grep -v -e '^#' -e '^:'";
    opens_and_closes(
        "iptables -P FORWARD DROP; iptables -A FORWARD -i other -j ACCEPT",
        iptables,
        lines("iptables -S"),
    )
    .await;
    shell("iptables -P FORWARD ACCEPT; iptables -A FORWARD -j REJECT");
    opens_and_closes("true", iptables, lines("iptables -S")).await;
    shell("nft flush ruleset");

    let nft = "nft add table inet site; nft add chain inet site forwarding '{ type filter hook forward priority 0; policy drop; }'";
    opens_and_closes(nft, "nft list table inet site", lines("nft list table inet site")).await;
}
