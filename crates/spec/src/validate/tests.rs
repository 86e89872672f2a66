//! Tests: every rule refuses what it must, at its place, and takes what is near it.

use resource::{Diagnostic, Severity};

use crate::{HostContext, Loaded, Source, load};

mod components;
mod facts;
mod own;

pub(super) const CONTROL_PLANE: &str = "{role: ControlPlane}";
const WORKERS: &str = "{role: Worker, count: 2}";

pub(super) fn cluster(spec: &str) -> String {
    format!(
        "apiVersion: kubewright.io/v1alpha1\nkind: Cluster\nmetadata:\n  name: demo\nspec:\n  kubernetesVersion: 1.36.3\n{spec}"
    )
}

fn group(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: kubewright.io/v1alpha1\nkind: InstanceGroup\nmetadata: {{name: {name}, cluster: demo}}\nspec: {spec}\n"
    )
}

pub(super) fn loaded(cluster_text: &str, groups: &[(&str, &str)]) -> Loaded {
    loaded_near(cluster_text, groups, &[])
}

fn loaded_near(cluster_text: &str, groups: &[(&str, &str)], routes: &[&str]) -> Loaded {
    let mut sources = vec![Source::new("cluster.yaml", cluster_text)];
    sources.extend(groups.iter().map(|(name, spec)| Source::new(format!("{name}.yaml"), group(name, spec))));
    let routes = routes.iter().map(|route| route.parse().unwrap()).collect();
    load(&sources, &HostContext { routes, is_new: false })
}

pub(super) fn complaints(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|d| {
            let place = d.labels.first().map(|label| format!("{}:{}", label.file, label.line)).unwrap_or_default();
            format!("{} {place} {}", d.code, d.field)
        })
        .collect()
}

/// The complaints about a cluster with one control plane and two workers.
pub(super) fn about(spec: &str) -> Vec<String> {
    complaints(&loaded(&cluster(spec), &[("cp", CONTROL_PLANE), ("workers", WORKERS)]).diagnostics)
}

/// The complaints about such a cluster with another group of workers.
pub(super) fn about_group(spec: &str) -> Vec<String> {
    complaints(&loaded(&cluster(""), &[("cp", CONTROL_PLANE), ("workers", spec)]).diagnostics)
}

#[test]
fn a_plain_cluster_is_taken() {
    let loaded = loaded(&cluster(""), &[("cp", CONTROL_PLANE), ("workers", WORKERS)]);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.effective.unwrap().groups.len(), 2);
}

#[test]
fn an_unknown_version_is_refused_with_the_nearest_one() {
    let loaded = loaded(&cluster("").replace("1.36.3", "1.36.9"), &[("cp", CONTROL_PLANE)]);
    assert_eq!(complaints(&loaded.diagnostics), ["spec::unsupported-version cluster.yaml:6 spec.kubernetesVersion"]);
    assert_eq!(loaded.diagnostics[0].help.as_deref(), Some("write `1.36.3`"));
    assert!(loaded.effective.is_none());
}

