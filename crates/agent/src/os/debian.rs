//! Debian, Ubuntu and what is like them.

use std::collections::BTreeSet;

use super::{Family, Installed};
use crate::failure::{Failure, Of, Outcome};
use crate::programs::Ran;
use crate::system::System;

pub(super) struct Debian;

impl Family for Debian {
    // dpkg's own database is a text file: reading it takes a few milliseconds and no process.
    fn installed(&self, system: &System) -> Outcome<Installed> {
        let text = fs_err::read_to_string(system.path("/var/lib/dpkg/status")).of("packages")?;
        Ok(parse(&text))
    }

    fn coming(&self, system: &System, names: &[&str]) -> Outcome<BTreeSet<String>> {
        let simulate = || apt_get(system, &["--simulate"], names);
        let ran = simulate().or_else(|_| refresh(system).and_then(|()| simulate()))?;
        Ok(to_come(&ran.stdout))
    }

    fn install(&self, system: &System, names: &[&str]) -> Outcome<()> {
        if apt_get(system, &[], names).is_ok() {
            return Ok(());
        }
        refresh(system)?;
        apt_get(system, &[], names).map(drop)
    }

    fn remove(&self, system: &System, names: &[&str]) -> Outcome<Vec<String>> {
        // dpkg, not apt-get: it never takes along a package that it was not given.
        let ran = system.programs().run("dpkg", &[&["--purge"], names].concat()).of("packages")?;
        if ran.ok {
            return Ok(Vec::new());
        }
        if only_needed(&ran.stderr) {
            Ok(ran.tail())
        } else {
            Err(Failure::new("packages", "dpkg kept some of them").output(ran.tail()))
        }
    }
}

/// Whether dpkg kept packages for no other reason than that something else needs them.
fn only_needed(said: &str) -> bool {
    let lines: Vec<&str> = said.lines().collect();
    let general = lines.iter().any(|line| line.starts_with("dpkg: error: "));
    // What is wrong with a package follows on the next line.
    let kept = |line: &str| line.starts_with("dpkg: error processing package ");
    let mut reasons = lines.windows(2).filter(|pair| kept(pair[0])).map(|pair| pair[1]).peekable();
    !general && reasons.peek().is_some() && reasons.all(|reason| reason.trim_start().starts_with("dependency problems"))
}

/// Lists may be missing (images are shipped without) or too old, and an agent that was killed may have left work half done.
fn refresh(system: &System) -> Outcome<()> {
    system.must("packages", "apt-get", &["-q", "-o", "DPkg::Lock::Timeout=60", "update"])?;
    system.programs().run("dpkg", &["--force-confdef", "--force-confold", "--configure", "-a"]).of("packages").map(drop)
}

/// Names of the packages that a simulation says it would install, such as `Inst socat (1.8 Debian:13 [amd64])`.
fn to_come(simulated: &str) -> BTreeSet<String> {
    let names = simulated.lines().filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next());
    // One of a foreign architecture is written `name:architecture`.
    names.map(|name| name.split_once(':').map_or(name, |(name, _)| name).to_owned()).collect()
}

fn apt_get(system: &System, how: &[&str], names: &[&str]) -> Outcome<Ran> {
    let options = [
        "-q",
        "-y",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confdef",
        "-o",
        "Dpkg::Options::=--force-confold",
        "-o",
        "DPkg::Lock::Timeout=60",
        "install",
    ];
    system.must("packages", "apt-get", &[how, &options, names].concat())
}

fn parse(status: &str) -> Installed {
    let mut installed = Installed::default();
    let mut name = "";
    let mut provides = BTreeSet::new();
    let (mut good, mut partly) = (false, false);
    // An empty line ends a record; the last one may lack it.
    for line in status.lines().chain([""]) {
        if line.is_empty() {
            if good && !name.is_empty() {
                installed.packages.insert(name.to_string());
                installed.provided.append(&mut provides);
            }
            if partly && !name.is_empty() {
                installed.partly.insert(name.to_string());
            }
            (name, good, partly) = ("", false, false);
            provides.clear();
        } else if let Some(value) = line.strip_prefix("Package: ") {
            name = value;
        } else if let Some(value) = line.strip_prefix("Status: ") {
            good = value.ends_with(" ok installed");
            partly = !good && !value.ends_with(" config-files") && !value.ends_with(" not-installed");
        } else if let Some(value) = line.strip_prefix("Provides: ") {
            let names = value.split(',').filter_map(|one| one.split_whitespace().next());
            provides.extend(names.map(String::from));
        }
    }
    installed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_completely_installed_packages_count() {
        let installed = parse(
            "Package: mawk\nStatus: install ok installed\nProvides: awk (= 1), x\nVersion: 1\n\n\
             Package: old\nStatus: deinstall ok config-files\nProvides: gone\n\n\
             Package: half\nStatus: install ok half-configured\n\n\
             Package: socat\nStatus: hold ok installed\n",
        );
        assert_eq!(installed.packages, ["mawk".to_string(), "socat".into()].into());
        assert!(installed.has("awk") && !installed.has("gone"));
        assert_eq!(installed.partly, ["half".to_string()].into());
    }

    #[test]
    fn what_something_else_needs_is_told_apart_from_what_could_not_be_removed() {
        let needed = "dpkg: dependency problems prevent removal of libsocat:\n mine depends on libsocat.\n\n\
                      dpkg: error processing package libsocat (--purge):\n dependency problems - not removing\n\
                      Errors were encountered while processing:\n libsocat\n";
        assert!(only_needed(needed));
        let broken = "dpkg: error processing package socat (--purge):\n installed socat package pre-removal script \
                      subprocess returned error exit status 1\n";
        assert!(!only_needed(broken) && !only_needed(&[needed, broken].concat()));
        assert!(!only_needed("dpkg: error: dpkg frontend lock was locked by another process with pid 7\n"));
        assert!(!only_needed(""));
    }

    #[test]
    fn a_simulation_tells_what_will_come_and_what_will_be_newer() {
        let said = "NOTE: This is only a simulation!\nInst libssl3 [3.0.1] (3.0.2 Debian:12 [amd64])\n\
                    Inst socat (1.8 Debian:13 [amd64])\nInst libc6:i386 (2.41 Debian:13 [i386])\nConf socat (1.8)\n";
        assert_eq!(to_come(said), ["libc6", "libssl3", "socat"].map(String::from).into());
    }
}
