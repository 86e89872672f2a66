//! The config that all machines of a group share.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Edition, Image, names};
use machine::config::{Directory, GroupConfig, Start, Unit};
use render::containerd::{self, Containerd, ContainerdUnit, Registry};
use render::kubelet::{self as kubelet_render, KubeletFlags, KubeletUnit};
use render::{Gates, crictl, haproxy};
use serde_json::Value;
use spec::{InstanceGroup, LoadBalancer, Role};

use super::{PROGRAMS, control_plane, files, journal, kubelet, proxy, user};
use crate::builder::{encode, rendering};
use crate::ids::{self, output};
use crate::{CgroupDriver, ModelError, Resolved};

pub(super) const KUBELET_SERVICE: &str = "kubelet.service";
const CONTAINERD_SERVICE: &str = "containerd.service";
/// Read by kubelet when it pulls an image.
const REGISTRY_LOGINS: &str = "/var/lib/kubelet/config.json";
const BOOTSTRAP_KUBELET_CONF: &str = "/etc/kubernetes/bootstrap-kubelet.conf";

type Files = BTreeMap<String, machine::File>;

/// The config of a group, as JSON, because some of its files stand as references.
pub(super) fn config(resolved: &Resolved, group: &InstanceGroup) -> Result<Value, ModelError> {
    let mut config = GroupConfig {
        sysctls: sysctls(resolved, group),
        directories: directories(group.spec.role),
        units: units(resolved, group.spec.role),
        ..GroupConfig::default()
    };
    programs(resolved, group.spec.role, &mut config.files)?;
    runtime(resolved, &mut config.files)?;
    kubelet_files(resolved, group, &mut config.files)?;
    if resolved.cluster.spec.api.load_balancer == LoadBalancer::NodeLocal {
        load_balancer(resolved, &mut config.files)?;
    }
    if group.spec.role == Role::ControlPlane {
        control_plane::group_files(resolved, &mut config)?;
    }
    if resolved.facts.edition >= Edition::V2 {
        journal::add(&mut config.files, &mut config.units);
    }
    user::add(resolved, group, &mut config.files, &mut config.units);
    let mut config = encode("a group's config", &config)?;
    let authority = output(ids::authority("kubernetes"), "certificate");
    config["files"]["/etc/kubernetes/pki/ca.crt"] = files::referring(&authority, "0644");
    if !resolved.cluster.spec.containerd.registry_credentials.is_empty() {
        let logins = output(ids::registry_logins(resolved.name()), "config");
        config["files"][REGISTRY_LOGINS] = files::referring(&logins, "0600");
    }
    if group.spec.role == Role::ControlPlane {
        control_plane::shared_keys(resolved, &mut config["files"]);
    }
    Ok(config)
}

/// What kubeadm's preflight asks for. Modules of a shared kernel are its host's business.
fn sysctls(resolved: &Resolved, group: &InstanceGroup) -> BTreeMap<String, String> {
    let ours = [
        ("net.ipv4.ip_forward", "1"),
        ("net.bridge.bridge-nf-call-iptables", "1"),
        ("net.bridge.bridge-nf-call-ip6tables", "1"),
    ];
    let mut all: BTreeMap<String, String> =
        ours.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    all.extend(resolved.cluster.spec.sysctls.clone());
    all.extend(group.spec.sysctls.clone());
    all
}

fn directories(role: Role) -> BTreeMap<String, Directory> {
    let mut directories = vec![
        ("/etc/kubernetes", "0755"),
        ("/etc/kubernetes/manifests", "0755"),
        ("/etc/kubernetes/pki", "0755"),
        ("/etc/cni/net.d", "0755"),
        ("/var/lib/kubelet", "0755"),
        ("/var/lib/kubelet/pki", "0755"),
    ];
    if role == Role::ControlPlane {
        directories.extend([("/etc/kubernetes/pki/etcd", "0755"), ("/var/lib/etcd", "0700")]);
    }
    directories.into_iter().map(|(path, mode)| (path.to_owned(), Directory { mode: mode.to_owned() })).collect()
}

