//! A cluster that kubewright makes for the bench, with surroundings of its own; gone when it is dropped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};

use super::place::Place;
use crate::workspace::output;

/// A cluster, made or not.
pub(super) struct Cluster<'a> {
    program: &'a Path,
    /// Its name.
    pub(super) name: String,
    /// Where its state and machines are.
    pub(super) place: Place,
}

impl<'a> Cluster<'a> {
    /// A cluster that is not there yet.
    pub(super) fn new(program: &'a Path, name: &str) -> Result<Self> {
        Ok(Self { program, name: name.to_owned(), place: Place::new(name)? })
    }

    /// kubewright, not started yet.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(arguments)
            .env("KUBEWRIGHT_STATE", self.place.state())
            .env("XDG_CONFIG_HOME", self.place.path("config"))
            .env("KUBECONFIG", self.place.path("kubeconfig"));
        command
    }

    /// `create cluster --yes`, started.
    pub(super) fn create(&self, control_planes: u32, workers: u32) -> Result<Child> {
        let log = File::create(self.log()).context("cannot write the log")?;
        let counts = [control_planes, workers].map(|count| count.to_string());
        let counted = ["--control-plane-count", &counts[0], "--node-count", &counts[1]];
        let mut command = self.command(&[&["create", "cluster", &self.name, "--yes"][..], &counted].concat());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.spawn().context("cannot start kubewright")
    }

    /// What the creation said.
    pub(super) fn log(&self) -> PathBuf {
        self.place.path("log")
    }

    /// Removes it; said again by the drop of what could not be removed.
    pub(super) fn delete(&self) -> Result<()> {
        if self.place.state().join("clusters").join(&self.name).join("head.json").exists() {
            output(&mut self.command(&["delete", "cluster", &self.name, "--yes"]))?;
        }
        Ok(())
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.delete() {
            // Without its state nobody could remove the machines.
            self.place.keep();
            println!("cluster {} is still there, its state in {}: {error:#}", self.name, self.place.state().display());
        }
    }
}
