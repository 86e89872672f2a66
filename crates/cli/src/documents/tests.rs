//! Tests: documents are judged alike by the dry run, the preview and `replace -f`, for all three come through here.

use super::*;

const HEAD: &str = "apiVersion: kubewright.io/v1alpha1\nkind:";

fn texts(cluster: &str, worker: &str) -> Vec<SourceText> {
    let group = |name: &str, spec: &str| {
        format!("---\n{HEAD} InstanceGroup\nmetadata: {{name: {name}, cluster: demo}}\nspec: {{{spec}}}\n")
    };
    let text = format!(
        "{HEAD} Cluster\nmetadata: {{name: demo}}\nspec:\n  kubernetesVersion: 1.36.3\n  {cluster}\n{}{}",
        group("control-plane", "role: ControlPlane, count: 1"),
        group("worker", &format!("role: Worker, count: 2{worker}"))
    );
    vec![SourceText { name: "demo.yaml".to_owned(), text }]
}

/// Whether documents are taken, and what is said of them, each with its line.
fn judge(texts: &[SourceText]) -> (bool, Vec<String>) {
    let (effective, diagnostics) = judged(texts, &HostContext::default()).unwrap();
    let line = |diagnostic: &Diagnostic| {
        assert!(diagnostic.help.is_some(), "no word of what to write: {diagnostic:?}");
        format!("{}:{} {}", diagnostic.labels[0].file, diagnostic.labels[0].line, diagnostic.field)
    };
    (effective.is_some(), diagnostics.iter().map(line).collect())
}

#[test]
fn what_a_component_would_refuse_is_refused_with_file_line_and_field() {
    for (cluster, worker, place) in [
        (
            "kubelet: {config: {evictionSoft: {memory.available: 800Mi}}}",
            "",
            "6 spec.kubelet.config.evictionSoft[\"memory.available\"]",
        ),
        ("", ", machine: {cpus: 2}, kubelet: {kubeReserved: {cpu: 3000m}}", "16 spec.machine.cpus"),
        (
            "audit: {policy: custom, rules: [{level: Metadata, resources: [{group: ''}], nonResourceURLs: [/x]}]}",
            "",
            "6 spec.audit.rules[0].nonResourceURLs",
        ),
        ("containerd: {additions: '[a'}", "", "6 spec.containerd.additions"),
        ("containerd: {extraCAs: {r.example.org: prose}}", "", "6 spec.containerd.extraCAs[\"r.example.org\"]"),
        ("api: {endpoint: '2001:db8::10'}", "", "6 spec.api.endpoint"),
        ("api: {endpoint: localhost}", "", "6 spec.api.endpoint"),
        ("api: {port: 22}", "", "6 spec.api.port"),
        ("kubeAPIServer: {serviceNodePortRange: 1-2000}", "", "6 spec.kubeAPIServer.serviceNodePortRange"),
        ("kubeAPIServer: {extraArgs: {oidc-ca-file: /srv/ca.pem}}", "", "6 spec.kubeAPIServer.extraArgs.oidc-ca-file"),
        ("files: [{path: /usr/local/bin/kubelet, content: x}]", "", "6 spec.files[0].path"),
        ("files: [{path: //etc/kubernetes/, content: x}]", "", "6 spec.files[0].path"),
        ("files: [{path: /etc/a, content: '{{instance}}'}]", "", "6 spec.files[0].content"),
        ("", ", files: [{path: /etc/a, content: '{{instance}}'}]", "16 spec.files[0].content"),
    ] {
        let found = judge(&texts(cluster, worker));
        assert_eq!(found, (false, vec![format!("demo.yaml:{place}")]), "{cluster}{worker}");
    }
}

#[test]
fn what_would_be_in_vain_is_said_and_taken() {
    for (cluster, worker, place) in [
        ("", ", kubelet: {config: {maxPods: 500}}", "16 spec.kubelet.config.maxPods"),
        ("networking: {upstreamResolvers: ['2001:db8::53']}", "", "6 spec.networking.upstreamResolvers[0]"),
        (
            "containerd: {mirrors: {docker.io: [https://m.example]}, registryCredentials: {m.example: {username: a, passwordFile: b}}}",
            "",
            "6 spec.containerd.registryCredentials[\"m.example\"]",
        ),
    ] {
        assert_eq!(judge(&texts(cluster, worker)), (true, vec![format!("demo.yaml:{place}")]), "{cluster}{worker}");
    }
    let file = "files: [{path: /etc/egress/a.yaml, content: x}]\n  kubeAPIServer: {extraArgs: {egress-selector-config-file: /etc/egress/a.yaml}}";
    assert_eq!(judge(&texts(file, "")), (true, Vec::new()));
}