#[test]
fn a_budget_is_a_number_or_a_share_and_not_for_control_planes() {
    let with = |role: &str, most: &str| format!("{{role: {role}, rollingUpdate: {{maxUnavailable: {most}}}}}");
    let said = |control_plane: &str, worker: &str| {
        let groups = [("cp", with("ControlPlane", control_plane)), ("w", with("Worker", worker))];
        loaded(&cluster(""), &groups.each_ref().map(|(name, spec)| (*name, spec.as_str()))).diagnostics
    };
    for good in ["1", "3", "25%", "'100%'"] {
        assert_eq!(said("1", good), [], "{good}");
    }
    for (bad, code, help) in [
        ("0", "spec::out-of-range", None),
        ("'2'", "spec::wrong-type", Some("write 2, without quotes")),
        ("0%", "spec::invalid-value", None),
        ("25 %", "spec::invalid-value", Some("write `25%`")),
        ("two", "spec::invalid-value", None),
        ("true", "spec::wrong-type", None),
    ] {
        let said = said("1", bad);
        assert_eq!(complaints(&said), [format!("{code} w.yaml:4 spec.rollingUpdate.maxUnavailable")], "{bad}");
        assert_eq!(said[0].help.as_deref(), help, "{bad}");
    }
    assert_eq!(
        complaints(&said("2", "2")),
        ["spec::control-planes-at-once cp.yaml:4 spec.rollingUpdate.maxUnavailable"]
    );
    let of_all =
        |most: &str| loaded(&cluster(&format!("  rollingUpdate: {{maxUnavailable: {most}}}\n")), &[]).diagnostics;
    let out_of =
        |most: &str| complaints(&of_all(most)).into_iter().find(|complaint| complaint.contains("rollingUpdate"));
    assert_eq!((out_of("5"), out_of("10%")), (None, None));
    assert_eq!(out_of("0").as_deref(), Some("spec::out-of-range cluster.yaml:7 spec.rollingUpdate.maxUnavailable"));
}

#[test]
fn an_even_number_of_control_planes_is_refused_over_all_groups() {
    let loaded = loaded(&cluster(""), &[("a", CONTROL_PLANE), ("b", CONTROL_PLANE)]);
    assert_eq!(complaints(&loaded.diagnostics), ["spec::even-control-planes a.yaml:4 spec.count"]);
    assert_eq!(loaded.diagnostics[0].help.as_deref(), Some("write 1 or 3"));
    assert_eq!(loaded.diagnostics[0].labels.len(), 2);
}

#[test]
fn no_control_plane_is_refused() {
    let complaints_about = |groups: &[(&str, &str)]| complaints(&loaded(&cluster(""), groups).diagnostics);
    assert_eq!(complaints_about(&[("workers", WORKERS)]), ["spec::no-control-plane cluster.yaml:1 "]);
    assert_eq!(complaints_about(&[]), ["spec::no-control-plane cluster.yaml:1 "]);
    let zero = complaints_about(&[("cp", "{role: ControlPlane, count: 0}"), ("workers", WORKERS)]);
    assert_eq!(zero, ["spec::no-control-plane cp.yaml:4 spec.count"]);
}

#[test]
fn many_control_planes_are_only_warned_of() {
    let loaded = loaded(&cluster(""), &[("cp", "{role: ControlPlane, count: 9}")]);
    assert_eq!(complaints(&loaded.diagnostics), ["spec::many-control-planes cp.yaml:4 spec.count"]);
    assert_eq!(loaded.diagnostics[0].severity, Severity::Warning);
    assert!(loaded.effective.is_some());
}

#[test]
fn one_control_plane_is_said_when_a_cluster_is_made_and_then_no_more() {
    let said = |is_new: bool, spec: &str| {
        let sources = [Source::new("a", cluster("")), Source::new("g", group("cp", spec))];
        complaints(&load(&sources, &HostContext { is_new, ..HostContext::default() }).diagnostics)
    };
    assert_eq!(said(true, CONTROL_PLANE), ["spec::one-control-plane g:4 spec.count"]);
    assert_eq!(said(false, CONTROL_PLANE), [""; 0]);
    assert_eq!(said(true, "{role: ControlPlane, count: 3}"), [""; 0]);
}

#[test]
fn two_groups_of_one_name_are_refused_with_both_places() {
    let loaded = loaded(&cluster(""), &[("cp", CONTROL_PLANE), ("workers", WORKERS), ("workers", WORKERS)]);
    assert_eq!(complaints(&loaded.diagnostics), ["spec::duplicate-group workers.yaml:3 metadata.name"]);
    assert_eq!(loaded.diagnostics[0].labels.len(), 2);
}

