//! What stories left on this host that were killed before they could clean up: a next run would be refused by it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::both;

/// Where every story has its directory.
pub(crate) const PARENT: &str = "/var/tmp";
/// Locked by the process that tells a story for as long as it lives, in the story's directory.
const OWNER: &str = "owner";
/// Where stories keep clusters' records and machines, in their directories; in the second one of those whose records are
/// in a bucket.
const STATES: [&str; 2] = ["state", "home/kubewright"];

/// Says that a story's directory is in use, until what is given is dropped.
pub(crate) fn own(directory: &Path) -> File {
    let file = File::create_new(directory.join(OWNER)).expect("the file that says that a story is being told");
    file.lock().expect("nobody else has the directory");
    file
}

/// Takes away the clusters, and the directories, of stories that nobody tells any more.
pub(crate) fn sweep(program: &Path) {
    for directory in abandoned(Path::new(PARENT)) {
        println!("--- a story was killed, and left {}", directory.display());
        let mut clean = true;
        for (state, cluster) in STATES.iter().flat_map(|state| clusters(&directory.join(state))) {
            clean &= delete(program, &directory, &state, &cluster);
        }
        // What could not be deleted stays, to be looked into. A disk may still be mounted in it.
        if clean && let Err(error) = std::fs::remove_dir_all(&directory) {
            println!("    it stays: {error}");
        }
    }
}

/// Directories of stories whose owner has died.
fn abandoned(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).expect("where stories are").flatten().map(|entry| entry.path());
    entries.filter(|path| path.join(OWNER).is_file() && !is_owned(path)).collect()
}

fn is_owned(directory: &Path) -> bool {
    let file = File::open(directory.join(OWNER)).expect("the file is there");
    match file.try_lock() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => panic!("{}: {error}", directory.display()),
    }
}

/// The clusters that are recorded in a state directory.
fn clusters(state: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(state.join("clusters")).into_iter().flatten().flatten();
    let recorded = entries.filter(|entry| entry.path().join("head.json").is_file());
    recorded.map(|entry| (state.to_owned(), entry.file_name().to_string_lossy().into_owned())).collect()
}

/// Types what the story would have typed at its end.
fn delete(program: &Path, directory: &Path, state: &Path, cluster: &str) -> bool {
    let mut command = Command::new(program);
    command.args(["delete", "cluster", cluster, "--yes"]).env("KUBEWRIGHT_STATE", state);
    command.env("XDG_CONFIG_HOME", directory.join("config")).env("KUBECONFIG", directory.join("kubeconfig"));
    let output = command.output().expect("kubewright starts");
    println!("    $ kubewright delete cluster {cluster} --yes: {}", output.status);
    if !output.status.success() {
        println!("{}", both(&output));
    }
    output.status.success()
}

/// Takes away what a killed story leaves, and nothing else: else no run after an interrupted one would be sure to begin.
pub(crate) fn check_itself() {
    let parent = tempfile::tempdir().expect("a directory");
    let [alive, dead, strange] = ["alive", "dead", "strange"].map(|name| parent.path().join(name));
    for directory in [&alive, &dead, &strange] {
        std::fs::create_dir(directory).expect("a directory");
    }
    let owner = own(&alive);
    drop(own(&dead));
    assert_eq!(
        abandoned(parent.path()),
        std::slice::from_ref(&dead),
        "whose owner lives, or who never had one, is let be"
    );
    drop(owner);
    assert_eq!(abandoned(parent.path()).len(), 2);
    let state = dead.join("state");
    std::fs::create_dir_all(state.join("clusters/never")).expect("a directory");
    std::fs::create_dir_all(state.join("clusters/dev")).expect("a directory");
    std::fs::write(state.join("clusters/dev/head.json"), "{}").expect("a file");
    assert_eq!(clusters(&state), [(state.clone(), "dev".to_owned())], "a cluster that was refused was never there");
}
