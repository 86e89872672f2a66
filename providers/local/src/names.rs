//! Names of things on the host, derived from a cluster's and a machine's name. Pure.

use sha2::{Digest as _, Sha256};

/// Beginning of every owner marker (link alias, rule comment).
pub const MARKER: &str = "kubewright:";
/// Beginning of the name of every nftables table.
pub const TABLE: &str = "kubewright-";
/// The cgroup, below each hierarchy's root, that holds all machines.
pub const CGROUP: &str = "kubewright";

/// Name of a cluster's bridge: `kw-<cluster>`, shortened with a hash where it would be longer than the kernel's 15.
pub fn bridge_name(cluster: &str) -> String {
    shortened("kw-", cluster, 15)
}

/// Name of a bridge while it is made; no cluster's bridge and no link of a machine begins so.
pub fn unmarked_bridge_name(bridge: &str) -> String {
    format!("kwnew-{}", hash(bridge, 9))
}

/// The cluster in an owner's short name, `<cluster>_<beginning of the lineage>`; no cluster's name has an underscore.
pub fn cluster_of(owner: &str) -> &str {
    owner.split_once('_').map_or(owner, |(cluster, _)| cluster)
}

/// systemd-nspawn's name of a machine, at most 12 characters: with `vb-` before it it names the veth on the bridge,
/// and what is cut off there makes machines collide. `owner`: what the machine's directory is called; short names of those
/// that were made while that was the cluster's stand in it as they are.
pub fn machine_name(owner: &str, name: &str) -> String {
    let plain = format!("{owner}-{name}");
    // Without the separator of the id `a-b/c` and `a/b-c` would share a name.
    if plain.len() <= 9 && !owner.contains('-') && plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return format!("kw-{plain}");
    }
    format!("kw-{}", hash(&format!("{owner}/{name}"), 9))
}

/// Name of the host's end of a machine's veth, as systemd-nspawn derives it.
pub fn veth_name(owner: &str, name: &str) -> String {
    format!("vb-{}", machine_name(owner, name))
}

/// The cgroup of a machine, relative to each hierarchy's root.
pub fn cgroup_path(owner: &str, name: &str) -> String {
    format!("{CGROUP}/{owner}/{name}")
}

/// A locally administered MAC address that depends only on `text`.
pub fn mac_address(text: &str) -> String {
    let digest = Sha256::digest(text);
    let bytes: Vec<String> = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    format!("02:{}", bytes.join(":"))
}

/// `prefix` + `name`, or a shortened form ending in a hash of `name` when that is longer than `limit`.
fn shortened(prefix: &str, name: &str, limit: usize) -> String {
    if prefix.len() + name.len() <= limit {
        return format!("{prefix}{name}");
    }
    let kept: String = name.chars().filter(char::is_ascii).take(limit.saturating_sub(prefix.len() + 7)).collect();
    format!("{prefix}{kept}-{}", hash(name, 6))
}

fn hash(text: &str, length: usize) -> String {
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(length);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_names_fit_into_fifteen_characters_and_stay_distinct() {
        assert_eq!(bridge_name("dev"), "kw-dev");
        let long = bridge_name("production-europe-1");
        assert!(long.len() <= 15, "{long}");
        assert_ne!(long, bridge_name("production-europe-2"));
    }

    #[test]
    fn machine_names_leave_room_for_the_veth_prefix_and_never_collide() {
        assert_eq!(machine_name("dev", "cp-1"), "kw-dev-cp-1");
        for (one, other) in [
            (("dev-a", "b"), ("dev", "a-b")),
            (("production", "worker-1"), ("production", "worker-2")),
            (("dev_1a2b", "cp-1"), ("dev_3c4d", "cp-1")),
        ] {
            let (one, other) = (machine_name(one.0, one.1), machine_name(other.0, other.1));
            assert!(one.len() <= 12 && other.len() <= 12, "{one} {other}");
            assert_ne!(one, other);
        }
    }

    #[test]
    fn mac_addresses_are_stable_and_locally_administered() {
        assert_eq!(mac_address("kw-dev"), mac_address("kw-dev"));
        assert!(mac_address("kw-dev").starts_with("02:") && mac_address("kw-dev").len() == 17);
    }

    #[test]
    fn every_machine_has_a_cgroup_of_its_own() {
        assert_eq!(cgroup_path("dev", "cp-1"), "kubewright/dev/cp-1");
    }
}