/// A worker's kubelet starts when it has something to introduce itself with: not before its first token.
fn units(resolved: &Resolved, role: Role) -> BTreeMap<String, Unit> {
    let start = match role {
        Role::ControlPlane => Start::Always,
        Role::Worker => {
            Start::OnceAnyExists(vec![BOOTSTRAP_KUBELET_CONF.to_owned(), kubelet::CLIENT_CERTIFICATE.to_owned()])
        }
    };
    let always = Unit { enabled: true, start: Start::Always, after: Vec::new(), reloads: false };
    let mut units = BTreeMap::from([
        (CONTAINERD_SERVICE.to_owned(), always.clone()),
        (
            KUBELET_SERVICE.to_owned(),
            Unit { enabled: true, start, after: vec![CONTAINERD_SERVICE.to_owned()], reloads: false },
        ),
    ]);
    if resolved.cluster.spec.api.load_balancer == LoadBalancer::NodeLocal {
        // Connections through it outlive a changed list of API servers.
        units.insert(haproxy::UNIT.to_owned(), Unit { reloads: true, ..always });
    }
    units
}

fn programs(resolved: &Resolved, role: Role, files: &mut Files) -> Result<(), ModelError> {
    for (asset, path) in super::programs(role) {
        if asset != names::CNI_PLUGINS {
            files.insert(path, files::provided(resolved.asset(&asset)?));
        }
    }
    Ok(())
}

fn runtime(resolved: &Resolved, files: &mut Files) -> Result<(), ModelError> {
    let (spec, platform) = (&resolved.cluster.spec.containerd, &resolved.platform);
    let config = Containerd {
        restrict_oom_score_adj: !platform.own_kernel,
        systemd_cgroup: platform.cgroup_driver == CgroupDriver::Systemd,
        ..Containerd::new(resolved.image(Image::Pause))
    };
    let config = rendering("containerd's configuration", containerd::config(&config))?;
    files.insert("/etc/containerd/config.toml".to_owned(), files::restarting(config, CONTAINERD_SERVICE));
    let mut unit = ContainerdUnit::default();
    // Nobody lowers scores in a kernel that is not his own.
    unit.oom_score_adjust = unit.oom_score_adjust.filter(|_| platform.own_kernel);
    let unit = rendering("containerd's unit", containerd::unit(&unit, &resolved.templates))?;
    files.insert(format!("/etc/systemd/system/{CONTAINERD_SERVICE}"), files::restarting(unit, CONTAINERD_SERVICE));
    if resolved.facts.edition >= Edition::V2 {
        files.insert("/etc/crictl.yaml".to_owned(), files::text(rendering("crictl.yaml", crictl::config())?, "0644"));
    }
    if let Some(text) = proxy::drop_in(resolved) {
        let path = format!("/etc/systemd/system/{CONTAINERD_SERVICE}.d/kubewright-proxy.conf");
        files.insert(path, files::restarting(text, CONTAINERD_SERVICE));
    }
    if let Some(additions) = &spec.additions {
        // containerd lays imported files over its own configuration, and takes one without a version for one of version 1.
        let path = "/etc/containerd/conf.d/additions.toml".to_owned();
        files.insert(path, files::restarting(versioned(additions), CONTAINERD_SERVICE));
    }
    for name in spec.mirrors.keys().chain(spec.extra_cas.keys()).collect::<BTreeSet<_>>() {
        registry(spec, name, files)?;
    }
    Ok(())
}

/// Additions are of version 3, also where they don't say so.
fn versioned(additions: &str) -> String {
    // An editor's mark, with which containerd does not start.
    let additions = additions.trim_start_matches('\u{feff}');
    let has_version =
        |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim().trim_matches(['"', '\'']) == "version");
    // Keys of the root stand before the first table.
    let is_there = additions.lines().take_while(|line| !line.trim_start().starts_with('[')).any(has_version);
    if is_there { additions.to_owned() } else { format!("version = 3\n{additions}") }
}

/// Where images of a registry come from, and whom to trust there.
fn registry(spec: &spec::Containerd, name: &str, files: &mut Files) -> Result<(), ModelError> {
    let ca_path = |name: &str| format!("{}/ca.crt", containerd::registry_directory(name));
    let ca_file = spec.extra_cas.get(name).map(|text| {
        files.insert(ca_path(name), files::text(text.clone(), "0644"));
        ca_path(name)
    });
    let mirror = |url: &String| {
        let (host, path) = parts(url);
        containerd::Mirror {
            url: url.clone(),
            override_path: is_below_api(path),
            // A mirror that has an authority of its own is not trusted by that of the registry.
            ca_file: spec.extra_cas.contains_key(host).then(|| ca_path(host)).or_else(|| ca_file.clone()),
            skip_verify: false,
        }
    };
    let mirrors = spec.mirrors.get(name).into_iter().flatten().map(mirror).collect();
    let registry = Registry { name: name.to_owned(), ca_file: ca_file.clone(), mirrors };
    let hosts = rendering("a registry's hosts.toml", containerd::hosts(&registry))?;
    files.insert(containerd::hosts_path(name), files::text(hosts, "0644"));
    Ok(())
}

