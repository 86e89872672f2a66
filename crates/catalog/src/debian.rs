//! What is taken from the Debian archive: the root file system of local machines and layers below images.

use std::collections::BTreeMap;

use crate::asset::AssetSpec;
use crate::names;
use crate::recipe::{LayerRecipe, Recipe, RootfsRecipe};

/// The Debian release that everything comes from.
pub const SUITE: &str = "trixie";

/// Packages of a local machine beyond Debian's minimal base.
const MACHINE_PACKAGES: [&str; 20] = [
    "ca-certificates",
    "conntrack",
    "curl",
    "dbus",
    "ethtool",
    "haproxy",
    "iproute2",
    "iptables",
    "iputils-ping",
    "keepalived",
    "kmod",
    "libpam-systemd",
    "nftables",
    "openssh-server",
    "procps",
    "runc",
    "socat",
    "systemd",
    "systemd-sysv",
    "util-linux",
];

/// The root file system of local machines.
pub fn machine_rootfs() -> AssetSpec {
    let recipe = RootfsRecipe {
        suite: SUITE.into(),
        packages: MACHINE_PACKAGES.map(str::to_owned).into(),
        masked_units: Vec::new(),
        revision: 1,
    };
    AssetSpec::new(names::ROOTFS, Recipe::Rootfs(recipe))
}

/// The layer below kube-proxy and flannel: what programs packet filters.
pub(crate) fn network_layer(architecture: &str) -> AssetSpec {
    let mut symlinks = merged_usr();
    for program in ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"]
    {
        // update-alternatives makes these when iptables is installed by dpkg.
        symlinks.insert(format!("usr/sbin/{program}"), "xtables-nft-multi".into());
    }
    // flannel's container waits for a file and copies another: a shell and two tools.
    for applet in ["cp", "mv", "sh", "sleep"] {
        symlinks.insert(format!("usr/bin/{applet}"), "busybox".into());
    }
    let packages = ["busybox-static", "conntrack", "ipset", "iproute2", "iptables", "kmod", "nftables"];
    layer("layer-network", architecture, &packages, symlinks)
}

/// The layer below images that need a shell.
pub(crate) fn busybox_layer(architecture: &str) -> AssetSpec {
    let mut symlinks = merged_usr();
    for applet in BUSYBOX_APPLETS {
        symlinks.insert(format!("usr/bin/{applet}"), "busybox".into());
    }
    layer("layer-busybox", architecture, &["busybox-static"], symlinks)
}

/// The applets that helper pods and people in `kubectl exec` use.
const BUSYBOX_APPLETS: [&str; 40] = [
    "awk", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "dd", "df", "dirname", "du", "echo", "env",
    "expr", "find", "grep", "head", "hostname", "id", "ip", "ln", "ls", "mkdir", "mv", "nc", "nslookup", "ping", "ps",
    "rm", "sed", "sh", "sleep", "sort", "stat", "tail", "tar", "touch", "vi", "wget",
];

/// The links that Debian's base-files makes, which no layer contains.
fn merged_usr() -> BTreeMap<String, String> {
    ["bin", "lib", "lib64", "sbin"].into_iter().map(|name| (name.to_owned(), format!("usr/{name}"))).collect()
}

/// Documents, the build machine's own settings (its mirror's address, its host name), and what containers get anyway.
const EXCLUDED: [&str; 17] = [
    "dev",
    "etc/apt",
    "etc/dpkg",
    "etc/fstab",
    "etc/hostname",
    "etc/resolv.conf",
    "usr/share/bash-completion",
    "usr/share/doc",
    "usr/share/doc-base",
    "usr/share/info",
    "usr/share/initramfs-tools",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "var/cache",
    "var/lib/apt",
    "var/log",
];

fn layer(name: &str, architecture: &str, packages: &[&str], symlinks: BTreeMap<String, String>) -> AssetSpec {
    let recipe = LayerRecipe {
        suite: SUITE.into(),
        architecture: architecture.to_owned(),
        packages: packages.iter().map(|&package| package.to_owned()).collect(),
        symlinks,
        excluded: EXCLUDED.map(str::to_owned).into(),
        revision: 1,
    };
    AssetSpec::new(name, Recipe::Layer(recipe))
}
