//! Tests: one field changes, everything else of the text stays.

use super::*;
use crate::parse;

const TEXT: &str = "\
# my cluster
apiVersion: kubewright.io/v1alpha1
kind: Cluster
metadata: {name: demo}
spec:
  kubernetesVersion: 1.36.3 # pinned
  networking:
    # the default
    cni: flannel   # keep
    podCIDRs:
    - 10.244.0.0/16
    # end of networking

  # about files
  files:
  - path: /etc/motd
    content: |
      hello
      world
---
# workers
apiVersion: kubewright.io/v1alpha1
kind: InstanceGroup
metadata:
  name: worker
  cluster: demo
spec:
  role: Worker
";

fn changed(document: &str, assignment: &str) -> String {
    let documents = parse(&[Source::new("a.yaml", TEXT)]);
    set(&documents, document, assignment).unwrap_or_else(|error| panic!("{error:?}")).remove(0).text
}

/// Lines that went and came.
fn difference(document: &str, assignment: &str) -> (Vec<String>, Vec<String>) {
    let after = changed(document, assignment);
    let lines = |text: &str, other: &str| {
        let other: Vec<&str> = other.lines().collect();
        text.lines().filter(|line| !other.contains(line)).map(str::to_owned).collect()
    };
    (lines(TEXT, &after), lines(&after, TEXT))
}

fn strings(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn a_value_is_replaced_where_it_stands_and_comments_stay() {
    let (gone, come) = difference("Cluster/demo", "spec.networking.cni=none");
    assert_eq!(gone, strings(&["    cni: flannel   # keep"]));
    assert_eq!(come, strings(&["    cni: none   # keep"]));
}

#[test]
fn texts_that_would_be_read_as_something_else_are_quoted() {
    let (_, come) = difference("Cluster/demo", "spec.kubernetesVersion=1.35");
    assert_eq!(come, strings(&["  kubernetesVersion: \"1.35\" # pinned"]));
}

#[test]
fn a_new_field_comes_after_its_neighbours() {
    let (gone, come) = difference("InstanceGroup/worker", "spec.count=5");
    assert_eq!((gone, come), (vec![], strings(&["  count: 5"])));
    assert!(changed("InstanceGroup/worker", "spec.count=5").ends_with("  role: Worker\n  count: 5\n"));
    let (gone, come) = difference("Cluster/demo", "spec.networking.kubeProxy.mode=iptables");
    assert_eq!((gone, come), (vec![], strings(&["    kubeProxy:", "      mode: iptables"])));
}

#[test]
fn a_new_section_comes_after_a_block_text() {
    let after = changed("Cluster/demo", "spec.addons.metricsServer.enabled=true");
    assert!(after.contains("      world\n  addons:\n    metricsServer:\n      enabled: true\n---\n"), "{after}");
    let after = changed("Cluster/demo", "spec.files[0].mode=0600");
    assert!(after.contains("      world\n    mode: \"0600\"\n---\n"), "{after}");
}

#[test]
fn flow_maps_and_lists_are_changed_in_place() {
    let after = changed("Cluster/demo", "metadata.labels={team: blue}");
    assert!(after.contains("metadata: {name: demo, labels: {team: blue}}\n"), "{after}");
    let after = changed("Cluster/demo", "spec.networking.podCIDRs=10.1.0.0/16");
    assert!(after.contains("    podCIDRs: [10.1.0.0/16]\n    # end of networking\n"), "{after}");
    let after = changed("Cluster/demo", "spec.networking.podCIDRs[0]=10.1.0.0/16");
    assert!(after.contains("    podCIDRs:\n    - 10.1.0.0/16\n"), "{after}");
    let after = changed("Cluster/demo", "spec.files[0].content=bye: now");
    assert!(after.contains("    content: \"bye: now\"\n---\n"), "{after}");
}

#[test]
fn keys_with_dots_stand_in_brackets() {
    let after = changed("InstanceGroup/worker", "spec.labels[\"example.org/tier\"]=web");
    assert!(after.ends_with("  labels:\n    example.org/tier: web\n"), "{after}");
}

#[test]
fn what_cannot_be_set_says_why() {
    let documents = parse(&[Source::new("a.yaml", TEXT)]);
    let fails = |document: &str, assignment: &str| {
        let error = set(&documents, document, assignment).unwrap_err();
        (error.code.clone(), error.help.clone().unwrap_or_default())
    };
    assert_eq!(
        fails("Cluster/demo", "spec.networking.cnii=x"),
        ("spec::unknown-field".to_owned(), "did you mean `cni`?".to_owned())
    );
    assert_eq!(fails("Cluster/demo", "spec").0, "spec::assignment");
    assert_eq!(fails("Cluster/demo", "a..b=1").0, "spec::assignment");
    assert_eq!(fails("Cluster/other", "spec.count=1").1, "there are `Cluster/demo`, `InstanceGroup/worker`");
    assert_eq!(fails("Cluster/demo", "spec.files[7].mode=0600").0, "spec::edit");
    assert_eq!(fails("Cluster/demo", "spec.kubelet.config={a").0, "spec::assignment");
}

#[test]
fn an_edit_that_would_change_more_than_its_field_is_refused() {
    let text = TEXT
        .replace("cni: flannel   # keep", "kubeProxy: &x {mode: nftables}")
        .replace("  role: Worker\n", "  role: Worker\n  kubelet: {config: &y {a: 1}}\n  labels: {}\n");
    let text = text.replace("    # end of networking", "  local: {}\n  kubelet: {config: *x}");
    let documents = parse(&[Source::new("a.yaml", text)]);
    let error = set(&documents, "Cluster/demo", "spec.networking.kubeProxy.mode=iptables").unwrap_err();
    assert_eq!(error.code, "spec::edit");
}

#[test]
fn a_wrong_value_is_for_loading_to_refuse() {
    let after = changed("InstanceGroup/worker", "spec.count=many");
    let documents = parse(&[Source::new("a.yaml", after)]);
    assert_eq!(documents.diagnostics[0].code, "spec::wrong-type");
}

#[test]
fn a_key_with_dots_that_was_not_quoted_is_shown_quoted() {
    let documents = parse(&[Source::new("a.yaml", TEXT)]);
    let help = |assignment: &str| set(&documents, "Cluster/demo", assignment).unwrap_err().help.unwrap_or_default();
    for (assignment, wanted) in [
        ("spec.sysctls.net.core.somaxconn=1024", "write `spec.sysctls[\"net.core.somaxconn\"]`"),
        ("spec.containerd.mirrors.docker.io=[]", "write `spec.containerd.mirrors[\"docker.io\"]`"),
        ("spec.containerd.mirrors.docker.io[0]=x", "write `spec.containerd.mirrors[\"docker.io\"][0]`"),
        (
            "spec.containerd.registryCredentials.r.example.org.username=x",
            "write `spec.containerd.registryCredentials[\"r.example.org\"].username`",
        ),
        ("spec.networking.cni.x=1", ""),
    ] {
        assert_eq!(help(assignment), wanted, "{assignment}");
    }
    let single = changed("Cluster/demo", "spec.sysctls['net.core.somaxconn']=\"1024\"");
    assert!(single.contains("net.core.somaxconn"), "{single}");
}
