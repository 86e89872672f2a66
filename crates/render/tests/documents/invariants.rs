//! What must hold for all documents together.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::inputs::{RELEASES, Release, documents};
use crate::tree::{self, texts, walk};

fn objects(release: Release) -> Vec<Value> {
    let files = ["bootstrap", "kube-proxy", "coredns", "flannel", "local-path", "metrics-server"];
    let wanted = |name: &str| name.strip_suffix(".yaml").is_some_and(|name| files.contains(&name));
    let documents = documents(release).unwrap().into_iter().filter(|(name, _)| wanted(name));
    documents.flat_map(|(_, text)| tree::documents(&text)).collect()
}

#[test]
fn every_object_says_whose_it_is_and_is_there_once() {
    for release in RELEASES {
        let mut ids = BTreeSet::new();
        for object in objects(release) {
            let id = tree::id(&object);
            assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/managed-by"], "kubewright", "{id}");
            assert!(ids.insert(id.clone()), "{id} twice");
        }
    }
}

#[test]
fn no_image_is_pulled_that_is_there() {
    for release in RELEASES {
        let mut images = 0;
        for (_, text) in documents(release).unwrap().into_iter().filter(|(name, _)| is_yaml(name)) {
            for object in tree::documents(&text) {
                walk(&object, "", &mut |path, value| {
                    if value.get("image").is_some_and(Value::is_string) {
                        images += 1;
                        assert_eq!(value["imagePullPolicy"], "IfNotPresent", "{path}");
                    }
                });
            }
        }
        assert_eq!(images, 9, "4 static pods and 5 addons");
    }
}

#[test]
fn every_container_says_what_it_needs_and_why_it_ended() {
    for release in RELEASES {
        let mut containers = 0;
        for (name, text) in documents(release).unwrap().into_iter().filter(|(name, _)| is_yaml(name)) {
            let mut check = |path: &str, value: &Value| {
                if value.get("image").is_some_and(Value::is_string) {
                    containers += 1;
                    let requests = &value["resources"]["requests"];
                    assert!(requests["cpu"].is_string(), "{name} {path}: {requests}");
                    // kubeadm's own static pods ask for no memory, save etcd.
                    let is_static = path.starts_with("/spec/containers");
                    assert!(requests["memory"].is_string() || is_static, "{name} {path}: {requests}");
                    assert_eq!(value["terminationMessagePolicy"], "FallbackToLogsOnError", "{name} {path}");
                }
            };
            for object in tree::documents(&text) {
                walk(&object, "", &mut check);
                if let Some(helper) = object["data"]["helperPod.yaml"].as_str() {
                    walk(&tree::document(helper), "/helper", &mut check);
                }
            }
        }
        assert_eq!(containers, 10, "4 static pods, 5 addons and a helper");
    }
}

#[test]
fn deployments_that_everybody_needs_are_evicted_one_pod_at_a_time() {
    for release in RELEASES {
        let objects = objects(release);
        for name in ["coredns", "metrics-server"] {
            let budget = tree::find(&objects, "PodDisruptionBudget", name);
            let deployment = tree::find(&objects, "Deployment", name);
            // A least number would keep the machine of a single pod from being drained.
            assert_eq!(budget["spec"]["maxUnavailable"], 1, "{name}");
            assert_eq!(budget["spec"]["selector"], deployment["spec"]["selector"], "{name}");
            let affinity = &deployment["spec"]["template"]["spec"]["affinity"];
            assert!(affinity["podAntiAffinity"].is_object(), "{name}");
        }
    }
}

#[test]
fn kubelets_certificates_are_checked() {
    for release in RELEASES {
        for (name, text) in documents(release).unwrap() {
            assert!(!text.contains("kubelet-insecure-tls"), "{name}");
        }
    }
}

#[test]
fn the_service_range_and_the_dns_address_are_the_same_everywhere() {
    for release in RELEASES {
        let all = documents(release).unwrap();
        let text = |file: &str| all.iter().find(|(name, _)| *name == file).map(|(_, text)| text.as_str()).unwrap();
        for file in ["kube-apiserver.yaml", "kube-controller-manager.yaml"] {
            assert!(text(file).contains("- --service-cluster-ip-range=10.96.0.0/12\n"), "{file}");
        }
        assert!(text("kubelet-config.yaml").contains("clusterDNS:\n- 10.96.0.10\n"));
        assert!(text("coredns.yaml").contains("clusterIP: 10.96.0.10\n"));
    }
}

#[test]
fn flags_that_a_minor_lost_are_gone() {
    const LOST: [&str; 6] =
        ["--insecure-port", "--port=", "--network-plugin", "--cni-bin-dir", "--cni-conf-dir", "--container-runtime="];
    for release in RELEASES {
        for (name, text) in documents(release).unwrap() {
            for flag in LOST {
                assert!(!text.contains(flag), "{name} {flag}");
            }
            let pause = text.contains("--pod-infra-container-image");
            assert_eq!(pause, name == "kubeadm-flags.env" && release.minor < 35, "{name}");
        }
    }
}

#[test]
fn holes_stand_only_where_an_agent_fills_them() {
    for release in RELEASES {
        for object in objects(release) {
            assert!(!object.to_string().contains("{{"), "{}", tree::id(&object));
        }
    }
}

#[test]
fn selectors_select_their_own_pods() {
    for release in RELEASES {
        for object in objects(release).iter().filter(|object| object["spec"]["template"].is_object()) {
            let labels = &object["spec"]["template"]["metadata"]["labels"];
            for (key, value) in object["spec"]["selector"]["matchLabels"].as_object().unwrap() {
                assert_eq!(&labels[key], value, "{}", tree::id(object));
            }
        }
    }
}

#[test]
fn commands_are_what_args_gives() {
    let container = |file: &str, kind: &str, name: &str| {
        let all = documents(RELEASES[2]).unwrap();
        let text = all.into_iter().find(|(name, _)| *name == file).map(|(_, text)| text).unwrap();
        tree::find(&tree::documents(&text), kind, name)["spec"]["template"]["spec"]["containers"][0].clone()
    };
    let flannel = container("flannel.yaml", "DaemonSet", "kube-flannel-ds");
    assert_eq!(texts(&flannel["command"])[1..], render::addons::flannel::args(&crate::inputs::flannel()));
    let proxy = container("kube-proxy.yaml", "DaemonSet", "kube-proxy");
    assert_eq!(texts(&proxy["command"])[1..], render::addons::kube_proxy::args());
    let metrics = container("metrics-server.yaml", "Deployment", "metrics-server");
    assert_eq!(texts(&metrics["args"]), render::addons::metrics_server::args(&crate::inputs::metrics_server()));
}

fn is_yaml(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "yaml")
}
