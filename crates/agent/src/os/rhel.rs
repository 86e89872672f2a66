//! Red Hat Enterprise Linux, Fedora and what is like them.

use std::collections::BTreeSet;

use super::{Family, Installed};
use crate::failure::{Failure, Of as _, Outcome};
use crate::system::System;

pub(super) struct Rhel;

impl Family for Rhel {
    fn installed(&self, system: &System) -> Outcome<Installed> {
        let list = |format| system.must("packages", "rpm", &["-qa", "--qf", format]);
        let words = |text: &str| text.split_whitespace().map(String::from).collect();
        Ok(Installed {
            packages: words(&list("%{NAME}\n")?.stdout),
            provided: words(&list("[%{PROVIDENAME}\n]")?.stdout),
            // rpm notes a package when all of it is there.
            partly: BTreeSet::new(),
        })
    }

    // dnf has no answer that is meant for programs; what came along is named after it came.
    fn coming(&self, _system: &System, names: &[&str]) -> Outcome<BTreeSet<String>> {
        Ok(names.iter().map(ToString::to_string).collect())
    }

    fn install(&self, system: &System, names: &[&str]) -> Outcome<()> {
        let options = ["-y", "--setopt=install_weak_deps=False", "install"];
        system.must("packages", "dnf", &[&options, names].concat()).map(drop)
    }

    fn remove(&self, system: &System, names: &[&str]) -> Outcome<Vec<String>> {
        // rpm, not dnf: it never takes along a package that it was not given.
        let ran = system.programs().run("rpm", &[&["-e"], names].concat()).of("packages")?;
        if ran.ok {
            return Ok(Vec::new());
        }
        let needed = ran.stderr.lines().any(|line| line == "error: Failed dependencies:");
        if needed { Ok(ran.tail()) } else { Err(Failure::new("packages", "rpm kept some of them").output(ran.tail())) }
    }
}
