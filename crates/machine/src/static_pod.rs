//! Static pods: where kubelet finds their manifests, in kubeadm's layout.

const DIRECTORY: &str = "/etc/kubernetes/manifests/";
const EXTENSION: &str = ".yaml";

/// The pod that a file is the manifest of; `None` for every other file.
pub fn name(path: &str) -> Option<&str> {
    path.strip_prefix(DIRECTORY)?.strip_suffix(EXTENSION)
}

/// The file that is a pod's manifest.
pub fn manifest(name: &str) -> String {
    format!("{DIRECTORY}{name}{EXTENSION}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_its_pod_and_other_files_name_none() {
        assert_eq!(name(&manifest("etcd")), Some("etcd"));
        assert_eq!(name("/etc/kubernetes/manifests/etcd.yaml.bak"), None);
        assert_eq!(name("/etc/kubernetes/pki/etcd.yaml"), None);
    }
}
