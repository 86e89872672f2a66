//! Rule: additions to containerd's configuration are such as it starts with, and leave alone what the cluster rests on.

use toml::{Table, Value};

use crate::Cluster;
use crate::effective::Draft;
use crate::validate::Finding;

const FIELD: &str = "spec.containerd.additions";
/// Keys of containerd's configuration that hold secrets.
const SECRETS: [&str; 4] = ["password", "auth", "identitytoken", "Authorization"];
const IMAGES: &str = "io.containerd.cri.v1.images";
const RUNTIME: &str = "io.containerd.cri.v1.runtime";
/// The one plugin that version 3 parts into two.
const VERSION_2: &str = "io.containerd.grpc.v1.cri";
/// Settings that went from it.
const MOVED: [&str; 8] = [
    "cni",
    "containerd",
    "enable_selinux",
    "image_decryption",
    "max_container_log_line_size",
    "registry",
    "sandbox_image",
    "snapshotter",
];
/// Settings below `plugins` that are not the user's, and what to use instead.
const MANAGED: [(&[&str], &str); 5] = [
    (&[IMAGES, "registry", "mirrors"], "use `spec.containerd.mirrors`; containerd does not start with both"),
    (&[IMAGES, "registry", "configs"], "use `extraCAs` and `registryCredentials`; containerd does not start with both"),
    (&[IMAGES, "registry", "auths"], "use `spec.containerd.registryCredentials`"),
    (&[IMAGES, "registry", "config_path"], "remove it; registries are set by `mirrors` and `extraCAs`"),
    (
        &[RUNTIME, "containerd", "runtimes", "runc", "options", "SystemdCgroup"],
        "remove it; it must be kubelet's cgroup driver, which the machines' platform decides",
    ),
];

/// Whether a setting was the plugin's of version 2, and is another one's now.
pub(in super::super) fn has_moved(plugin: &str, setting: &str) -> bool {
    plugin == VERSION_2 && MOVED.contains(&setting)
}

pub(super) fn check(cluster: &Draft<Cluster>) -> Vec<Finding> {
    let Some(text) = cluster.value.spec.containerd.additions.as_deref() else { return Vec::new() };
    // An editor's mark is not written to machines.
    let text = text.trim_start_matches('\u{feff}');
    let said =
        |(message, help): (String, String)| Finding::error("spec::containerd", message).at(cluster, FIELD).help(help);
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => return vec![said(no_toml(text, &error))],
    };
    let of_version = |(message, help)| Finding { code: "spec::containerd-version", ..said((message, help)) };
    let mut findings: Vec<Finding> = version(&table).into_iter().map(of_version).collect();
    let wrong = plugins(&table).into_iter().chain(top_level(&table)).chain(super::values::check(&table));
    findings.extend(wrong.map(said));
    if within(&table, &["plugins", IMAGES, "pinned_images", "sandbox"]) {
        let message = "`pinned_images.sandbox` in `additions` stands for the pause image that kubewright brings";
        let help = "remove it, or see to it that every machine can pull this image: no pod starts without it";
        findings.push(Finding::warning("spec::containerd", message).at(cluster, FIELD).help(help));
    }
    if holds_secret(&Value::Table(table)) {
        let message = "`additions` contains a password, and documents are kept as written";
        let help = "use `spec.containerd.registryCredentials`";
        findings.push(Finding::error("spec::credentials", message).at(cluster, FIELD).help(help));
    }
    findings
}

fn no_toml(text: &str, error: &toml::de::Error) -> (String, String) {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let written = text.lines().nth(line - 1).unwrap_or_default().trim();
    let message = format!("`additions` is no TOML: {}", error.message().trim().replace('\n', ", "));
    // A password is not for the screen, wherever it stands.
    let is_secret = SECRETS.iter().any(|key| written.contains(key));
    (
        message,
        if is_secret { format!("look at its line {line}") } else { format!("look at its line {line}: `{written}`") },
    )
}

fn version(table: &Table) -> Option<(String, String)> {
    let version = table.get("version").filter(|version| version.as_integer() != Some(3))?;
    let message = format!("`additions` is of version {version}, and containerd's configuration here is of version 3");
    Some((message, "write `version = 3`, or leave it out".to_owned()))
}

fn plugins(table: &Table) -> Vec<(String, String)> {
    let plugins = match table.get("plugins") {
        Some(Value::Table(plugins)) => plugins,
        Some(_) => return vec![("`plugins` is no table".to_owned(), "write `[plugins.\"NAME\"]`".to_owned())],
        None => return Vec::new(),
    };
    let mut wrong = Vec::new();
    for (name, value) in plugins.iter().filter(|(_, value)| !value.is_table()) {
        let message = format!("the plugin `{name}` is set to {}, and plugins are tables", value.type_str());
        wrong.push((message, format!("write `[plugins.\"{name}\"]`")));
    }
    for (path, help) in MANAGED {
        if within(plugins, path) {
            let message = format!("`{}` in `additions` is set by kubewright", path.join("."));
            wrong.push((message, help.to_owned()));
        }
    }
    if let Some(moved) = MOVED.iter().find(|moved| within(plugins, &[VERSION_2, moved])) {
        let message = format!("containerd 2 no longer reads `{moved}` of `{VERSION_2}`");
        wrong.push((message, format!("write it below `{RUNTIME}` or `{IMAGES}`, as version 3 has it")));
    }
    wrong
}

fn top_level(table: &Table) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    for (path, why) in [
        (["grpc", "address"].as_slice(), "kubelet asks containerd at its usual socket"),
        (["root"].as_slice(), "images are laid down where containerd's usual root is"),
        (["state"].as_slice(), "containers are cleared away where containerd's usual state is"),
    ] {
        if within(table, path) {
            wrong
                .push((format!("`{}` in `additions` is not to choose: {why}", path.join(".")), "remove it".to_owned()));
        }
    }
    let off = table.get("disabled_plugins").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in off {
        if !name.contains('.') {
            let message =
                format!("containerd does not start: `{name}` in `disabled_plugins` is no full name of a plugin");
            wrong.push((message, "such as `io.containerd.snapshotter.v1.zfs`".to_owned()));
        } else if [IMAGES, RUNTIME, VERSION_2].contains(&name) {
            wrong.push((format!("without the plugin `{name}` kubelet has no runtime"), "remove it".to_owned()));
        }
    }
    wrong
}

/// Something is written at a path.
fn within(table: &Table, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match (table.get(*first), rest) {
        (Some(_), []) => true,
        (Some(Value::Table(inner)), rest) => within(inner, rest),
        _ => false,
    }
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Table(table) => table
            .iter()
            .any(|(key, value)| (SECRETS.contains(&key.as_str()) && !value.is_table()) || holds_secret(value)),
        Value::Array(list) => list.iter().any(holds_secret),
        _ => false,
    }
}