#[test]
fn a_bad_cluster_name_is_refused_and_breeds_no_further_complaints() {
    for name in ["Demo", "my_cluster", "-demo", "a.b", "abcdefghijklmnopqrstuvwxyz0123456"] {
        let loaded = loaded(&cluster("").replace("demo", name), &[("cp", CONTROL_PLANE)]);
        assert_eq!(complaints(&loaded.diagnostics), ["spec::invalid-value cluster.yaml:4 metadata.name"], "{name}");
    }
}

#[test]
fn a_group_of_another_cluster_is_refused() {
    let sources =
        [Source::new("a", cluster("")), Source::new("b", group("cp", CONTROL_PLANE).replace("demo", "other"))];
    let complaints = complaints(&load(&sources, &HostContext::default()).diagnostics);
    assert_eq!(complaints, ["spec::other-cluster b:3 metadata.cluster"]);
}

#[test]
fn there_is_one_cluster() {
    let none = load(&[Source::new("g", group("cp", CONTROL_PLANE))], &HostContext::default());
    assert_eq!(complaints(&none.diagnostics), ["spec::no-cluster g:1 "]);
    assert_eq!(complaints(&load(&[], &HostContext::default()).diagnostics), ["spec::no-cluster  "]);
    let two = load(
        &[Source::new("a", cluster("")), Source::new("b", cluster("")), Source::new("g", group("cp", CONTROL_PLANE))],
        &HostContext::default(),
    );
    assert_eq!(complaints(&two.diagnostics), ["spec::several-clusters b:4 metadata.name"]);
}

#[test]
fn what_rests_on_unreadable_parts_is_not_complained_about() {
    let broken =
        load(&[Source::new("a", cluster("  x: [1\n")), Source::new("g", group("w", WORKERS))], &HostContext::default());
    assert_eq!(complaints(&broken.diagnostics), ["spec::syntax a:8 "]);
    let no_role = loaded(&cluster(""), &[("cp", "{count: 3}")]);
    assert_eq!(complaints(&no_role.diagnostics), ["spec::missing-field cp.yaml:4 spec.role"]);
    let bad_count = loaded(&cluster(""), &[("cp", "{role: ControlPlane, count: x}"), ("b", CONTROL_PLANE)]);
    assert_eq!(complaints(&bad_count.diagnostics), ["spec::wrong-type cp.yaml:4 spec.count"]);
    assert_eq!(
        about("  networking:\n    podCIDRs: [10.96.0.0/33]\n    serviceCIDRs: [10.244.0.0/16]\n"),
        ["spec::invalid-value cluster.yaml:8 spec.networking.podCIDRs[0]"]
    );
}

#[test]
fn structure_and_meaning_are_complained_about_together() {
    let loaded = loaded(&cluster("  cnii: x\n"), &[("cp", "{role: ControlPlane, count: 2}")]);
    let found = complaints(&loaded.diagnostics);
    assert_eq!(
        found,
        ["spec::unknown-field cluster.yaml:7 spec.cnii", "spec::even-control-planes cp.yaml:4 spec.count"]
    );
}

#[test]
fn overlapping_ranges_are_refused() {
    assert_eq!(
        about("  networking:\n    podCIDRs: [10.96.0.0/16]\n"),
        ["spec::overlapping-ranges cluster.yaml:7 spec.networking.serviceCIDRs[0]"]
    );
    assert_eq!(
        about("  local:\n    subnet: 10.244.7.0/24\n"),
        ["spec::overlapping-ranges cluster.yaml:8 spec.local.subnet"]
    );
    assert_eq!(about("  local:\n    subnet: 10.88.7.0/24\n"), [""; 0]);
}

#[test]
fn special_ranges_are_refused() {
    let field = "spec::special-range cluster.yaml:8 spec.networking.podCIDRs[0]";
    for range in ["127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16"] {
        assert_eq!(about(&format!("  networking:\n    podCIDRs: [{range}]\n")), [field], "{range}");
    }
}

