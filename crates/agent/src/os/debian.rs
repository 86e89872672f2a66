//! Debian, Ubuntu and what is like them.

use std::collections::BTreeSet;

use super::{Family, Installed};
use crate::failure::{Failure, Of, Outcome};
use crate::system::System;

pub(super) struct Debian;

impl Family for Debian {
    // dpkg's own database is a text file: reading it takes a few milliseconds and no process.
    fn installed(&self, system: &System) -> Outcome<Installed> {
        let text = fs_err::read_to_string(system.path("/var/lib/dpkg/status")).of("packages")?;
        Ok(parse(&text))
    }

    fn install(&self, system: &System, names: &[&str]) -> Outcome<()> {
        if apt_get(system, "install", names).is_ok() {
            return Ok(());
        }
        // Lists may be missing (images are shipped without) or too old.
        system.must("packages", "apt-get", &["-q", "-o", "DPkg::Lock::Timeout=60", "update"])?;
        apt_get(system, "install", names)
    }

    fn remove(&self, system: &System, names: &[&str]) -> Outcome<()> {
        // dpkg, not apt-get: it never takes along a package that it was not given.
        let ran = system.programs().run("dpkg", &[&["--purge"], names].concat()).of("packages")?;
        if ran.ok { Ok(()) } else { Err(Failure::new("packages", "dpkg kept some of them").output(ran.tail())) }
    }
}

fn apt_get(system: &System, verb: &str, names: &[&str]) -> Outcome<()> {
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
        verb,
    ];
    system.must("packages", "apt-get", &[&options, names].concat()).map(drop)
}

fn parse(status: &str) -> Installed {
    let mut installed = Installed::default();
    let mut name = "";
    let mut provides = BTreeSet::new();
    let mut good = false;
    // An empty line ends a record; the last one may lack it.
    for line in status.lines().chain([""]) {
        if line.is_empty() {
            if good && !name.is_empty() {
                installed.packages.insert(name.to_string());
                installed.provided.append(&mut provides);
            }
            (name, good) = ("", false);
            provides.clear();
        } else if let Some(value) = line.strip_prefix("Package: ") {
            name = value;
        } else if let Some(value) = line.strip_prefix("Status: ") {
            good = value.ends_with(" ok installed");
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
    }
}
