//! Tests: every way in which one document can be wrong is reported at its place, with advice.

use super::*;

const CLUSTER: &str =
    "apiVersion: kubewright.io/v1alpha1\nkind: Cluster\nmetadata:\n  name: demo\nspec:\n  kubernetesVersion: 1.36.3\n";

fn parse_text(text: &str) -> Documents {
    parse(&[Source::new("a.yaml", text)])
}

/// `code line:column field` of each diagnostic, and its help.
fn complaints(text: &str) -> Vec<(String, String, String)> {
    let documents = parse_text(text);
    let complaint = |d: &Diagnostic| {
        let label = &d.labels[0];
        let place = format!("{} {}:{} {}", d.code, label.line, label.column, d.field);
        (place, d.message.clone(), d.help.clone().unwrap_or_default())
    };
    documents.diagnostics.iter().map(complaint).collect()
}

fn only(spec: &str) -> (String, String, String) {
    let mut complaints = complaints(&format!("{CLUSTER}{spec}"));
    assert_eq!(complaints.len(), 1, "{complaints:#?}");
    complaints.remove(0)
}

#[test]
fn a_sound_document_has_no_diagnostics() {
    let documents = parse_text(CLUSTER);
    assert_eq!(documents.diagnostics, []);
    assert_eq!(documents.documents[0].id(), "Cluster/demo");
    assert!(documents.are_sound());
}

#[test]
fn an_unknown_field_says_where_and_what_was_meant() {
    let (place, message, help) = only("  networking:\n    podCIDR: [10.0.0.0/16]\n");
    assert_eq!(place, "spec::unknown-field 8:5 spec.networking.podCIDR");
    assert_eq!((message.as_str(), help.as_str()), ("unknown field `podCIDR`", "did you mean `podCIDRs`?"));
}

#[test]
fn a_field_in_the_wrong_section_says_where_it_belongs() {
    assert_eq!(only("  podCIDRs: [10.0.0.0/16]\n").2, "it belongs to `spec.networking`");
    assert!(only("  volumes: 1\n").2.starts_with("known here: `addons`, `api`"));
}

#[test]
fn a_wrong_type_is_named_and_advised_on() {
    let (place, message, help) = only("  networking:\n    podCIDRs: 10.0.0.0/16\n");
    assert_eq!(place, "spec::wrong-type 8:15 spec.networking.podCIDRs");
    assert_eq!(message, "expected a list of CIDRs, found a string");
    assert!(help.starts_with("write `[10.0.0.0/16]`"));
    assert_eq!(
        only("  networking: [a]\n").1,
        "expected a map with `cni`, `dnsDomain`, `flannel`, `kubeProxy`, …, found a list"
    );
    assert_eq!(only("  networking:\n").1.split(", found ").last(), Some("nothing"));
}

#[test]
fn words_that_look_like_booleans_are_explained() {
    let (_, message, help) = only("  addons:\n    metricsServer:\n      enabled: yes\n");
    assert_eq!((message.as_str(), help.as_str()), ("expected true or false, found a string", "write `true`"));
    let (_, message, help) = only("  kubeAPIServer:\n    extraArgs:\n      anonymous-auth: false\n");
    assert_eq!(message, "expected the value of a flag, found the boolean false");
    assert!(help.ends_with("write \"false\""), "{help}");
}

#[test]
fn an_unquoted_minor_version_is_explained_with_its_own_digits() {
    let (place, message, help) = &complaints(&CLUSTER.replace("1.36.3", "1.30"))[0];
    assert_eq!(place, "spec::wrong-type 6:22 spec.kubernetesVersion");
    assert_eq!(message, "expected a version, found the number 1.30");
    assert!(help.ends_with("write \"1.30\""), "{help}");
}

#[test]
fn unknown_words_of_an_enumeration_are_corrected() {
    let (_, message, help) = only("  networking:\n    cni: flanel\n");
    assert_eq!(message, "unknown value `flanel`; expected one of `flannel`, `none`");
    assert_eq!(help, "did you mean `flannel`?");
    assert_eq!(only("  provider: locale\n").2, "did you mean `local`?");
    assert_eq!(only("  provider: gcp\n").0, "spec::unknown-value 7:13 spec.provider");
}

#[test]
fn numbers_stay_within_their_bounds() {
    assert_eq!(only("  api:\n    port: 70000\n").1, "70000 is out of range; expected 1 to 65535");
    assert_eq!(only("  api:\n    port: \"6443\"\n").2, "write 6443, without quotes");
    assert_eq!(
        only("  pki:\n    caValidityDays: 99999999999999999999\n").0,
        "spec::wrong-type 8:21 spec.pki.caValidityDays"
    );
}

