//! Where a machine lives on this host.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::owner::Owner;
use crate::{LocalError, names};

/// The directories of one machine: `<root>/<owner>/<name>/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    /// Short name of its owner, which cgroups and links carry, too.
    pub owner: String,
    /// The cluster's name.
    pub cluster: String,
    /// The machine's name in it.
    pub name: String,
    directory: PathBuf,
}

/// Directories that are made before the first boot. `containerd`, `kubelet` and `etcd` are bound into the machine,
/// because containerd's overlays cannot stand on an overlay.
const DIRECTORIES: [&str; 8] = ["upper", "work", "root", "containerd", "kubelet", "etcd", "run", "log"];

impl Home {
    /// The home of `name` below the root of all machines, in the directory of an owner.
    pub(crate) fn new(root: &Path, owner: &str, name: &str) -> Self {
        let cluster = names::cluster_of(owner).to_owned();
        Self { owner: owner.to_owned(), cluster, name: name.to_owned(), directory: root.join(owner).join(name) }
    }

    /// The home that an owner's machine has, or would be given. One that was made while directories were named after the
    /// cluster alone stays where it is; whose it is it says itself.
    pub(crate) fn find(root: &Path, owner: &Owner, name: &str) -> Self {
        let (own, earlier) = (Self::new(root, &owner.short_name(), name), Self::new(root, &owner.cluster, name));
        // What cannot be looked at is there: whoever took it for absent would make it anew.
        let is_missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let is_there =
            |home: &Self| home.directory.symlink_metadata().map_or_else(|error| !is_missing(&error), |_| true);
        if !is_there(&own) && is_there(&earlier) { earlier } else { own }
    }

    /// All of it.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What differs from the image.
    pub(crate) fn upper(&self) -> PathBuf {
        self.directory.join("upper")
    }

    /// Where the root file system is mounted, in the supervisor's mount namespace only.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.join("root")
    }

    /// containerd's root.
    pub(crate) fn containerd(&self) -> PathBuf {
        self.directory.join("containerd")
    }

    /// Plain directories bound writable into the machine: here, there.
    pub(crate) fn data(&self) -> [(PathBuf, &'static str); 3] {
        [
            (self.containerd(), "/var/lib/containerd"),
            (self.directory.join("kubelet"), "/var/lib/kubelet"),
            (self.directory.join("etcd"), "/var/lib/etcd"),
        ]
    }

    /// Whether something was ever written in the machine, or for it; what cannot be read is not taken for empty.
    pub(crate) fn has_data(&self) -> bool {
        let written = |directory: &Path| match fs_err::read_dir(directory) {
            Ok(mut found) => found.next().is_some(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        written(&self.upper()) || self.data().iter().any(|(directory, _)| written(directory))
    }

    /// What the supervisor says of itself: process id and start time.
    pub(crate) fn pid_file(&self) -> PathBuf {
        self.directory.join("run/pid")
    }

    /// What the supervisor and the machine's console say.
    pub(crate) fn console(&self) -> PathBuf {
        self.directory.join("log/console.log")
    }

    /// What the machine was made from.
    pub(crate) fn record(&self) -> PathBuf {
        self.directory.join("machine.json")
    }

    /// systemd-nspawn's name of the machine.
    pub(crate) fn machine_name(&self) -> String {
        names::machine_name(&self.owner, &self.name)
    }

    /// Makes all directories; nobody but root may look inside.
    pub(crate) fn make(&self) -> Result<(), LocalError> {
        for part in DIRECTORIES {
            let directory = self.directory.join(part);
            let made = fs_err::create_dir_all(&directory)
                // A machine of the cluster that goes takes the cluster's directory along where it is empty.
                .or_else(|_| fs_err::create_dir_all(&directory));
            made.map_err(LocalError::io(format!("make {}", directory.display())))?;
        }
        let closed = std::fs::Permissions::from_mode(0o700);
        fs_err::set_permissions(&self.directory, closed)
            .map_err(LocalError::io(format!("close {}", self.directory.display())))?;
        // The upper directory becomes the machine's `/`, whose mode is not this process' umask's business.
        let open = std::fs::Permissions::from_mode(0o755);
        fs_err::set_permissions(self.upper(), open).map_err(LocalError::io("open the machine's root directory"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_states_with_a_cluster_of_one_name_have_directories_links_and_cgroups_of_their_own() {
        let root = tempfile::tempdir().unwrap();
        let [one, other] =
            ["1a-2b", "3c-4d"].map(|lineage| Home::find(root.path(), &Owner::new(lineage, "dev"), "cp-1"));
        assert_eq!(one.directory(), root.path().join("dev_1a2b/cp-1"));
        assert_ne!(one.directory(), other.directory());
        assert_ne!(one.machine_name(), other.machine_name());
        assert_ne!(names::cgroup_path(&one.owner, "cp-1"), names::cgroup_path(&other.owner, "cp-1"));
        assert_eq!(one.cluster, "dev");
    }

    #[test]
    fn a_machine_that_an_earlier_release_made_stays_where_it_is() {
        let root = tempfile::tempdir().unwrap();
        let earlier = Home::new(root.path(), "dev", "cp-1");
        earlier.make().unwrap();
        let owner = Owner::new("1a-2b", "dev");
        assert_eq!(Home::find(root.path(), &owner, "cp-1"), earlier);
        assert_eq!(earlier.machine_name(), "kw-dev-cp-1");
        assert_eq!(Home::find(root.path(), &owner, "cp-2").owner, "dev_1a2b");
    }

    #[test]
    fn only_what_is_not_there_or_empty_holds_no_data() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::new(root.path(), "dev", "cp-1");
        assert!(!home.has_data());
        home.make().unwrap();
        assert!(!home.has_data());
        let etcd = home.directory().join("etcd");
        std::fs::remove_dir(&etcd).unwrap();
        std::fs::write(&etcd, "no directory").unwrap();
        assert!(home.has_data(), "it cannot be read");
    }
}
