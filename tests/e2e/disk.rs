//! A small disk that can be filled and made read-only while programs write to it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk in memory, unmounted when it is dropped.
pub(crate) struct Disk {
    place: PathBuf,
    frozen: Cell<bool>,
}

impl Disk {
    /// Mounts an empty disk of 16 MiB at a directory, which is made.
    pub(crate) fn mount(place: PathBuf) -> Self {
        std::fs::create_dir_all(&place).expect("a directory");
        let disk = Self { place, frozen: Cell::new(false) };
        disk.run("mount", &["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs"]);
        disk
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let done = Command::new(program).args(arguments).arg(&self.place).status().expect("the program starts");
        assert!(done.success(), "{program} {arguments:?} ended with {done}");
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
        // A disk with files that are open for writing cannot be made read-only, but what is mounted over it can.
        self.run("mount", &["--bind", &self.place.display().to_string()]);
        self.run("mount", &["-o", "remount,bind,ro"]);
        self.frozen.set(true);
    }

    /// Everything is well again.
    pub(crate) fn heal(&self) {
        if self.frozen.take() {
            self.run("umount", &[]);
        }
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
        let _ = Command::new("umount").arg("--lazy").arg(&self.place).status();
    }
}
