//! Whose a thing on this host is: the marker of a cluster's state, and the host that a cluster lives on.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::names;

/// Characters of a lineage that stand in names whose length is limited.
const SHORT: usize = 8;

/// What an owner marker says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Identity of the cluster's state. Release 0.1 marked things with the cluster's name alone.
    pub lineage: Option<String>,
    /// The cluster's name.
    pub cluster: String,
}

impl Owner {
    /// The owner of everything of a cluster; an empty lineage is none.
    pub fn new(lineage: &str, cluster: &str) -> Self {
        let lineage = (!lineage.is_empty()).then(|| lineage.to_owned());
        Self { lineage, cluster: cluster.to_owned() }
    }

    /// The same as release 0.1 wrote it.
    pub(crate) fn by_name(cluster: &str) -> Self {
        Self::new("", cluster)
    }

    /// What a marker says; `None` for what is no marker of kubewright's.
    pub fn read(marker: &str) -> Option<Self> {
        let rest = marker.strip_prefix(names::MARKER)?;
        Some(match rest.split_once('/') {
            Some((lineage, cluster)) => Self::new(lineage, cluster),
            None => Self::by_name(rest),
        })
    }

    /// The marker: `kubewright:<lineage>/<cluster>`.
    pub fn marker(&self) -> String {
        match &self.lineage {
            Some(lineage) => format!("{}{lineage}/{}", names::MARKER, self.cluster),
            None => format!("{}{}", names::MARKER, self.cluster),
        }
    }

    /// Its short name, which stands in names of things that carry no marker beside it: `<cluster>_<short lineage>`, read
    /// back with [`names::cluster_of`].
    pub(crate) fn short_name(&self) -> String {
        match &self.lineage {
            Some(lineage) => format!("{}_{}", self.cluster, short(lineage)),
            None => self.cluster.clone(),
        }
    }

    /// Names of the directories that its machines may lie in, the one of an earlier release first.
    pub(crate) fn directories(&self) -> BTreeSet<String> {
        BTreeSet::from([self.cluster.clone(), self.short_name()])
    }

    /// Name of its nftables table (family inet).
    pub(crate) fn table(&self) -> String {
        format!("{}{}", names::TABLE, self.short_name())
    }

    /// Whether something marked so belongs to this owner. What carries no lineage does so only where the caller's own
    /// record knows it (`recorded`): the name alone may be anybody's.
    pub(crate) fn owns(&self, marked: &Self, recorded: bool) -> bool {
        marked == self || (recorded && marked.lineage.is_none() && marked.cluster == self.cluster)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.lineage {
            Some(lineage) => write!(f, "cluster {} of another state (lineage {})", self.cluster, short(lineage)),
            None => write!(f, "a cluster {} of an earlier release, which is not recorded here", self.cluster),
        }
    }
}

fn short(lineage: &str) -> String {
    lineage.chars().filter(char::is_ascii_alphanumeric).take(SHORT).collect()
}

/// Files that tell a host from others, the surest first: machine-id(5), D-Bus' copy of it, the firmware's id, which lives
/// through reboots, and the boot's.
const ID_FILES: [&str; 4] = [
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
    "/sys/class/dmi/id/product_uuid",
    "/proc/sys/kernel/random/boot_id",
];

/// Whether a file has an id. First boots write a word instead (machine-id(5)), and some firmware one digit over and over.
fn is_an_id(text: &str) -> bool {
    let mut digits = text.chars().filter(char::is_ascii_alphanumeric);
    let first = digits.next();
    text != "uninitialized" && digits.any(|digit| Some(digit) != first)
}

/// Where a cluster's machines live: seen from anywhere else they are unknown, never absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostIdentity {
    /// The host's machine-id (`/etc/machine-id`, machine-id(5)); where it has none, its firmware's, else its boot's id.
    pub machine_id: String,
    /// Its other ids, by which an earlier record may know it.
    #[serde(skip)]
    pub other_ids: Vec<String>,
    /// The host's name; only shown.
    pub hostname: String,
    /// The directory that its machines are kept in, an absolute path.
    pub directory: String,
}