#[test]
fn texts_have_formats() {
    let (place, message, help) = only("  networking:\n    podCIDRs: [10.244.1.0/16]\n");
    assert_eq!(place, "spec::invalid-value 8:16 spec.networking.podCIDRs[0]");
    assert_eq!(message, "`10.244.1.0/16` is not a CIDR: it has bits set beyond its prefix");
    assert_eq!(help, "write `10.244.0.0/16`");
    let (place, ..) = only("  containerd:\n    mirrors:\n      https://docker.io: [https://mirror]\n");
    assert_eq!(place, "spec::invalid-value 9:7 spec.containerd.mirrors[\"https://docker.io\"]");
    assert_eq!(
        only("  networking:\n    podCIDRs: []\n").1,
        "expected 1 to 2 a list of CIDRs, found 0".replace("a list of ", "")
    );
}

#[test]
fn a_missing_field_says_what_it_is() {
    let (place, message, help) = &complaints(
        "apiVersion: kubewright.io/v1alpha1\nkind: InstanceGroup\nmetadata: {name: a, cluster: demo}\nspec:\n  count: 1\n",
    )[0];
    assert_eq!(place, "spec::missing-field 4:1 spec.role");
    assert_eq!(message, "`role` is missing: one of `ControlPlane`, `Worker`");
    assert_eq!(help, "what they do");
}

#[test]
fn everything_wrong_is_reported_at_once_with_what_is_right_kept() {
    let text = format!("{CLUSTER}  cni: flannel\n  networking:\n    cni: x\n    dnsDomain: example.org\n  api: 3\n");
    let documents = parse_text(&text);
    assert_eq!(documents.diagnostics.len(), 3);
    let value = documents.documents[0].value.clone().unwrap();
    assert_eq!(
        value["spec"],
        serde_json::json!({"kubernetesVersion": "1.36.3", "networking": {"dnsDomain": "example.org"}})
    );
    assert!(documents.documents[0].is_faulty("spec.api.port"));
    assert!(documents.documents[0].is_faulty("spec.networking"));
    assert!(!documents.documents[0].is_faulty("spec.networking.dnsDomain"));
}

#[test]
fn unknown_kinds_and_versions_are_told_apart_from_foreign_ones() {
    let one = |text: &str| complaints(text).remove(0);
    let (place, _, help) = one("apiVersion: kubewright.io/v1alpha1\nkind: Clutser\n");
    assert_eq!((place.as_str(), help.as_str()), ("spec::unknown-kind 2:7 kind", "did you mean `Cluster`?"));
    let (place, _, help) = one(&CLUSTER.replace("v1alpha1", "v1"));
    assert_eq!(
        (place.as_str(), help.as_str()),
        ("spec::unknown-version 1:13 apiVersion", "write `kubewright.io/v1alpha1`")
    );
    let (place, _, help) = one("apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nspec: {}\n");
    assert_eq!(place, "spec::unknown-kind 2:7 kind");
    assert!(help.contains("only"), "{help}");
    assert_eq!(
        one("kind: Cluster\nmetadata: {name: a}\nspec: {kubernetesVersion: 1.36.3}\n").0,
        "spec::missing-field 1:1 apiVersion"
    );
    assert_eq!(one("a: 1\n").0, "spec::missing-field 1:1 kind");
    assert_eq!(one("- a\n").0, "spec::wrong-type 1:1 ");
}

#[test]
fn several_files_with_several_documents_are_one_set() {
    let group = "apiVersion: kubewright.io/v1alpha1\nkind: InstanceGroup\nmetadata: {name: cp, cluster: demo}\nspec: {role: ControlPlane}\n";
    let documents = parse(&[
        Source::new("a.yaml", format!("# only a comment\n---\n{CLUSTER}---\n{group}")),
        Source::new("b.yaml", format!("{}---\n", group.replace("cp", "workers").replace("ControlPlane", "Oops"))),
    ]);
    let ids: Vec<_> = documents.documents.iter().map(Document::id).collect();
    assert_eq!(ids, ["Cluster/demo", "InstanceGroup/cp", "InstanceGroup/workers"]);
    assert_eq!(documents.diagnostics[0].labels[0].file, "b.yaml");
}

#[test]
fn advice_is_what_would_be_right() {
    assert_eq!(only("  kubelet:\n    shutdownGracePeriod: 30\n").2, "write `30s` for seconds");
    assert_eq!(only("  addons:\n    localPath: true\n").2, "write `{enabled: true}`");
    assert!(only("  files:\n  - {path: /x, content: x, mode: 0644}\n").2.ends_with("write \"0644\""));
}

#[test]
fn what_may_be_a_secret_in_the_wrong_place_is_not_repeated() {
    let key = "  containerd:\n    extraCAs:\n      a.b: |\n        -----BEGIN PRIVATE KEY-----\n        hunter2\n";
    let (_, message, help) = only(key);
    assert!(!format!("{message}{help}").to_lowercase().contains("hunter2"), "{message} {help}");
}

#[test]
fn a_secret_in_an_unknown_field_is_not_repeated() {
    let (_, message, help) = only(
        "  containerd:\n    registryCredentials:\n      docker.io: {username: me, passwordFile: s, password: hunter2}\n",
    );
    assert!(!format!("{message}{help}").contains("hunter2"));
}
