//! `cargo xtask soak`: the long stories, for nights and before releases.

use anyhow::{Result, bail};

use crate::dist::{self, Profile};
use crate::stages::{self, Stories};
use crate::times::Times;
use crate::workspace::{cargo_on_all, program};

/// One long story.
pub(crate) struct Soak {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) about: &'static str,
    tell: fn() -> Result<()>,
}

/// All of them.
pub(crate) const SOAKS: &[Soak] = &[
    Soak {
        name: "stories",
        about: "all end to end stories, also those that `test` tells by turns or not at all",
        tell: || stages::e2e(&program(), Stories::All, &[], &[]),
    },
    Soak {
        name: "crash",
        about: "kubewright killed 50 times at random moments of whole lives of clusters",
        tell: || story("crash", &[("KUBEWRIGHT_CRASHES", "50")]),
    },
    Soak {
        name: "turns",
        about: "flags of etcd and the API server changed on three control planes, one after the other",
        tell: || story("high availability", &[("KUBEWRIGHT_TURNS", "1")]),
    },
    Soak {
        name: "oldest",
        about: "a cluster of the oldest supported minor, and its programs given all that is rendered for them",
        tell: || {
            story("older minor", &[("KUBEWRIGHT_OLDER", stages::OLDEST)])?;
            binaries(&[("KUBEWRIGHT_TEST_MINORS", stages::OLDEST)])
        },
    },
    Soak {
        name: "released",
        about: "the program of `dist` in an empty place, with its own agent and without its sources",
        tell: || {
            let program = dist::program(Profile::Debug)?;
            stages::e2e(&program, Stories::All, &["moved program"], &[("KUBEWRIGHT_RELEASED", "1")])
        },
    },
    Soak {
        name: "judge",
        about: "every changed specification, to the preview and to the programs of every minor",
        tell: || binaries(&[("KUBEWRIGHT_TEST_MINORS", "1.36,1.35,1.34"), ("KUBEWRIGHT_JUDGE", "all")]),
    },
];

/// Runs those called `only`, or all.
pub(crate) fn run(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !SOAKS.iter().any(|soak| soak.name == **name)) {
        bail!("there is no long story {unknown}; see: cargo xtask soak --list");
    }
    stages::run(&["build".to_owned(), "host".to_owned()], Stories::All)?;
    stages::pull(stages::OLDEST)?;
    let mut times = Times::default();
    let mut failed = Vec::new();
    for soak in SOAKS.iter().filter(|soak| only.is_empty() || only.iter().any(|name| name == soak.name)) {
        // A night is long: what one story finds does not keep the others from being told.
        if let Err(error) = times.of(soak.name, soak.about, soak.tell) {
            println!("FAILED: long story {}: {error:#}", soak.name);
            failed.push(soak.name);
        }
    }
    times.print();
    if failed.is_empty() { Ok(()) } else { bail!("long stories failed: {}", failed.join(", ")) }
}

/// An end to end story in its longer version.
fn story(name: &str, variables: &[(&str, &str)]) -> Result<()> {
    stages::e2e(&program(), Stories::All, &[name], variables)
}

/// The real programs, with what is rendered for them.
fn binaries(variables: &[(&str, &str)]) -> Result<()> {
    cargo_on_all("test", &["--test", "binaries"], variables)
}
