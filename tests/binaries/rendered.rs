//! What the model makes of the examples and of changes to them: command lines and configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assets::AssetCache;
use catalog::Release;
use model::Facts;
use provider_local::{LocalFacts, LocalProvider};
use serde_json::Value;
use spec::{Effective, HostContext, ProxyMode, Source};

/// Programs whose command lines are checked.
pub(crate) const PROGRAMS: [&str; 9] = [
    "coredns",
    "etcd",
    "flanneld",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
    "metrics-server",
];

/// The address of the machine that everything is rendered for.
pub(crate) const NODE_IP: &str = "10.88.7.11";

/// An example and how kube-proxy works in it.
pub(crate) struct Shape {
    example: &'static str,
    mode: ProxyMode,
}

/// The default, several control planes behind a node-local balancer, everything that can be set; each with both modes.
pub(crate) fn shapes() -> Vec<Shape> {
    let both = |example| [ProxyMode::Nftables, ProxyMode::Iptables].map(|mode| Shape { example, mode });
    ["local.yaml", "local-ha.yaml", "local-full.yaml"].into_iter().flat_map(both).collect()
}

/// Everything that is rendered for one shape and minor.
pub(crate) struct Rendered {
    /// For messages.
    pub(crate) name: String,
    /// The first machine, whose facts fill the holes.
    machine: String,
    inputs: Vec<Value>,
}