#[test]
fn ranges_that_the_host_uses_are_refused_or_warned_of() {
    let near = |spec: &str, routes: &[&str]| loaded_near(&cluster(spec), &[("cp", CONTROL_PLANE)], routes).diagnostics;
    let refused = near("  local:\n    subnet: 10.88.7.0/24\n", &["0.0.0.0/0", "10.88.0.0/16"]);
    assert_eq!(complaints(&refused), ["spec::host-route cluster.yaml:8 spec.local.subnet"]);
    let warned = near("", &["10.244.3.0/24"]);
    assert_eq!(
        (complaints(&warned)[0].as_str(), warned[0].severity),
        ("spec::host-route cluster.yaml:5 spec.networking.podCIDRs[0]", Severity::Warning)
    );
    assert_eq!(near("", &["0.0.0.0/0", "192.168.1.0/24"]), []);
    let vpn = ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"];
    assert_eq!(near("  local:\n    subnet: 192.168.77.0/24\n", &vpn), [], "a default route in two parts is one");
}

#[test]
fn ranges_that_are_too_small_or_too_large_are_refused() {
    let networking = |text: &str| about(&format!("  networking:\n    {text}\n"));
    let pods = "spec::range-too-small cluster.yaml:8 spec.networking.podCIDRs[0]";
    assert_eq!(networking("podCIDRs: [10.244.0.0/25]"), [pods]);
    assert_eq!(networking("podCIDRs: [10.244.0.0/23]"), [pods]); // three machines, two parts
    assert_eq!(networking("podCIDRs: [10.244.0.0/22]"), [""; 0]);
    assert_eq!(
        networking("podCIDRs: [16.0.0.0/6]"),
        ["spec::range-too-large cluster.yaml:8 spec.networking.podCIDRs[0]"]
    );
    assert_eq!(
        networking("serviceCIDRs: [10.96.0.0/25]"),
        ["spec::range-too-small cluster.yaml:8 spec.networking.serviceCIDRs[0]"]
    );
    assert_eq!(
        networking("serviceCIDRs: [10.96.0.0/11]"),
        ["spec::range-too-large cluster.yaml:8 spec.networking.serviceCIDRs[0]"]
    );
    assert_eq!(
        networking("nodeCIDRMaskSize: 26"),
        ["spec::range-too-small cluster.yaml:8 spec.networking.nodeCIDRMaskSize"]
    );
}

#[test]
fn pods_that_a_nodes_range_has_no_addresses_for_are_said_of_clusters_and_groups() {
    let group = about_group("{role: Worker, kubelet: {config: {maxPods: 500}}}");
    assert_eq!(group, ["spec::range-too-small workers.yaml:4 spec.kubelet.config.maxPods"]);
    assert_eq!(about_group("{role: Worker, kubelet: {config: {maxPods: 254}}}"), [""; 0]);
    let general = about("  kubelet:\n    config: {maxPods: 255}\n");
    assert_eq!(general, ["spec::range-too-small cluster.yaml:8 spec.kubelet.config.maxPods"]);
}

#[test]
fn more_machines_than_node_ranges_are_refused() {
    let loaded = loaded(&cluster(""), &[("cp", CONTROL_PLANE), ("workers", "{role: Worker, count: 256}")]);
    assert_eq!(complaints(&loaded.diagnostics), ["spec::range-too-small cluster.yaml:5 spec.networking.podCIDRs[0]"]);
}

#[test]
fn families_that_the_provider_lacks_are_refused() {
    let found = about("  networking:\n    podCIDRs: [10.244.0.0/16, fd00::/48]\n");
    assert_eq!(found, ["spec::wrong-family cluster.yaml:8 spec.networking.podCIDRs[1]"]);
    let found = about("  networking:\n    podCIDRs: [10.244.0.0/16, 10.245.0.0/16]\n");
    assert_eq!(found, ["spec::wrong-family cluster.yaml:8 spec.networking.podCIDRs[1]"]);
}

