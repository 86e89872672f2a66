//! Asset sets: completeness, order, and what changes a recipe.

use std::collections::BTreeSet;

use super::*;
use crate::find;

fn set(selection: &Selection) -> AssetSet {
    assets_for(find("1.36").unwrap(), selection)
}

#[test]
fn inputs_stand_before_what_is_made_from_them() {
    let set = set(&Selection::everything(SourceDigests::default()));
    let mut seen = BTreeSet::new();
    for spec in set.specs() {
        for input in spec.recipe().inputs() {
            assert!(seen.contains(input), "{} needs {input} first", spec.name());
        }
        seen.insert(spec.reference().clone());
    }
}

#[test]
fn every_asset_stands_once_in_the_order() {
    let set = set(&Selection::everything(SourceDigests::default()));
    let names: Vec<&str> = set.specs().map(AssetSpec::name).collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), unique.len());
}

#[test]
fn another_pod_network_needs_nothing_of_flannel() {
    let set = set(&Selection { cni: Cni::Other, ..Selection::default() });
    assert!(set.specs().all(|spec| !spec.name().contains("flannel")));
}

#[test]
fn a_change_of_an_input_changes_everything_made_from_it() {
    let before = set(&Selection::default());
    let sources = SourceDigests { pause: "new".into(), ..SourceDigests::default() };
    let after = set(&Selection { sources, ..Selection::default() });
    for name in ["image-pause", "image-store"] {
        assert_ne!(before.asset_ref(name), after.asset_ref(name), "{name}");
    }
    for name in ["kubewright-agent", "image-etcd", "rootfs"] {
        assert_eq!(before.asset_ref(name), after.asset_ref(name), "{name}");
    }
}

#[test]
fn switching_an_addon_on_makes_no_new_machines() {
    let with = Selection::everything(SourceDigests::default());
    let without = set(&Selection { metrics_server: false, ..with.clone() });
    let with = set(&with);
    assert!(without.specs().all(|spec| !spec.name().contains("metrics-server")));
    for name in ["image-store", "rootfs"] {
        assert_eq!(without.asset_ref(name), with.asset_ref(name), "{name}");
    }
}

#[test]
fn a_set_can_be_cut_down_to_what_an_operator_needs() {
    let set = set(&Selection::default()).only(&["kubectl", "no-such-asset"]);
    assert_eq!(set.wanted().map(AssetSpec::name).collect::<Vec<_>>(), ["kubectl"]);
    assert_eq!(set.asset_ref("kubectl"), Some(kubectl(find("1.36").unwrap(), "amd64").asset_ref()));
}

#[test]
fn parts_of_images_are_not_wanted_by_themselves() {
    let set = set(&Selection::default());
    let wanted: BTreeSet<&str> = set.wanted().map(AssetSpec::name).collect();
    assert!(wanted.contains("image-kube-apiserver") && !wanted.contains("kube-apiserver"));
    assert!(wanted.contains("etcdctl") && !wanted.contains("etcd"));
}

#[test]
fn only_what_comes_from_the_debian_archive_may_differ_when_made_again() {
    let set = set(&Selection::default());
    let reproducible = |name: &str| set.is_reproducible(set.get(name).unwrap());
    assert!(["kubelet", "cni-plugins", "image-etcd"].into_iter().all(reproducible));
    assert!(!["rootfs", "image-kube-proxy", "image-store"].into_iter().any(reproducible));
}

#[test]
fn upstream_publishes_all_but_what_is_put_together_here() {
    let set = set(&Selection::everything(SourceDigests::default()));
    let unpublished: Vec<&str> = set.wanted().filter(|spec| spec.upstream().is_none()).map(AssetSpec::name).collect();
    assert_eq!(unpublished, ["cni-plugins", "kubewright-agent", "image-busybox", "rootfs", "image-store"]);
}

#[test]
fn upstreams_addresses_name_version_and_architecture() {
    let set = set(&Selection::default());
    let address = |name: &str| set.get(name).unwrap().upstream().unwrap().address().to_owned();
    assert_eq!(address("kubelet"), "dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet");
    assert_eq!(address("etcdctl"), "github.com/etcd-io/etcd/releases/download/v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz");
    assert_eq!(address("ctr"), address("containerd-shim-runc-v2"), "one archive");
    let cri_tools = "github.com/kubernetes-sigs/cri-tools/releases/download/v1.36.0";
    assert_eq!(address("crictl"), format!("{cri_tools}/crictl-v1.36.0-linux-amd64.tar.gz"));
    assert_eq!(address("image-pause"), "registry.k8s.io/pause:3.10.2");
}
