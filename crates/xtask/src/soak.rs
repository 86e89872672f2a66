//! `cargo xtask soak`: the long stories, for nights and before releases.

use anyhow::{Context as _, Result, bail};

use crate::stages;
use crate::workspace::{cargo_with, program};

/// One long story.
pub(crate) struct Soak {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it shows.
    pub(crate) about: &'static str,
    /// The end to end story that it is a longer version of.
    story: &'static str,
    variables: &'static [(&'static str, &'static str)],
}

/// All of them.
pub(crate) const SOAKS: &[Soak] = &[
    Soak {
        name: "crash",
        about: "kubewright killed 50 times at random moments of whole lives of clusters",
        story: "crash",
        variables: &[("KUBEWRIGHT_CRASHES", "50")],
    },
    Soak {
        name: "turns",
        about: "flags of etcd and the API server changed on three control planes, one after the other",
        story: "high availability",
        variables: &[("KUBEWRIGHT_TURNS", "1")],
    },
    Soak {
        name: "oldest",
        about: "a cluster of the oldest supported minor, and its programs given all that is rendered for them",
        story: "older minor",
        variables: &[("KUBEWRIGHT_OLDER", stages::OLDEST), ("KUBEWRIGHT_TEST_MINORS", stages::OLDEST)],
    },
];

/// Runs those called `only`, or all.
pub(crate) fn run(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !SOAKS.iter().any(|soak| soak.name == **name)) {
        bail!("there is no long story {unknown}; see: cargo xtask soak --list");
    }
    stages::run(&["build".to_owned(), "host".to_owned()])?;
    stages::pull(stages::OLDEST)?;
    let program = program().to_string_lossy().into_owned();
    for soak in SOAKS.iter().filter(|soak| only.is_empty() || only.iter().any(|name| name == soak.name)) {
        println!("==> {}: {}", soak.name, soak.about);
        let mut variables = soak.variables.to_vec();
        variables.push(("KUBEWRIGHT_BIN", &program));
        let told = |arguments: &[&str]| {
            cargo_with(&[&["test", "--package", "tests", "--quiet", "--test"], arguments].concat(), &variables)
                .with_context(|| format!("long story {}", soak.name))
        };
        told(&["e2e", "--", soak.story])?;
        // Without minors it has nothing to check.
        told(&["binaries"])?;
    }
    Ok(())
}