#[test]
fn node_ports_over_the_api_port_or_a_component_are_refused() {
    let range = |text: &str| about(&format!("  kubeAPIServer:\n    serviceNodePortRange: {text}\n"));
    let field = "spec::node-ports cluster.yaml:8 spec.kubeAPIServer.serviceNodePortRange";
    assert_eq!(range("6000-7000"), [field]);
    assert_eq!(range("10000-11000"), [field]);
    assert_eq!(range("6443-6443"), [field]);
    assert_eq!(range("20000-22767"), [""; 0]);
    for taken in ["1-2000", "22-22", "2381-2381", "10256-10256", "8472-8472"] {
        assert_eq!(range(taken), [field], "{taken}");
    }
    let warned = "spec::ephemeral-port cluster.yaml:8 spec.kubeAPIServer.serviceNodePortRange";
    assert_eq!([range("30000-32768"), range("60999-61500")], [[warned], [warned]]);
    assert_eq!(range("61000-62000"), [""; 0]);
    assert_eq!(
        about("  api:\n    port: 30500\n"),
        ["spec::node-ports cluster.yaml:5 spec.kubeAPIServer.serviceNodePortRange"]
    );
}

#[test]
fn ports_of_components_are_taken() {
    assert_eq!(about("  api:\n    port: 10250\n"), ["spec::port-taken cluster.yaml:8 spec.api.port"]);
    assert_eq!(about("  api:\n    port: 22\n"), ["spec::port-taken cluster.yaml:8 spec.api.port"]);
    let hint = |spec: &str| loaded(&cluster(spec), &[("cp", CONTROL_PLANE)]).diagnostics.remove(0).help.unwrap();
    assert_eq!(hint("  api: {port: 22}\n"), "choose a port that is free, such as 6443");
    let balancer = "  api: {loadBalancer: nodeLocal, loadBalancerPort: 22}\n";
    assert_eq!(hint(balancer), "choose a port that is free, such as 8443");
    assert_eq!(about("  api:\n    port: 40000\n"), ["spec::ephemeral-port cluster.yaml:8 spec.api.port"]);
    let read_only = "spec::port-taken cluster.yaml:8 spec.kubelet.config.readOnlyPort";
    for port in [10250, 6443] {
        assert_eq!(about(&format!("  kubelet:\n    config: {{readOnlyPort: {port}}}\n")), [read_only]);
    }
    let same = about("  api:\n    loadBalancer: nodeLocal\n    loadBalancerPort: 6443\n");
    assert_eq!(same, ["spec::port-taken cluster.yaml:9 spec.api.loadBalancerPort"]);
}

#[test]
fn load_balancers_fit_the_control_planes() {
    assert_eq!(
        about("  api:\n    loadBalancer: external\n"),
        ["spec::no-endpoint cluster.yaml:8 spec.api.loadBalancer"]
    );
    let alone = loaded(&cluster("  api:\n    loadBalancer: none\n"), &[("cp", "{role: ControlPlane, count: 3}")]);
    assert_eq!(complaints(&alone.diagnostics), ["spec::no-load-balancer cluster.yaml:8 spec.api.loadBalancer"]);
}

#[test]
fn resolvers_that_lead_back_are_refused() {
    let found = about("  networking:\n    upstreamResolvers: [1.1.1.1, 127.0.0.53, 10.96.0.10]\n");
    assert_eq!(
        found,
        [
            "spec::resolver cluster.yaml:8 spec.networking.upstreamResolvers[1]",
            "spec::resolver cluster.yaml:8 spec.networking.upstreamResolvers[2]"
        ]
    );
    let loaded = loaded(&cluster("  networking: {upstreamResolvers: ['2001:db8::53']}\n"), &[("cp", CONTROL_PLANE)]);
    assert_eq!(complaints(&loaded.diagnostics), ["spec::resolver cluster.yaml:7 spec.networking.upstreamResolvers[0]"]);
    assert!(loaded.diagnostics[0].message.ends_with("names outside the cluster will not be resolved"));
    assert!(loaded.effective.is_some());
}