/// An example's text with the version of `release` in it.
pub(crate) fn example(name: &str, release: &Release) -> String {
    let text = std::fs::read_to_string(examples().join(name)).unwrap();
    let newest = catalog::DEFAULT_VERSION;
    assert!(text.contains(newest), "{name} names another version");
    text.replace(newest, release.kubernetes)
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

impl Rendered {
    /// Renders `shape` for `release`.
    pub(crate) fn new(shape: &Shape, release: &Release) -> Self {
        let text = example(shape.example, release);
        let loaded = spec::load(&[Source::new(shape.example, &text)], &HostContext::default());
        let mut effective = loaded.effective.unwrap_or_else(|| panic!("{}: {:?}", shape.example, loaded.diagnostics));
        effective.cluster.spec.networking.kube_proxy.mode = shape.mode;
        effective.cluster.spec.addons.metrics_server.enabled = true;
        let name = format!("{} with {:?}", shape.example, shape.mode);
        Self::of(name, effective)
    }

    /// Renders documents.
    pub(crate) fn of(name: String, effective: Effective) -> Self {
        let machine = effective.groups.iter().flat_map(model::resolved::machine_names).next();
        Self { name, machine: machine.expect("a machine"), inputs: inputs(effective) }
    }

    /// Files of all machines, by path; equal ones once.
    pub(crate) fn files(&self) -> BTreeSet<(String, String)> {
        let mut files = BTreeSet::new();
        for part in self.inputs.iter().flat_map(|inputs| [&inputs["config"]["group"], &inputs["config"]["machine"]]) {
            for (path, file) in part["files"].as_object().into_iter().flatten() {
                if let Some(text) = file["content"]["text"].as_str() {
                    files.insert((path.clone(), filled(text, &self.machine)));
                }
            }
        }
        files
    }

    fn pods(&self) -> Vec<Value> {
        let files = self.files();
        let manifests = files.iter().filter(|(path, _)| path.starts_with("/etc/kubernetes/manifests/"));
        let pods = manifests.map(|(_, text)| serde_yaml::from_str::<Value>(text).unwrap()["spec"].clone());
        pods.chain(self.inputs.iter().map(|inputs| inputs["manifest"]["spec"]["template"]["spec"].clone())).collect()
    }

    /// Programs and their arguments.
    pub(crate) fn command_lines(&self) -> BTreeSet<(&'static str, Vec<String>)> {
        let mut lines = BTreeSet::new();
        for container in self.pods().iter().flat_map(|pod| pod["containers"].as_array().cloned().unwrap_or_default()) {
            let words = |field: &str| -> Vec<String> {
                let list = container[field].as_array().cloned().unwrap_or_default();
                list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
            };
            let (command, arguments) = (words("command"), words("args"));
            // Where an image's entry point is the program, the container has its name.
            let first = command.first().map_or_else(|| container["name"].as_str().unwrap(), String::as_str);
            let name = first.rsplit('/').next().unwrap_or(first);
            if let Some(program) = PROGRAMS.into_iter().find(|program| *program == name) {
                let rest = command.iter().skip(1).chain(&arguments);
                lines.insert((program, rest.cloned().collect()));
            }
        }
        for (path, text) in self.files() {
            if path.ends_with("/kubeadm-flags.env") {
                let (_, flags) = text.trim().split_once('=').unwrap();
                lines.insert(("kubelet", flags.trim_matches('"').split_whitespace().map(str::to_owned).collect()));
            }
        }
        lines
    }

    /// Programs and their configurations.
    pub(crate) fn configurations(&self) -> BTreeSet<(&'static str, String)> {
        let mut texts = BTreeSet::new();
        for (path, text) in self.files() {
            match path.as_str() {
                "/var/lib/kubelet/config.yaml" => texts.insert(("kubelet", text)),
                "/etc/containerd/config.toml" => texts.insert(("containerd", text)),
                "/etc/haproxy/haproxy.cfg" => texts.insert(("haproxy", text)),
                _ => continue,
            };
        }
        let corefile = self.inputs.iter().find_map(|inputs| inputs["manifest"]["data"]["Corefile"].as_str());
        texts.insert(("coredns", corefile.expect("CoreDNS has a configuration").to_owned()));
        let proxy = self.inputs.iter().find_map(|inputs| inputs["manifest"]["data"]["config.conf"].as_str());
        texts.insert(("kube-proxy", proxy.expect("kube-proxy has a configuration").to_owned()));
        assert!(texts.len() >= 4, "{}: a configuration is missing", self.name);
        texts
    }
}

/// A text as it is on a machine, its holes filled.
fn filled(text: &str, machine: &str) -> String {
    let facts = [
        ("{{nodeName}}", machine),
        ("{{nodeIP}}", NODE_IP),
        ("{{nodeIPs}}", NODE_IP),
        ("{{arch}}", "amd64"),
        ("{{resolvConf}}", "/etc/resolv.conf"),
        ("{{cgroupDriver}}", "cgroupfs"),
    ];
    facts.into_iter().fold(text.to_owned(), |text, (hole, fact)| text.replace(hole, fact))
}

/// The inputs of all resources, on facts that are always the same.
fn inputs(effective: Effective) -> Vec<Value> {
    let names: Vec<String> = effective.groups.iter().flat_map(model::resolved::machine_names).collect();
    let local = LocalFacts::new("kw-test".to_owned(), "10.88.7.0/24".parse().unwrap());
    let local = LocalFacts { resolvers: vec![Ipv4Addr::new(192, 0, 2, 53).into()], ..local };
    let local = local.with_machines(names.iter().map(String::as_str)).unwrap();
    let template = |own: &spec::TemplateOverride| {
        (own.sha256.clone(), std::fs::read_to_string(examples().join(&own.path)).unwrap())
    };
    let facts = Facts {
        provider: local.facts(),
        programs: BTreeMap::from(["kubewright-agent", "pause"].map(|name| (name.to_owned(), "0".repeat(64)))),
        edition: catalog::Edition::NEWEST,
        templates: effective.cluster.spec.templates.iter().map(template).collect(),
    };
    // Rendering looks at no host and no asset.
    let provider = LocalProvider::new(PathBuf::from("/nowhere"), Arc::new(AssetCache::open("/nowhere")));
    let resolved = provider::resolve(&provider, "lineage", effective, facts).unwrap();
    provider::build(&provider, &resolved).unwrap().into_values().map(|desired| desired.inputs).collect()
}
