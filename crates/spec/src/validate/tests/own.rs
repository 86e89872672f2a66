//! Tests: what users bring of their own (objects, kernel settings, annotations, settings of kube-proxy, DNS servers).

use super::*;

/// What is said of a manifest with this content.
fn manifest(content: &str) -> Vec<String> {
    let content = content.replace('\n', "\n        ");
    let text = cluster(&format!("  addons:\n    manifests:\n    - name: own\n      content: |\n        {content}\n"));
    let found = loaded(&text, &[("cp", CONTROL_PLANE), ("workers", WORKERS)]);
    found.diagnostics.iter().map(|diagnostic| format!("{}: {}", diagnostic.field, diagnostic.message)).collect()
}

fn named(kind: &str, rest: &str) -> String {
    format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n{rest}")
}

#[test]
fn own_objects_are_objects_and_no_secrets() {
    let taken = format!("{}\n---\n{}", named("ConfigMap", "data: {a: b}"), named("Secret", ""));
    assert_eq!(manifest(&taken), [""; 0]);
    // As schemas of definitions have them.
    assert_eq!(manifest(&named("Widget", "spec: {$ref: \"#/definitions/a\"}")), [""; 0]);
    let field = "spec.addons.manifests[0].content";
    for (content, wrong) in [
        ("a: [", "of manifest `own`: this is not YAML"),
        ("# nothing", "there is no object in it"),
        ("[1]", "`kind` is missing"),
        ("kind: ConfigMap", "`apiVersion` of this ConfigMap is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}", "this Pod has no name"),
        ("apiVersion: v1\nkind: List\nitems: []", "a List is no object"),
        ("apiVersion: kubewright.io/v1alpha1\nkind: InstanceGroup", "kubewright's own"),
        (&named("Secret", "stringData: {password: hunter2}"), "Secret a has data"),
        (&named("Secret", "data: {password: aHVudGVyMg==}"), "Secret a has data"),
        (&named("Node", ""), "Nodes are kubewright's own"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}", "Kubernetes' own"),
        (&named("Widget", "spec: {key: {$ref: \"authority/kubernetes#key\"}}"), "kubewright's own notation"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {kubewright.io/owner: x}}", "own"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: x}", "`metadata.annotations` of"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: 1}}", "`metadata.labels.a` of"),
        (&named("ConfigMap", "data: {a: yes}"), "`data.a` of ConfigMap a is no text"),
        ("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: view}", "Kubernetes' own"),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: kubernetes}", "Kubernetes' own"),
        ("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: team}", "Kubernetes' own"),
    ] {
        let found = manifest(content);
        assert!(found.len() == 1 && found[0].starts_with(field) && found[0].contains(wrong), "{content}: {found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
}

#[test]
fn an_object_stands_once_whatever_its_version_and_where_it_is_is_said() {
    let twice = format!("{}\n---\n{}", named("ConfigMap", ""), named("ConfigMap", "metadata2: x"));
    let found = manifest(&twice);
    assert!(found.len() == 1 && found[0].contains("line 6 of manifest `own`: the object stands in"), "{found:?}");
    let text = "  addons: {manifests: [{name: a, content: 'apiVersion: v1\n\n      kind: A\n\n      metadata: {name: a}'}, {name: a, content: ''}]}\n";
    let found = about(text);
    assert!(found.iter().any(|line| line.starts_with("spec::duplicate-manifest")), "{found:?}");
}

#[test]
fn kernel_settings_of_kubernetes_and_of_the_host_are_not_the_users() {
    assert_eq!(about("  sysctls: {net.core.somaxconn: \"4096\"}\n"), [""; 0]);
    let place = |name: &str| [format!("spec::sysctl cluster.yaml:7 spec.sysctls[\"{name}\"]")];
    for name in [
        "net.ipv4.ip_forward",
        "net/ipv4.ip_forward",
        "vm.max_map_count",
        "kernel.pid_max",
        "net.core.netdev_max_backlog",
    ] {
        assert_eq!(about(&format!("  sysctls: {{{name}: \"1\"}}\n")), place(name), "{name}");
    }
    let of_group = about_group("{role: Worker, sysctls: {fs.inotify.max_user_watches: \"1\"}}");
    assert_eq!(of_group, ["spec::sysctl workers.yaml:4 spec.sysctls[\"fs.inotify.max_user_watches\"]"]);
    assert_eq!(about("  sysctls: {somaxconn: \"1\"}\n").len(), 1);
}

#[test]
fn annotations_of_programs_are_theirs() {
    assert_eq!(about_group("{role: Worker, annotations: {example.org/rack: Row 3}}"), [""; 0]);
    for key in ["kubewright.io/x", "kubeadm.alpha.kubernetes.io/cri-socket", "flannel.alpha.coreos.com/public-ip"] {
        let found = about_group(&format!("{{role: Worker, annotations: {{{key}: x}}}}"));
        assert!(found.len() == 1 && found[0].starts_with("spec::reserved-annotation"), "{key}: {found:?}");
    }
}

#[test]
fn kube_proxys_settings_are_its_own_and_not_kubewrights() {
    let config = |config: &str| about(&format!("  networking: {{kubeProxy: {{config: {config}}}}}\n"));
    assert_eq!(config("{logging: {verbosity: 4}, nftables: {syncPeriod: 30s}}"), [""; 0]);
    for (text, code) in [
        ("{mode: iptables}", "spec::managed-kube-proxy-field"),
        ("{clusterCIDR: 10.0.0.0/8}", "spec::managed-kube-proxy-field"),
        ("{iptables: {syncPeriod: 30s}}", "spec::kube-proxy "),
        ("{loging: {verbosity: 4}}", "spec::unknown-kube-proxy-field"),
        ("{metricsBindAddress: 10249}", "spec::kube-proxy-field-type"),
    ] {
        let found = config(text);
        assert!(found.len() == 1 && found[0].starts_with(code), "{text}: {found:?}");
    }
    let off = |cni: &str| about(&format!("  networking: {{cni: {cni}, kubeProxy: {{enabled: false}}}}\n"));
    assert_eq!((off("flannel").len(), off("none").len()), (1, 0));
}

#[test]
fn domains_of_others_have_servers_that_coredns_can_ask() {
    let stubs = |stubs: &str| about(&format!("  networking: {{stubDomains: {{{stubs}}}}}\n"));
    assert_eq!(stubs("corp.example.org: [192.0.2.53], consul: [10.96.0.53]"), [""; 0]);
    for text in [
        "corp.example.org: []",
        "corp.example.org: [127.0.0.53]",
        "cluster.local: [192.0.2.53]",
        "a.cluster.local: [192.0.2.53]",
        "corp.example.org: [ns.example.org]",
    ] {
        assert_eq!(stubs(text).len(), 1, "{text}");
    }
}

#[test]
fn exceptions_of_a_proxy_are_names_domains_or_ranges() {
    let proxy = |text: &str| {
        about(&format!("  containerd: {{proxy: {{https: http://proxy.example.org:3128, noProxy: [{text}]}}}}\n"))
    };
    assert_eq!(proxy("example.org, .example.org, 192.0.2.0/24, 192.0.2.1"), [""; 0]);
    for text in ["192.0.2.1/24", "https://example.org", "\"*\""] {
        assert_eq!(proxy(text).len(), 1, "{text}");
    }
}

#[test]
fn a_policy_that_the_pod_network_ignores_is_warned_of() {
    let text = |networking: &str| {
        let policy =
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny}, spec: {podSelector: {}}}";
        cluster(&format!(
            "{networking}  addons:\n    manifests:\n    - name: own\n      content: |\n        {policy}\n"
        ))
    };
    let said = loaded(&text(""), &[("cp", CONTROL_PLANE)]);
    assert_eq!(
        complaints(&said.diagnostics),
        ["spec::network-policy cluster.yaml:11 spec.addons.manifests[0].content"]
    );
    assert!(said.effective.is_some(), "it is only a warning");
    let owners = loaded(&text("  networking: {cni: none}\n"), &[("cp", CONTROL_PLANE)]);
    assert_eq!(complaints(&owners.diagnostics), [""; 0]);
}
