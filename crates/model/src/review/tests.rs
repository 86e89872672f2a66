//! Tests: what collides with what is made from documents is said at its field.

use spec::{Effective, HostContext, Source};

use super::*;

fn documents(cluster: &str, control_planes: &str, workers: &str) -> Effective {
    let head = "apiVersion: kubewright.io/v1alpha1\nkind:";
    let group = |name: &str, spec: &str| {
        format!("---\n{head} InstanceGroup\nmetadata: {{name: {name}, cluster: demo}}\nspec: {spec}\n")
    };
    let text = format!(
        "{head} Cluster\nmetadata: {{name: demo}}\nspec:\n  kubernetesVersion: 1.36.3\n{cluster}{}{}",
        group("cp", control_planes),
        group("w", workers)
    );
    let loaded = spec::load(&[Source::new("a.yaml", text)], &HostContext::default());
    loaded.effective.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn said(effective: &Effective) -> Vec<String> {
    let remarks = review(&effective.cluster, &effective.groups).unwrap();
    let line = |remark: &Remark| format!("{} {} {}", remark.diagnostic.code, remark.document, remark.diagnostic.field);
    remarks.iter().map(line).collect()
}

fn about(cluster: &str) -> Vec<String> {
    said(&documents(cluster, "{role: ControlPlane}", "{role: Worker}"))
}

fn file(path: &str) -> Vec<String> {
    about(&format!(
        "  containerd: {{mirrors: {{docker.io: [https://m.example]}}}}\n  files: [{{path: {path}, content: x}}]\n"
    ))
}

#[test]
fn files_in_the_place_of_ours_are_refused() {
    for path in [
        "/usr/local/bin/kubelet",
        "/usr/local/bin/etcdctl",
        "/usr/local/bin/kubelet/x",
        "/opt/cni/bin/bridge",
        "/opt/cni",
        "/etc/containerd",
        "/etc/containerd/config.toml",
        "/etc/containerd/conf.d/additions.toml",
        "/etc/containerd/certs.d/docker.io/hosts.toml",
        "/etc/containerd/certs.d/docker.io",
        "/etc/systemd/system/haproxy.service",
        "/usr/lib/systemd/system/kubelet.service",
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        "/etc/systemd/system/kubewright-guard.path",
        "/etc/haproxy/haproxy.cfg",
        "/etc/kubernetes",
        "/etc/kubernetes/admin.conf",
        "/etc/kubernetes/manifests/mine.yaml",
        "/var/lib/kubelet/config.json",
        "/var/lib/etcd",
        "/var/lib",
        "/etc/cni/net.d",
        "/etc/crictl.yaml",
        "/var/log/kubernetes/audit",
        "/var/lib/kubewright/ledger.json",
        "/root/.ssh/authorized_keys",
        "/etc/sysctl.d/99-zz-kubewright.conf",
        "/proc/sys/vm/swappiness",
        "/sys/module/x/parameters/y",
        "/dev/null",
        "/dev/sda",
        "/dev/shm",
    ] {
        assert_eq!(file(path), ["spec::reserved-file Cluster/demo spec.files[0].path"], "{path}");
    }
    for path in ["/dev/shm/mine", "/run/mine/x", "/var/run/mine"] {
        assert_eq!(file(path), ["spec::passing-file Cluster/demo spec.files[0].path"], "{path}");
    }
}

#[test]
fn files_beside_ours_are_taken() {
    for path in [
        "/etc/motd",
        "/etc/containerd/certs.d/ghcr.io/hosts.toml",
        "/etc/systemd/system/containerd.service.d/proxy.conf",
        "/etc/systemd/system/mine.service",
        "/usr/local/bin/kubelet-helper",
        "/etc/sysctl.d/10-mine.conf",
        "/etc/cni/net.d/05-mine.conflist",
        "/var/lib/mine/x",
        "/running",
        "/etc/proc/x",
    ] {
        assert_eq!(file(path), [""; 0], "{path}");
    }
}

#[test]
fn every_file_of_every_config_is_reserved_whatever_is_switched_on() {
    let spec =
        "  api: {loadBalancer: nodeLocal}\n  audit: {policy: metadata}\n  hooks: [{name: h, command: [/bin/true]}]\n";
    let effective = documents(spec, "{role: ControlPlane}", "{role: Worker}");
    let resolved = nominal(effective.cluster.clone(), &effective.groups).unwrap();
    let configs = crate::machine_config::configs(&resolved).unwrap();
    let mut paths: Vec<&String> = Vec::new();
    for config in &configs {
        for part in ["/group/files", "/machine/files"] {
            paths.extend(config.pointer(part).unwrap().as_object().unwrap().keys());
        }
    }
    paths.sort();
    paths.dedup();
    assert!(paths.len() > 40, "{paths:?}");
    let file =
        |path: &&String| spec::MachineFile { path: (*path).clone(), content: String::new(), mode: "0644".to_owned() };
    let mut changed = effective.cluster.clone();
    changed.spec.files = paths.iter().map(file).collect();
    let remarks = review(&changed, &effective.groups).unwrap();
    let said: Vec<&str> = remarks.iter().map(|remark| remark.diagnostic.field.as_str()).collect();
    let all: Vec<String> = (0..paths.len()).map(|index| format!("spec.files[{index}].path")).collect();
    assert_eq!(said, all);
}

#[test]
fn groups_files_are_held_against_ours_and_against_the_clusters() {
    let found = said(&documents(
        "  files: [{path: /etc/mine/a, content: x}]\n",
        "{role: ControlPlane, files: [{path: /etc/mine, content: x}]}",
        "{role: Worker, files: [{path: /usr/local/bin/containerd, content: x}, {path: /etc/mine/a, content: y}]}",
    ));
    assert_eq!(
        found,
        [
            "spec::duplicate-file InstanceGroup/cp spec.files[0].path",
            "spec::reserved-file InstanceGroup/w spec.files[0].path"
        ]
    );
}

#[test]
fn a_groups_file_is_not_in_a_file_of_the_clusters() {
    let found = said(&documents(
        "  files: [{path: /etc/mine, content: x}]\n",
        "{role: ControlPlane, files: [{path: /etc/mine/a, content: x}, {path: /etc/mined, content: x}]}",
        "{role: Worker, files: [{path: /etc/mine, content: y}]}",
    ));
    assert_eq!(found, ["spec::duplicate-file InstanceGroup/cp spec.files[0].path"]);
}

#[test]
fn placeholders_that_nothing_is_known_for_are_refused_wherever_they_stand() {
    let code = "spec::unknown-hole Cluster/demo";
    for (text, field) in [
        ("files: [{path: /a, content: '{{instance}} has {{value}} errors'}]", "spec.files[0].content"),
        ("hooks: [{name: h, command: [/bin/echo, '{{x}}']}]", "spec.hooks[0].command[1]"),
        ("kubeAPIServer: {extraArgs: {api-audiences: '{{id}}'}}", "spec.kubeAPIServer.extraArgs.api-audiences"),
        ("kubelet: {config: {volumePluginDir: '/opt/{{y}}'}}", "spec.kubelet.config.volumePluginDir"),
        ("audit: {policy: custom, rules: [{level: None, users: ['{{u}}']}]}", "spec.audit.rules[0].users[0]"),
        ("containerd: {additions: 'x = \"{{z}}\"'}", "spec.containerd.additions"),
    ] {
        assert_eq!(about(&format!("  {text}\n")), [format!("{code} {field}")], "{text}");
    }
    let group = said(&documents("", "{role: ControlPlane}", "{role: Worker, files: [{path: /a, content: '{{x}}'}]}"));
    assert_eq!(group, ["spec::unknown-hole InstanceGroup/w spec.files[0].content"]);
    for text in ["{{nodeName}}", "{{ instance }}", "{{.Value}}", "{instance}", "{{`x`}}"] {
        assert_eq!(about(&format!("  files: [{{path: /a, content: '{text}'}}]\n")), [""; 0], "{text}");
    }
    // What goes to the cluster comes into no file of a machine.
    let annotated = "{role: Worker, annotations: {example.org/a: '{{x}}'}}";
    assert_eq!(said(&documents("", "{role: ControlPlane}", annotated)), [""; 0]);
    let dashboard = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {legend: \"{{instance}}\"}}";
    assert_eq!(about(&format!("  addons: {{manifests: [{{name: a, content: '{dashboard}'}}]}}\n")), [""; 0]);
}

#[test]
fn a_flags_file_that_no_mount_covers_is_said_for_every_component() {
    for (component, flag, value) in [
        ("kubeAPIServer", "egress-selector-config-file", "/etc/oidc/ca.pem"),
        ("kubeAPIServer", "tls-sni-cert-key", "/etc/kubernetes/pki/a.crt,/srv/a.key"),
        ("kubeControllerManager", "cluster-signing-legacy-unknown-cert-file", "/srv/ca.crt"),
        ("kubeScheduler", "config", "/etc/kubernetes/scheduler-config.yaml"),
        ("etcd", "client-crl-file", "/etc/kubernetes/pki/crl.pem"),
        ("kubeScheduler", "allow-metric-labels-manifest", "labels.yaml"),
        ("kubeScheduler", "allow-metric-labels-manifest", "/"),
        ("kubeAPIServer", "egress-selector-config-file", "/etc/ssl/certs/"),
    ] {
        let found = about(&format!("  {component}: {{extraArgs: {{{flag}: '{value}'}}}}\n"));
        assert_eq!(found, [format!("spec::unseen-file Cluster/demo spec.{component}.extraArgs.{flag}")], "{flag}");
    }
    for (component, flag, value) in [
        ("kubeAPIServer", "egress-selector-config-file", "/etc/kubernetes/pki/oidc.pem"),
        ("kubeAPIServer", "egress-selector-config-file", "/etc/ssl/certs/oidc.pem"),
        ("kubeControllerManager", "cluster-signing-legacy-unknown-cert-file", "/etc/kubernetes/pki/ca.crt"),
        ("etcd", "client-crl-file", "/etc/kubernetes/pki/etcd/crl.pem"),
        ("kubeControllerManager", "authorization-always-allow-paths", "/healthz"),
        ("kubeAPIServer", "audit-webhook-mode", "batch"),
        ("kubeAPIServer", "cors-allowed-origins", "//example\\.org(:|$)"),
        ("kubeAPIServer", "api-audiences", "/x"),
        ("kubeScheduler", "vmodule", "/x/*=5"),
    ] {
        let found = about(&format!("  {component}: {{extraArgs: {{{flag}: {value}}}}}\n"));
        assert_eq!(found, [""; 0], "{flag}");
    }
}

#[test]
fn a_file_of_the_users_that_a_flag_names_is_mounted_and_its_content_restarts_the_pod() {
    let manifest = |content: &str| {
        let spec = format!(
            "  files: [{{path: /etc/oidc/ca.pem, content: {content}}}]\n  kubeAPIServer: {{extraArgs: {{egress-selector-config-file: /etc/oidc/ca.pem}}}}\n"
        );
        let effective = documents(&spec, "{role: ControlPlane}", "{role: Worker}");
        assert_eq!(said(&effective), [""; 0]);
        let resolved = nominal(effective.cluster, &effective.groups).unwrap();
        let config = crate::machine_config::configs(&resolved).unwrap().remove(0);
        config["group"]["files"]["/etc/kubernetes/manifests/kube-apiserver.yaml"]["content"]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, other) = (manifest("x"), manifest("y"));
    assert!(one.contains("mountPath: /etc/oidc/ca.pem") && one.contains("type: File"), "{one}");
    assert_ne!(one, other);
    // Where a control plane lacks it there is nothing to mount.
    let partly = documents(
        "  kubeAPIServer: {extraArgs: {egress-selector-config-file: /etc/oidc/ca.pem}}\n",
        "{role: ControlPlane}",
        "{role: Worker, files: [{path: /etc/oidc/ca.pem, content: x}]}",
    );
    assert_eq!(said(&partly).len(), 1);
}

#[test]
fn large_documents_are_looked_at_one_machine_a_group() {
    let effective =
        documents("  files: [{path: /etc/motd, content: x}]\n", "{role: ControlPlane}", "{role: Worker, count: 200}");
    assert_eq!(nominal(effective.cluster.clone(), &effective.groups).unwrap().machines.len(), 2);
    assert_eq!(said(&effective), [""; 0]);
}

#[test]
fn own_objects_in_the_place_of_ours_are_refused() {
    let object = |api_version: &str, kind: &str, namespace: &str, name: &str| {
        let object =
            format!("apiVersion: {api_version}, kind: {kind}, metadata: {{namespace: {namespace}, name: {name}}}");
        about(&format!("  addons: {{manifests: [{{name: own, content: \"{{{object}}}\"}}]}}\n"))
    };
    let refused = ["spec::manifest Cluster/demo spec.addons.manifests[0].content"];
    assert_eq!(object("v1", "ConfigMap", "kube-system", "coredns"), refused);
    // Switched off now, it is ours all the same.
    assert_eq!(object("apps/v1", "Deployment", "kube-system", "metrics-server"), refused);
    assert_eq!(object("v1", "ConfigMap", "default", "coredns"), [""; 0]);
}

#[test]
fn kubelet_and_containerd_agree_on_who_makes_control_groups() {
    let effective = documents("", "{role: ControlPlane}", "{role: Worker}");
    let resolved = nominal(effective.cluster, &effective.groups).unwrap();
    for config in crate::machine_config::configs(&resolved).unwrap() {
        let text = |path: &str| config["group"]["files"][path]["content"]["text"].as_str().unwrap().to_owned();
        let kubelet = text("/var/lib/kubelet/config.yaml").contains("cgroupDriver: systemd\n");
        assert_eq!(text("/etc/containerd/config.toml").contains("SystemdCgroup = true"), kubelet);
        assert!(kubelet || text("/var/lib/kubelet/config.yaml").contains("cgroupDriver: cgroupfs\n"));
    }
}
