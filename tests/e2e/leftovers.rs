//! What stories left on this host that were killed before they could clean up: a next run would be refused by it.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::both;

/// Where every story has its directory.
pub(crate) const PARENT: &str = "/var/tmp";
/// What the names of their directories begin with.
pub(crate) const PREFIX: &str = "kubewright-";
/// Locked by the process that tells a story for as long as it lives, in the story's directory.
const OWNER: &str = "owner-of-the-story";
/// Where stories keep their machines, in their directories, and clusters' records beside them unless those are in a bucket.
const STATES: [&str; 2] = ["state", "home/kubewright"];

/// Says that a story's directory is in use, until what is given is dropped.
pub(crate) fn own(directory: &Path) -> File {
    // Under its own name only when it is locked: else another run could take the directory for abandoned.
    let begun = directory.join("owner-begins");
    let file = File::create_new(&begun).expect("the file that says that a story is being told");
    file.lock().expect("nobody else has the directory");
    std::fs::rename(begun, directory.join(OWNER)).expect("the file has its name");
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
        let machines = machines(&directory);
        if !machines.is_empty() {
            println!("    it stays, because nothing is recorded of these, which may run: {machines:?}");
            clean = false;
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
    let is_ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    entries.filter(|path| is_ours(path) && !is_owned(path)).collect()
}

/// Whether a directory is in use, or was never a story's.
fn is_owned(directory: &Path) -> bool {
    let file = match File::open(directory.join(OWNER)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return true,
        Err(error) => panic!("{}: {error}", directory.display()),
    };
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

/// What machines there still are in a story's directory.
fn machines(directory: &Path) -> Vec<PathBuf> {
    let all =
        STATES.iter().flat_map(|state| std::fs::read_dir(directory.join(state).join("machines")).into_iter().flatten());
    all.flatten().map(|entry| entry.path()).collect()
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
    let named = ["kubewright-alive", "kubewright-dead", "kubewright-strange", "dead"];
    let [alive, dead, strange, other] = named.map(|name| parent.path().join(name));
    for directory in [&alive, &dead, &strange, &other] {
        std::fs::create_dir(directory).expect("a directory");
    }
    let owner = own(&alive);
    drop((own(&dead), own(&other)));
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
    assert_eq!(machines(&dead), [""; 0].map(PathBuf::from));
    std::fs::create_dir_all(dead.join("home/kubewright/machines/dev_1a2b")).expect("a directory");
    assert_eq!(machines(&dead).len(), 1, "a machine without a record is found");
    assert_eq!(clusters(&state), [(state.clone(), "dev".to_owned())], "a cluster that was refused was never there");
}
