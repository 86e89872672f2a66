//! A directory for one cluster of the bench, and what can be seen of its machines from this host.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A directory that goes away when it is dropped, unless it is kept.
pub(super) struct Place {
    directory: PathBuf,
    cluster: String,
    kept: bool,
}

impl Place {
    /// An empty one. It must be on the asset cache's file system, since machines are hard links of cached trees; and only
    /// root may look inside, since there are keys.
    pub(super) fn new(cluster: &str) -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let directory = Path::new("/var/tmp").join(format!("kubewright-{cluster}-{}", std::process::id()));
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700).create(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(Self { directory, cluster: cluster.to_owned(), kept: false })
    }

    /// The directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A path in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The state directory.
    pub(super) fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The directory stays.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// Where its machines live.
    pub(super) fn machines(&self) -> Machines {
        Machines { directory: self.state().join("machines"), cluster: self.cluster.clone() }
    }

    /// A machine's address.
    pub(super) fn address(&self, machine: &str) -> Result<String> {
        let path = self.machines().home(machine).context("it was never made")?.join("upper/etc/kubewright/network");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let address = text.lines().find_map(|line| Some(line.strip_prefix("ADDRESS=")?.split_once('/')?.0.to_owned()));
        address.with_context(|| format!("{} names no address", path.display()))
    }

    /// Processor time of all machines so far, in seconds.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let machines = |root: &str| owned(&Path::new(root).join("kubewright"), &self.cluster);
        if let Some(group) = machines("/sys/fs/cgroup/cpuacct") {
            let nanoseconds = std::fs::read_to_string(group.join("cpuacct.usage"))?;
            return Ok(nanoseconds.trim().parse::<f64>()? / 1e9);
        }
        let group = machines("/sys/fs/cgroup").context("cannot see the machines' control groups")?;
        let stat = std::fs::read_to_string(group.join("cpu.stat"))?;
        let microseconds = stat.lines().find_map(|line| line.strip_prefix("usage_usec "));
        Ok(microseconds.context("cpu.stat is not as the kernel says")?.trim().parse::<f64>()? / 1e6)
    }
}

/// Where the machines of a cluster live.
pub(super) struct Machines {
    directory: PathBuf,
    cluster: String,
}

impl Machines {
    /// Where a machine lives, once it was made.
    pub(super) fn home(&self, machine: &str) -> Option<PathBuf> {
        owned(&self.directory, &self.cluster).map(|owner| owner.join(machine)).filter(|home| home.is_dir())
    }
}

/// The directory in `parent` that is a cluster's: its name goes on with the beginning of the state's identity.
fn owned(parent: &Path, cluster: &str) -> Option<PathBuf> {
    let named = format!("{cluster}_");
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut owned = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&named));
    owned.next().map(|entry| entry.path())
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_dir_all(&self.directory)
        {
            println!("cannot remove {}: {error}", self.directory.display());
        }
    }
}

/// Names of machines as both sides give them.
pub(super) fn machine_names(control_planes: u32, workers: u32) -> Vec<String> {
    let group = |name: &'static str, count| (1..=count).map(move |number| format!("{name}-{number}"));
    group("control-plane", control_planes).chain(group("worker", workers)).collect()
}