/// Host with port, and path of a URL.
fn parts(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').unwrap_or((rest, ""))
}

/// The path goes on after the API's root, `v2`, where containerd would look for one more.
fn is_below_api(path: &str) -> bool {
    let mut names = path.split('/').filter(|name| !name.is_empty()).skip_while(|name| *name != "v2");
    names.next().is_some() && names.next().is_some()
}

fn kubelet_files(resolved: &Resolved, group: &InstanceGroup, files: &mut Files) -> Result<(), ModelError> {
    let configuration = kubelet::configuration(resolved, Some(group));
    let text = rendering("kubelet's configuration", kubelet_render::config(&configuration))?;
    files.insert("/var/lib/kubelet/config.yaml".to_owned(), files::restarting(text, KUBELET_SERVICE));
    let instance = rendering("instance-config.yaml", kubelet_render::instance_config())?;
    files.insert(kubelet_render::INSTANCE_CONFIG_PATH.to_owned(), files::restarting(instance, KUBELET_SERVICE));
    let flags = KubeletFlags::new(Gates::of_minor(resolved.release.minor), resolved.image(Image::Pause));
    let flags = kubelet_render::flags_env(&flags);
    files.insert("/var/lib/kubelet/kubeadm-flags.env".to_owned(), files::restarting(flags, KUBELET_SERVICE));
    let unit = KubeletUnit { program: format!("{PROGRAMS}/kubelet"), ..KubeletUnit::default() };
    let templates = &resolved.templates;
    let service = rendering("kubelet's unit", kubelet_render::unit(&unit, templates))?;
    files.insert(format!("/etc/systemd/system/{KUBELET_SERVICE}"), files::restarting(service, KUBELET_SERVICE));
    let drop_in = rendering("kubelet's drop-in", kubelet_render::drop_in(&unit, templates))?;
    let path = format!("/etc/systemd/system/{KUBELET_SERVICE}.d/10-kubeadm.conf");
    files.insert(path, files::restarting(drop_in, KUBELET_SERVICE));
    Ok(())
}

/// haproxy before all API servers. The only place where a worker's config names control planes.
fn load_balancer(resolved: &Resolved, files: &mut Files) -> Result<(), ModelError> {
    let backends = resolved
        .control_planes()
        .map(|machine| haproxy::Backend {
            name: machine.name.clone(),
            address: resolved.address(machine).to_string(),
            port: resolved.api_port(),
        })
        .collect();
    let input = haproxy::Haproxy::new(resolved.cluster.spec.api.load_balancer_port, backends);
    let text = rendering("haproxy.cfg", haproxy::config(&input, &resolved.templates))?;
    files.insert("/etc/haproxy/haproxy.cfg".to_owned(), files::restarting(text, haproxy::UNIT));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_to_containerd_are_of_version_3() {
        assert_eq!(versioned("[debug]\nversion = 1\n"), "version = 3\n[debug]\nversion = 1\n");
        assert_eq!(versioned("# mine\nversion=3\n[debug]\n"), "# mine\nversion=3\n[debug]\n");
        assert_eq!(versioned("\"version\" = 3\n"), "\"version\" = 3\n");
        assert_eq!(versioned("versions = 3\n"), "version = 3\nversions = 3\n");
        assert_eq!(versioned("\u{feff}version = 3\n"), "version = 3\n");
        assert_eq!(versioned("\u{feff}[debug]\n"), "version = 3\n[debug]\n");
    }

    #[test]
    fn a_mirror_below_the_apis_root_is_asked_there_and_no_other() {
        for (url, below) in [
            ("https://harbor.example.org/v2/dockerhub-cache", true),
            ("https://harbor.example.org:8443/artifactory/v2/docker/remote/", true),
            ("https://mirror.example.org/v2", false),
            ("https://mirror.example.org/v2/", false),
            ("https://mirror.example.org/repository/docker", false),
            ("https://v2/v2x", false),
            ("https://mirror.example.org", false),
        ] {
            assert_eq!(is_below_api(parts(url).1), below, "{url}");
        }
    }
}
