//! The release table against kubeadm's constants, the recipes and what users type.
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]

use std::path::PathBuf;

use super::*;
use crate::{AssetSpec, Recipe, Selection, assets_for, modules};

/// kubeadm's constants in the Go module cache, when the module is there.
fn kubeadm_constants(release: &Release) -> Option<String> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join("go"));
    let go_path = std::env::var_os("GOPATH").map(PathBuf::from).or(home)?;
    let cache = std::env::var_os("GOMODCACHE").map_or_else(|| go_path.join("pkg/mod"), PathBuf::from);
    let module = cache.join(format!("k8s.io/kubernetes@v{}", release.kubernetes));
    std::fs::read_to_string(module.join("cmd/kubeadm/app/constants/constants.go")).ok()
}

fn constant(source: &str, name: &str) -> String {
    let line = source.lines().find(|line| line.trim().starts_with(&format!("{name} = \""))).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

/// kubeadm's value of a component: ours, or what the deviation says.
fn expected<'a>(release: &'a Release, component: &str, ours: &'a str) -> &'a str {
    let deviation = release.deviations.iter().find(|deviation| deviation.component == component);
    deviation.map_or(ours, |deviation| {
        assert_eq!(deviation.ours, ours, "{component} of 1.{}", release.minor);
        deviation.kubeadm
    })
}

#[test]
fn versions_are_kubeadms_constants_or_named_deviations() {
    for release in releases() {
        let Some(source) = kubeadm_constants(release) else {
            println!("skipped: the Go module cache lacks k8s.io/kubernetes@v{}", release.kubernetes);
            continue;
        };
        assert_eq!(constant(&source, "PauseVersion"), expected(release, "pause", release.pause));
        assert_eq!(constant(&source, "DefaultEtcdVersion"), expected(release, "etcd", release.etcd_image_tag));
        let coredns = constant(&source, "CoreDNSVersion");
        assert_eq!(coredns.trim_start_matches('v'), expected(release, "coredns", release.coredns));
    }
}

#[test]
fn the_newest_kubeadm_names_our_etcd_for_every_supported_minor() {
    let Some(source) = kubeadm_constants(find("1.36").unwrap()) else {
        println!("skipped: the Go module cache lacks the newest k8s.io/kubernetes");
        return;
    };
    for release in releases() {
        assert!(source.contains(&format!("{}: \"{}\"", release.minor, release.etcd_image_tag)), "{}", release.minor);
    }
}

#[test]
fn versions_are_what_the_go_modules_pin() {
    let kubernetes = [&modules::KUBERNETES_1_34, &modules::KUBERNETES_1_35, &modules::KUBERNETES_1_36];
    for (release, module) in releases().iter().zip(kubernetes) {
        assert_eq!(module.version_of("k8s.io/kubernetes"), Some(release.kubernetes));
        assert_eq!(module.go().to_string(), release.go_minimum);
        let set = assets_for(release, &Selection::default());
        let Some(Recipe::Go(crictl)) = set.get("crictl").map(AssetSpec::recipe) else {
            panic!("crictl is built with Go")
        };
        assert_eq!(crictl.module.version_of("sigs.k8s.io/cri-tools"), Some(release.crictl));
        assert_eq!(modules::ETCD.version_of("go.etcd.io/etcd/server/v3"), Some(release.etcd));
        assert_eq!(modules::CONTAINERD.version_of("github.com/containerd/containerd/v2"), Some(release.containerd));
        assert_eq!(modules::COREDNS.version_of("github.com/coredns/coredns"), Some(release.coredns));
        let plugins = "github.com/containernetworking/plugins";
        assert_eq!(modules::CNI_PLUGINS.version_of(plugins), Some(release.cni_plugins));
        assert_eq!(modules::FLANNEL_CNI.version_of(plugins), Some(release.flannel_cni));
        assert_eq!(modules::FLANNEL.version_of("github.com/flannel-io/flannel"), Some(release.flannel));
        assert_eq!(modules::METRICS_SERVER.version_of("sigs.k8s.io/metrics-server"), Some(release.metrics_server));
        let provisioner = "github.com/rancher/local-path-provisioner";
        assert_eq!(modules::LOCAL_PATH_PROVISIONER.version_of(provisioner), Some(release.local_path_provisioner));
    }
}

#[test]
fn a_version_is_found_the_way_users_write_it() {
    for version in ["1.36", "v1.36", "1.36.3", "v1.36.3"] {
        assert_eq!(find(version).map(|release| release.minor), Ok(36), "{version}");
    }
    assert_eq!(find(DEFAULT_VERSION).map(|release| release.minor), Ok(36));
}

#[test]
fn an_unsupported_version_names_the_one_that_was_probably_meant() {
    let meant = |version: &str| find(version).unwrap_err().meant;
    assert_eq!(meant("1.36.2"), Some("1.36.3"));
    assert_eq!(meant("1.37"), Some("1.36.3"));
    assert_eq!(meant("v1.30.1"), Some("1.34.4"));
    assert_eq!(meant("banana"), None);
    let message = find("1.37").unwrap_err().to_string();
    assert_eq!(message, "Kubernetes 1.37 is not supported (supported: 1.34.4, 1.35.4, 1.36.3)");
}

#[test]
fn kubelet_flags_follow_the_minor() {
    assert!(find("1.34").unwrap().gates().kubelet_pod_infra_container_image);
    assert!(!find("1.35").unwrap().gates().kubelet_pod_infra_container_image);
    assert!(find("1.35").unwrap().gates().kubelet_fails_on_cgroup_v1);
    assert!(!find("1.34").unwrap().gates().kubelet_fails_on_cgroup_v1);
}

#[test]
fn image_names_are_upstreams() {
    let names: Vec<String> = find("1.36").unwrap().images().into_iter().map(|image| image.name).collect();
    for name in [
        "registry.k8s.io/kube-apiserver:v1.36.3",
        "registry.k8s.io/etcd:3.6.8-0",
        "registry.k8s.io/coredns/coredns:v1.14.3",
        "registry.k8s.io/pause:3.10.2",
        "ghcr.io/flannel-io/flannel:v0.28.4",
    ] {
        assert!(names.contains(&name.to_owned()), "{name}");
    }
}

#[test]
fn minors_share_everything_that_does_not_depend_on_kubernetes() {
    let selection = Selection::default();
    let old = assets_for(find("1.35").unwrap(), &selection);
    let new = assets_for(find("1.36").unwrap(), &selection);
    for name in ["containerd", "etcdctl", "image-coredns", "image-etcd", "cni-plugins", "rootfs"] {
        assert_eq!(old.asset_ref(name), new.asset_ref(name), "{name}");
    }
    assert_ne!(old.asset_ref("kubelet"), new.asset_ref("kubelet"));
    assert_ne!(old.asset_ref("image-store"), new.asset_ref("image-store"));
}