impl HostIdentity {
    /// This host, keeping machines in `directory`.
    pub fn here(directory: &Path) -> Self {
        let line = |file: &str| fs_err::read_to_string(file).ok().map(|text| text.trim().to_owned());
        let mut ids = ID_FILES.into_iter().filter_map(line).filter(|id| is_an_id(id));
        Self {
            machine_id: ids.next().unwrap_or_default(),
            other_ids: ids.collect(),
            hostname: line("/proc/sys/kernel/hostname").unwrap_or_default(),
            directory: directory.display().to_string(),
        }
    }

    /// Whether it is the host that `here` was found out on. One that got a machine-id later is still the same.
    fn is_host_of(&self, here: &Self) -> bool {
        self.machine_id == here.machine_id || here.other_ids.contains(&self.machine_id)
    }

    /// Whether both are one directory of one host, by whatever path.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let real = |directory: &str| Path::new(directory).canonicalize().ok();
        let directories = (&self.directory, &other.directory);
        self.is_host_of(other)
            && (directories.0 == directories.1
                || real(directories.0).is_some_and(|place| real(directories.1) == Some(place)))
    }

    /// Why the machines of `owner` that live at `self` cannot be seen from `here`; `None` where they can.
    ///
    /// A directory of this host that is gone was moved where the cluster's machines are here; else it may only be out of
    /// sight, on a disk that is not mounted, and who took that for absence would forget machines that are there.
    pub fn elsewhere(&self, here: &Self, owner: &Owner) -> Option<String> {
        let home = &self.directory;
        if !self.is_host_of(here) {
            return Some(format!("it lives on host {}, in {home}", self.hostname));
        }
        match Path::new(home).try_exists() {
            Err(error) => Some(format!("it lives in {home} of this host, which cannot be looked at ({error})")),
            Ok(_) if self.is_same_place(here) => None,
            Ok(true) => {
                Some(format!("it lives in {home} of this host, and here machines are kept in {}", here.directory))
            }
            Ok(false) if has_machines(Path::new(&here.directory), owner) => None,
            Ok(false) => Some(format!(
                "it lives in {home} of this host, which is not there now (is its disk mounted?), and nothing of it is in {}",
                here.directory
            )),
        }
    }
}

/// Names of the directories below `root` that hold machines of a cluster: one for each state that has one of this name.
///
/// # Errors
/// When `root` cannot be read; where it is not there, no cluster is.
pub(crate) fn directories(root: &Path, cluster: &str) -> io::Result<Vec<String>> {
    let mut found = entries(root)?;
    found.retain(|name| names::cluster_of(name) == cluster && root.join(name).is_dir());
    Ok(found)
}

/// Names of what lies in a directory, sorted; nothing where it is not there, as it may have gone meanwhile.
pub(crate) fn entries(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs_err::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut found: Vec<String> = names.collect::<io::Result<_>>()?;
    found.sort();
    Ok(found)
}

