//! Somebody with a home of their own who types commands. Clusters are called `terminal1`: the host that they are held against may
//! well have a `demo` that runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Somebody with a home of their own.
pub(crate) struct User {
    home: tempfile::TempDir,
}

impl User {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a directory") }
    }

    /// Somebody who has written down clusters of these names.
    pub(crate) fn with_clusters(names: &[&str]) -> Self {
        let user = Self::new();
        for name in names {
            user.done(&["create", "cluster", name, "--node-count", "0"]);
        }
        user
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("the file is written");
        self.path(name).display().to_string()
    }

    /// The program, started where the user is at home, with nothing in its environment that is not theirs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubewright"));
        command.args(arguments).current_dir(self.home.path()).stdin(Stdio::null()).env_clear();
        command.env("HOME", self.home.path()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("TERM", "xterm");
        // What is kept for the user, such as an edited text, goes with the home.
        command.env("TMPDIR", self.home.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("kubewright starts")
    }

    /// Runs a command that must succeed, and gives what it prints on standard output.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        ends(&self.run(arguments), 0, &[])
    }

    /// The same as JSON: one document and nothing else.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.done(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?} prints no JSON: {error}\n{text}"))
    }

    /// Everything that lies at home.
    pub(crate) fn files(&self) -> BTreeSet<PathBuf> {
        fn walk(directory: &Path, found: &mut BTreeSet<PathBuf>) {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                found.insert(entry.path());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    walk(&entry.path(), found);
                }
            }
        }
        let mut found = BTreeSet::new();
        walk(self.home.path(), &mut found);
        found
    }
}

/// Judges how a command ended and what it said; gives its standard output.
pub(crate) fn ends(output: &Output, code: i32, says: &[&str]) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    for part in says {
        assert!(stdout.contains(part) || stderr.contains(part), "it does not say {part}:\n{stdout}{stderr}");
    }
    stdout.into_owned()
}
