//! Tests of the facts that are kept.

use super::*;

const COMPONENTS: [&str; 6] =
    ["etcd", "kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet"];

#[test]
fn facts_are_of_every_component_and_of_the_releases_own_version() {
    for release in crate::releases() {
        let facts = facts(release.minor).unwrap_or_else(|| panic!("no facts of {}", release.kubernetes));
        assert_eq!(facts.kubernetes, release.kubernetes, "run: cargo xtask gen facts");
        for name in COMPONENTS {
            let component = facts.component(name).unwrap_or_else(|| panic!("no {name} in {}", release.kubernetes));
            assert!(component.flags.len() > 20 && component.gates.len() > 5, "{name} of {}", release.kubernetes);
        }
        let containerd = &facts.component("containerd").unwrap().types;
        assert_eq!(containerd["io.containerd.cri.v1.runtime"]["max_container_log_line_size"], "int");
        assert_eq!(containerd[""]["oom_score"], "int");
        let kubelet = &facts.component("kubelet").unwrap().types["KubeletConfiguration"];
        assert_eq!(kubelet["maxPods"], "int32");
        assert_eq!(kubelet["nodeStatusUpdateFrequency"], "duration");
    }
}

#[test]
fn what_is_gone_is_in_no_later_minor() {
    let past = past();
    assert_eq!(past.gates["DynamicKubeletConfig"], 26);
    assert_eq!(past.flag("kube-apiserver", "cloud-provider"), Some(33));
    assert_eq!(past.flag("kube-controller-manager", "pod-eviction-timeout"), Some(27));
    assert_eq!(past.admission_plugins["PodSecurityPolicy"], 25);
    for (release, facts) in crate::releases().iter().map(|release| (release, facts(release.minor).unwrap())) {
        for (name, component) in &facts.components {
            for gone in component.gates.keys().filter(|gate| name != "etcd" && past.gates.contains_key(*gate)) {
                assert!(past.gates[gone] > release.minor, "{gone} is in {name} of {}", release.kubernetes);
            }
            for flag in component.flags.keys() {
                assert!(past.flag(name, flag).is_none_or(|minor| minor > release.minor), "{name} --{flag}");
            }
        }
    }
}
