//! A host with a firewall of its own, as Debian's and Docker's packages make it, and with somebody else's kubeconfig: a
//! cluster lives there, and leaves both as they were.

mod kubeconfig;

use std::process::Output;

use crate::aside::BEYOND;
use crate::world::{World, both};
use crate::{checks, documents, machines, preview};

const CLUSTER: &str = "foreign1";
const MACHINE: &str = "control-plane-1";

/// What Debian's /etc/nftables.conf, Docker, and somebody with a last rule that drops, make of a firewall. Loading it takes
/// away all that was there, as Debian's begins with.
const FIREWALL: &str = r#"
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "lo" accept
        meta l4proto icmp accept
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related counter accept
    }
    chain output {
        type filter hook output priority filter;
    }
}
table ip filter {
    chain DOCKER {
        iifname != "docker0" oifname "docker0" counter drop
    }
    chain DOCKER-FORWARD {
        oifname "docker0" ct state established,related counter accept
        counter jump DOCKER
        iifname "docker0" counter accept
    }
    chain DOCKER-USER {
        iifname "wan0" ip saddr 198.51.100.0/24 counter drop
        counter return
    }
    chain FORWARD {
        type filter hook forward priority filter; policy drop;
        counter jump DOCKER-USER
        counter jump DOCKER-FORWARD
    }
}
table ip nat {
    chain POSTROUTING {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr 172.17.0.0/16 oifname != "docker0" counter masquerade
    }
}
table inet site {
    chain forwarding {
        type filter hook forward priority filter + 10; policy accept;
        iifname "lan0" accept
        counter drop comment "the rest"
    }
}
"#;

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: inside}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: registry.k8s.io/e2e-test-images/agnhost:2.63.0, args: [pause]}]
";

pub(crate) fn story(world: &mut World) {
    let rules = world.write("firewall.nft", FIREWALL);
    let theirs = kubeconfig::Theirs::put(world);
    world.kubewright(&["assets", "pull"]);
    world.move_behind(rules.as_ref());

    let documents = world.write("foreign1.yaml", &documents::control_plane(CLUSTER, ""));
    world.kubewright(&["create", "cluster", CLUSTER, "-f", &documents, "--yes"]);
    theirs.stays("after its creation");
    checks::nodes_and_system(world, "1.36.3", &[MACHINE]);
    world.apply(POD);
    world.kubectl(&["wait", "pod/inside", "--for=condition=Ready", "--timeout=120s"]);
    assert_eq!(from_inside(world), Answer::Beyond, "the firewall was opened:\n{}", ruleset(world));
    checks::nothing_to_do(world, CLUSTER);

    // Whoever reloads their firewall takes our rules away, and our table too.
    nft(world, &["-f", &rules]);
    let before = ruleset(world);
    assert!(!before.contains("kubewright"), "{before}");
    assert_eq!(from_inside(world), Answer::Nobody, "a firewall that does not drop proves nothing");
    let missing: Vec<String> = preview::update(world, CLUSTER).into_keys().collect();
    assert_eq!(missing, [format!("update network/{CLUSTER}")]);
    world.kubewright(&["update", "cluster", CLUSTER, "--yes"]);
    assert_eq!(from_inside(world), Answer::Beyond, "it was opened again:\n{}", ruleset(world));
    checks::nothing_to_do(world, CLUSTER);
    theirs.stays("after updates");
    kubeconfig::of_ours_is_used(world, CLUSTER);

    world.kubewright(&["delete", "cluster", CLUSTER, "--yes"]);
    assert!(machines::running(world, CLUSTER).is_empty());
    assert_eq!(ruleset(world), before, "the firewall is what it was, to the byte");
    theirs.is_what_it_was();
}

/// All rules, with the numbers that the kernel gave them, and without what they count.
fn ruleset(world: &World) -> String {
    nft(world, &["--stateless", "--handle", "list", "ruleset"])
}

fn nft(world: &World, arguments: &[&str]) -> String {
    let output = world.program_at("nft", arguments).output().expect("nft starts");
    assert!(output.status.success(), "nft {arguments:?}: {}", both(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Who answers a pod that asks for a port on the network beyond the firewall.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The host there: nothing listens on this port of it, and it says so.
    Beyond,
    /// The question is dropped on its way.
    Nobody,
}

fn from_inside(world: &World) -> Answer {
    let place = format!("{BEYOND}:9");
    let asked: Output = world.try_kubectl(&["exec", "inside", "--", "/agnhost", "connect", "--timeout=3s", &place]);
    match both(&asked) {
        said if said.contains("REFUSED") => Answer::Beyond,
        said if said.contains("TIMEOUT") => Answer::Nobody,
        said => panic!("neither an answer nor none: {said}"),
    }
}
