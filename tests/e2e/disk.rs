//! A small disk that can be filled, and directories that are made read-only while programs write to them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A mounted disk in memory, unmounted when it is dropped.
pub(crate) struct Disk {
    place: PathBuf,
    frozen: Mutex<Option<Frozen>>,
}

/// A directory in which nothing can be opened for writing, until this is dropped.
pub(crate) struct Frozen {
    place: PathBuf,
}

impl Frozen {
    /// From here on it is read-only.
    pub(crate) fn at(place: &Path) -> Self {
        // A disk with files that are open for writing cannot be made read-only, but what is mounted over it can.
        run("mount", &["--bind", &place.display().to_string()], place);
        let frozen = Self { place: place.to_owned() };
        run("mount", &["-o", "remount,bind,ro"], place);
        frozen
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.place).status();
    }
}

fn run(program: &str, arguments: &[&str], place: &Path) {
    let done = Command::new(program).args(arguments).arg(place).status().expect("the program starts");
    assert!(done.success(), "{program} {arguments:?} ended with {done}");
}

impl Disk {
    /// Mounts an empty disk of 16 MiB at a directory, which is made.
    pub(crate) fn mount(place: PathBuf) -> Self {
        std::fs::create_dir_all(&place).expect("a directory");
        let disk = Self { place, frozen: Mutex::new(None) };
        run("mount", &["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs"], &disk.place);
        disk
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }

    /// Takes all the space that is left.
    pub(crate) fn fill(&self) {
        let zeros = std::fs::File::open("/dev/zero").expect("zeros");
        let mut filler = std::fs::File::create(self.filler()).expect("a file");
        let full = std::io::copy(&mut &zeros, &mut filler).expect_err("the disk has an end");
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    /// From here on nothing can be opened for writing.
    pub(crate) fn freeze(&self) {
        self.keep(Some(Frozen::at(&self.place)));
    }

    fn keep(&self, frozen: Option<Frozen>) {
        *self.frozen.lock().expect("nobody fails while it is kept") = frozen;
    }

    /// Everything is well again.
    pub(crate) fn heal(&self) {
        self.keep(None);
        remove(&self.filler());
    }
}

fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{}: {error}", path.display()),
        _ => {}
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.keep(None);
        let _ = Command::new("umount").arg("--lazy").arg(&self.place).status();
    }
}