#[test]
fn files_in_other_encodings_are_refused_as_documents_and_marks_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let text = texts("", "").remove(0).text;
    let utf16 = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("le", utf16(u16::to_le_bytes)),
        ("le-bom", [&[0xff, 0xfe][..], &utf16(u16::to_le_bytes)].concat()),
        ("be", utf16(u16::to_be_bytes)),
        ("be-bom", [&[0xfe, 0xff][..], &utf16(u16::to_be_bytes)].concat()),
        ("latin", b"# gr\xfc\xdfe\n".to_vec()),
    ] {
        fs::write(path(name), bytes).unwrap();
        let error = read(&[path(name)], false).unwrap_err();
        assert_eq!(error.exit, Exit::InvalidSpec, "{name}");
    }
    let marked = text.replace("apiVersion", "\u{feff}apiVersion");
    fs::write(path("marked"), marked).unwrap();
    assert_eq!(judge(&read(&[path("marked")], false).unwrap()), (true, Vec::new()));
}

fn numbered(texts: &[&str]) -> Vec<SourceText> {
    let text = |(number, text): (usize, &&str)| SourceText { name: number.to_string(), text: (*text).to_owned() };
    texts.iter().enumerate().map(text).collect()
}

#[test]
fn texts_are_joined_so_that_the_same_documents_are_read_back() {
    assert_eq!(joined(&numbered(&["a: 1", "b: 2\n"])), "a: 1\n---\nb: 2\n");
    assert_eq!(joined(&numbered(&["a: 1\n", "---\nb: 2"])), "a: 1\n---\nb: 2\n");
    assert_eq!(joined(&numbered(&["a: 1\n", "\u{feff}b: 2\n"])), "a: 1\n---\nb: 2\n");
    assert_eq!(joined(&numbered(&["", "b: 2\n"])), "b: 2\n");
    assert_eq!(joined(&numbered(&["a: 1\n"])), "a: 1\n");
    assert_eq!(joined(&[]), "");
}

#[test]
fn a_directory_stands_for_its_documents_in_order_and_for_those_below_it_where_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("b")).unwrap();
    for name in ["c.yml", "a.yaml", "b/d.yaml", "b.json", "notes.md"] {
        std::fs::write(directory.path().join(name), "x: 1\n").unwrap();
    }
    std::os::unix::fs::symlink("..", directory.path().join("b/up")).unwrap();
    let names = |recursive: bool| -> Vec<String> {
        let texts = read(&[directory.path().display().to_string()], recursive).unwrap();
        let below = |text: &SourceText| text.name.split('/').next_back().unwrap_or_default().to_owned();
        texts.iter().map(below).collect()
    };
    assert_eq!(names(false), ["a.yaml", "b.json", "c.yml"]);
    assert_eq!(names(true), ["a.yaml", "d.yaml", "b.json", "c.yml"]);
}

#[test]
fn rules_that_came_after_stored_documents_warn_and_refuse_nothing() {
    for (cluster, worker) in [
        ("kubelet: {config: {evictionSoft: {memory.available: 800Mi}}}", ""),
        ("kubeAPIServer: {extraArgs: {no-such-flag: x}}", ""),
        ("files: [{path: /etc/kubernetes/x, content: x}]", ""),
        ("", ", files: [{path: /etc/a, content: '{{instance}}'}]"),
    ] {
        let texts = texts(cluster, worker);
        assert!(!judge(&texts).0, "a new one is refused: {cluster}{worker}");
        let (effective, said) = reviewed(spec::load_stored(&sources(&texts)), spec::as_warning).unwrap();
        assert!(effective.is_some() && said.iter().any(|said| said.severity == Severity::Warning), "{said:?}");
    }
    let unreadable = texts("nodePort: 1", "");
    assert!(reviewed(spec::load_stored(&sources(&unreadable)), spec::as_warning).unwrap().0.is_none());
}

#[test]
fn a_list_of_documents_as_json_prints_it_is_read_back() {
    let written = texts("", "");
    let documents = values(&joined(&written)).unwrap();
    for list in [serde_json::to_string(&documents).unwrap(), serde_json::to_string_pretty(&documents).unwrap()] {
        let read = text("demo.json", list.into_bytes()).unwrap();
        assert_eq!(values(&read.text).unwrap(), documents);
        assert_eq!(judge(&[read]), (true, vec![]));
    }
}

#[test]
fn a_fault_in_a_list_is_told_with_its_line() {
    let list = serde_json::to_string_pretty(&values(&joined(&texts("", ", taints: [{}]"))).unwrap()).unwrap();
    let line = 1 + list.lines().position(|line| line.contains("taints")).unwrap();
    let (_, said) = judge(&[text("demo.json", list.into_bytes()).unwrap()]);
    assert!(said.iter().all(|said| said.starts_with(&format!("demo.json:{}", line + 1))), "{said:?}");
    assert!(!said.is_empty());
}