/// Whether machines of an owner lie below `root`, also those that were made while directories were named after the cluster
/// alone.
pub fn has_machines(root: &Path, owner: &Owner) -> bool {
    let mut own = owner.directories().into_iter();
    own.any(|name| entries(&root.join(name)).is_ok_and(|machines| !machines.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_read_back_and_one_of_an_earlier_release_too() {
        let owner = Owner::new("0b1c-2d", "dev");
        assert_eq!(owner.marker(), "kubewright:0b1c-2d/dev");
        assert_eq!(Owner::read(&owner.marker()), Some(owner));
        assert_eq!(Owner::read("kubewright:dev"), Some(Owner::by_name("dev")));
        assert_eq!(Owner::read("docker0"), None);
    }

    #[test]
    fn two_states_with_a_cluster_of_one_name_have_tables_of_their_own() {
        assert_ne!(Owner::new("1111", "dev").table(), Owner::new("2222", "dev").table());
        assert_eq!(Owner::by_name("dev").table(), "kubewright-dev");
        assert_ne!(Owner::new("b", "a").table(), Owner::by_name("a-b").table());
    }

    #[test]
    fn what_has_no_lineage_is_ours_only_where_we_recorded_it() {
        let owner = Owner::new("1", "dev");
        assert!(owner.owns(&owner.clone(), false));
        assert!(owner.owns(&Owner::by_name("dev"), true) && !owner.owns(&Owner::by_name("dev"), false));
        assert!(!owner.owns(&Owner::by_name("other"), true) && !owner.owns(&Owner::new("2", "dev"), true));
    }

    fn host(machine_id: &str, directory: &str) -> HostIdentity {
        let (hostname, other_ids) = ("a".into(), Vec::new());
        HostIdentity { machine_id: machine_id.into(), other_ids, hostname, directory: directory.into() }
    }

    fn dev() -> Owner {
        Owner::new("1a-2b", "dev")
    }

    #[test]
    fn machines_of_another_host_or_another_directory_are_elsewhere() {
        let kept = tempfile::tempdir().unwrap();
        let kept = kept.path().to_str().unwrap();
        assert_eq!(host("1", kept).elsewhere(&host("1", kept), &dev()), None);
        assert!(host("1", kept).elsewhere(&host("1", "/other"), &dev()).unwrap().contains(kept));
        assert!(host("1", "/s").elsewhere(&host("2", "/s"), &dev()).unwrap().contains("lives on host a"));
    }

    #[test]
    fn a_host_that_got_a_machine_id_later_is_still_the_same() {
        let kept = tempfile::tempdir().unwrap();
        let kept = kept.path().to_str().unwrap();
        let here = HostIdentity { other_ids: vec!["firmware".into(), "boot".into()], ..host("machine", kept) };
        for earlier in ["firmware", "boot", "machine"] {
            assert_eq!(host(earlier, kept).elsewhere(&here, &dev()), None, "{earlier}");
            assert!(host(earlier, kept).is_same_place(&here));
        }
        assert!(host("other", kept).elsewhere(&here, &dev()).unwrap().contains("lives on host a"));
    }

    #[test]
    fn what_first_boots_and_careless_firmware_write_is_no_id() {
        assert!(is_an_id("0b1c2d"));
        for none in ["", "uninitialized", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF"] {
            assert!(!is_an_id(none), "{none}");
        }
    }

    #[test]
    fn a_data_directory_by_another_path_is_the_same_place() {
        let data = tempfile::tempdir().unwrap();
        let (real, link) = (data.path().join("real"), data.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let [home, here] = [&real, &link].map(|path| host("1", path.to_str().unwrap()));
        assert!(home.is_same_place(&here) && home.elsewhere(&here, &dev()).is_none());
        assert!(!home.is_same_place(&host("2", link.to_str().unwrap())));
    }

    #[test]
    fn a_data_directory_that_was_moved_is_found_where_it_is() {
        let new = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(new.path().join("dev_1a2b/cp-1")).unwrap();
        let here = host("1", new.path().to_str().unwrap());
        assert_eq!(host("1", "/no/such/directory").elsewhere(&here, &dev()), None);
    }

    #[test]
    fn machines_of_another_state_do_not_make_a_moved_data_directory() {
        let new = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(new.path().join("dev_3c4d/cp-1")).unwrap();
        std::fs::create_dir_all(new.path().join("dev_1a2b")).unwrap();
        std::fs::write(new.path().join("dev"), "a file").unwrap();
        let here = host("1", new.path().to_str().unwrap());
        assert!(host("1", "/no/such/directory").elsewhere(&here, &dev()).unwrap().contains("is its disk mounted?"));
        assert_eq!(directories(new.path(), "dev").unwrap(), ["dev_1a2b", "dev_3c4d"]);
    }

    #[test]
    fn a_data_directory_that_is_out_of_sight_is_not_taken_for_one_that_is_gone() {
        let new = tempfile::tempdir().unwrap();
        let here = host("1", new.path().to_str().unwrap());
        let why = host("1", "/no/such/directory").elsewhere(&here, &dev()).unwrap();
        assert!(why.contains("is its disk mounted?"), "{why}");
        let file = new.path().join("file");
        std::fs::write(&file, "").unwrap();
        let below_a_file = file.join("machines").display().to_string();
        let why = host("1", &below_a_file).elsewhere(&here, &dev()).unwrap();
        assert!(why.contains("cannot be looked at"), "{why}");
    }
}
