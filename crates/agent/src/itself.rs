//! The agent's own stable name. It is uploaded under a name with its digest; units need one that outlives an upgrade.

use std::path::Path;

use crate::failure::{Of, Outcome};
use crate::keep;
use crate::ledger::{Ledger, Origin};
use crate::system::{System, beside};
use crate::write;

const NAME: &str = "/usr/local/bin/kubewright-agent";

/// Notes that the name will be made, unless something else (an agent that was installed there) has it.
pub(crate) fn intend(system: &System, ledger: &mut Ledger) -> Outcome<()> {
    let at = system.path(NAME);
    if at.exists() && !at.is_symlink() || ledger.files.contains_key(NAME) {
        return Ok(());
    }
    keep::intend_file(system, ledger, NAME, Origin::Agent, &[])
}

/// Lets the name lead to the running program.
pub(crate) fn link(system: &System, ledger: &Ledger) -> Outcome<()> {
    let program = std::env::current_exe().of("agent")?;
    let at = system.path(NAME);
    if !ledger.files.contains_key(NAME) || leads_to(&at, &program) {
        return Ok(());
    }
    let temporary = beside(&at);
    keep::make_parents(system, NAME).of("agent")?;
    write::remove(&temporary).of("agent")?;
    fs_err::os::unix::fs::symlink(program, &temporary).of("agent")?;
    fs_err::rename(temporary, at).of("agent")
}

fn leads_to(at: &Path, program: &Path) -> bool {
    fs_err::read_link(at).is_ok_and(|target| target == program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::{World, config};

    #[test]
    fn the_name_leads_to_the_program_that_ran_last_and_goes_with_a_reset() {
        let world = World::new();
        let before = world.tree();
        world.applied(&config());
        let program = std::env::current_exe().unwrap();
        assert!(leads_to(&world.at(NAME), &program));
        fs_err::remove_file(world.at(NAME)).unwrap();
        world.link(NAME, "/usr/local/bin/kubewright-agent-old");
        assert_eq!(world.applied(&config()), [""; 0]);
        assert!(leads_to(&world.at(NAME), &program));
        world.reset();
        world.assert_tree(&before, "after the reset");
    }

    #[test]
    fn a_program_that_was_installed_under_the_name_stays() {
        let world = World::new();
        world.write(NAME, "program");
        world.applied(&config());
        world.reset();
        assert_eq!(world.read(NAME), "program");
    }
}
