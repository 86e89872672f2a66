//! The machine the agent works on: a root directory and its programs.

use std::path::{Path, PathBuf};

use machine::compare::Owner;

use crate::failure::{Failure, Outcome};
use crate::programs::{Programs, Ran, RealPrograms};

/// The machine, or in tests a directory that stands for one.
pub(crate) struct System {
    root: PathBuf,
    programs: Box<dyn Programs>,
    /// Who owns what the agent makes.
    pub(crate) owner: Owner,
}

impl System {
    pub(crate) fn real() -> Self {
        Self { root: "/".into(), programs: Box::new(RealPrograms), owner: (0, 0) }
    }

    #[cfg(test)]
    pub(crate) fn fake(root: &Path, programs: Box<dyn Programs>, owner: Owner) -> Self {
        Self { root: root.into(), programs, owner }
    }

    /// Where an absolute path of the machine is.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    /// Whether something is there, symlinks followed.
    pub(crate) fn exists(&self, absolute: &str) -> bool {
        self.path(absolute).exists()
    }

    /// A small text file of the kernel or the OS; `None` when it can't be read.
    pub(crate) fn text(&self, absolute: &str) -> Option<String> {
        fs_err::read_to_string(self.path(absolute)).ok()
    }

    pub(crate) fn programs(&self) -> &dyn Programs {
        &*self.programs
    }

    /// Runs a program that must succeed; its failure is one of `item`.
    pub(crate) fn must(&self, item: &str, program: &str, arguments: &[&str]) -> Outcome<Ran> {
        let ran = self.programs.run(program, arguments).map_err(|error| Failure::new(item, error))?;
        if ran.ok {
            Ok(ran)
        } else {
            Err(Failure::new(item, format!("`{program} {}` failed", arguments.join(" "))).output(ran.tail()))
        }
    }

    /// The directory in which the agent remembers.
    pub(crate) fn memory(&self) -> PathBuf {
        self.path("/var/lib/kubewright")
    }

    /// Makes the agent's own directory, for nobody else to read.
    pub(crate) fn make_memory(&self) -> std::io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        let memory = self.memory();
        if memory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = memory.parent() {
            fs_err::create_dir_all(parent)?;
        }
        std::fs::DirBuilder::new().mode(0o700).create(&memory)
    }
}

/// The name a file is written under before it takes its place. Hidden and without the suffix of its kind, so that
/// neither kubelet (static pods), systemd (drop-ins) nor the CNI (its configs) read it.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.kubewright"))
}
