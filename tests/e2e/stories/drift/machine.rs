//! What a machine's config manages, and its changes from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::{CLUSTER, MACHINE};
use crate::machines;
use crate::preview::Changes;
use crate::world::World;

const UPDATE: &str = "update machine-config/control-plane-1";
/// Static pods whose end would take the API along.
const MANIFESTS: &str = "/etc/kubernetes/manifests/";
const SCHEDULER: &str = "/etc/kubernetes/manifests/kube-scheduler.yaml";

/// Everything that a machine's config manages, by what can be done to it.
pub(super) struct Config {
    /// Files that are compared.
    files: BTreeSet<String>,
    /// Files that are only made where there are none.
    once: BTreeSet<String>,
    directories: Vec<String>,
    sysctls: Vec<String>,
    units: BTreeMap<String, Value>,
}

impl Config {
    /// Sorts the parts of a recorded config.
    pub(super) fn of(config: &Value) -> Self {
        let names = |section: &str| config["group"][section].as_object().into_iter().flatten();
        let mut known = Self {
            files: BTreeSet::new(),
            once: BTreeSet::new(),
            directories: vec![],
            sysctls: vec![],
            units: BTreeMap::new(),
        };
        for (path, file) in
            ["group", "machine"].iter().flat_map(|part| config[part]["files"].as_object().into_iter().flatten())
        {
            if file["createOnly"] == Value::Bool(true) {
                known.once.insert(path.clone());
            } else if file["content"].get("provided").is_none() {
                known.files.insert(path.clone());
            }
        }
        known.directories.extend(names("directories").map(|(path, _)| path.clone()));
        known.sysctls.extend(names("sysctls").map(|(name, _)| name.clone()));
        known.units.extend(names("units").map(|(name, unit)| (name.clone(), unit.clone())));
        assert!(known.files.len() > 30 && !known.once.is_empty(), "a control plane has files");
        assert!(!known.directories.is_empty() && !known.sysctls.is_empty() && !known.units.is_empty());
        known
    }
}

/// A certificate that is damaged.
const DAMAGED: &str = "/etc/kubernetes/pki/front-proxy-client";

/// Appends to every file, and damages a certificate. What is written once may become another one: kubelet rotates its
/// certificate. Other certificates and their keys are what they were with a remark beside them, and are left alone.
pub(super) fn change_contents(world: &mut World, config: &Config) -> Changes {
    let all = joined(config.files.iter().chain(&config.once));
    let script = format!("for file in {all}; do echo '# changed' >> $file; done\necho damaged > {DAMAGED}.crt");
    world.on_machine(CLUSTER, MACHINE, &script);
    let changed = config.files.iter().filter(|path| path.starts_with(DAMAGED) || !is_of_a_pair(path, config));
    Changes::from([(UPDATE.to_owned(), changed.map(|path| format!("files {path} content")).collect())])
}

/// Whether a file is a certificate, or its key, that `kubeadm certs renew` may renew: no authority's.
fn is_of_a_pair(path: &str, config: &Config) -> bool {
    let Some(stem) = path.strip_suffix(".crt").or_else(|| path.strip_suffix(".key")) else { return false };
    let both = [".crt", ".key"].iter().all(|suffix| config.files.contains(&format!("{stem}{suffix}")));
    both && !stem.ends_with("/ca") && !stem.ends_with("-ca")
}

/// Other modes of files and directories, other kernel settings, another name, and units that neither run nor start at boot.
pub(super) fn change_modes_and_states(world: &mut World, config: &Config) -> Changes {
    let started: Vec<&String> =
        config.units.iter().filter(|(_, unit)| unit["start"] == "always").map(|(name, _)| name).collect();
    assert!(started.len() > 1, "containerd and kubelet always run");
    let mut script = format!("chmod 0640 {}\nchmod 0711 {}\n", joined(&config.files), joined(&config.directories));
    for name in &config.sysctls {
        script.push_str(&format!("sysctl -qw {name}=0\n"));
    }
    script.push_str("hostname changed\n");
    script.push_str(&format!("systemctl disable -q {0}\nsystemctl stop {0}\n", joined(started.iter().copied())));
    world.on_machine(CLUSTER, MACHINE, &script);

    let mut fields: BTreeSet<String> = config.files.iter().map(|path| format!("files {path} mode")).collect();
    fields.extend(config.directories.iter().map(|path| format!("directories {path} mode")));
    fields.extend(config.sysctls.iter().map(|name| format!("sysctls {name}")));
    fields.extend(started.iter().flat_map(|name| [format!("units {name} enabled"), format!("units {name} start")]));
    fields.insert("nodeName".to_owned());
    Changes::from([(UPDATE.to_owned(), fields)])
}

/// Removes files, those too that are written once, and what sets kernel settings at boot.
pub(super) fn remove_files(world: &mut World, config: &Config) -> Changes {
    let removed: BTreeSet<&String> = config
        .files
        .iter()
        .chain(&config.once)
        .filter(|path| !path.starts_with(MANIFESTS) || *path == SCHEDULER)
        .collect();
    let script = format!("rm {} /etc/sysctl.d/*kubewright*\nsystemctl daemon-reload", joined(removed.iter().copied()));
    world.on_machine(CLUSTER, MACHINE, &script);

    let mut fields: BTreeSet<String> = removed.iter().map(|path| format!("files {path}")).collect();
    fields.extend(config.sysctls.iter().map(|name| format!("sysctls {name}")));
    let lost = |name: &&String| removed.contains(&format!("/etc/systemd/system/{name}"));
    fields.extend(config.units.keys().filter(lost).map(|name| format!("units {name}")));
    Changes::from([(UPDATE.to_owned(), fields)])
}

/// Changes who may log in to the machine, and takes away its way out.
pub(super) fn change_on_host(world: &mut World) -> Changes {
    world.on_machine(CLUSTER, MACHINE, "echo '# changed' >> /root/.ssh/authorized_keys");
    let table = machines::table(CLUSTER);
    let done = Command::new("nft").args(["delete", "table", "inet", &table]).status().expect("nft starts");
    assert!(done.success(), "nft ended with {done}");
    Changes::from([
        (format!("update machine/{CLUSTER}/{MACHINE}"), BTreeSet::from(["authorizedKey".to_owned()])),
        (format!("update network/{CLUSTER}"), BTreeSet::from(["subnet".to_owned()])),
    ])
}

fn joined<'a>(words: impl IntoIterator<Item = &'a String>) -> String {
    words.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
