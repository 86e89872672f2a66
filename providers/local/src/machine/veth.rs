//! The link that plugs a machine into its bridge. systemd-nspawn makes it; it goes with the machine's network namespace.

use std::path::{Path, PathBuf};

use super::Home;
use crate::{LocalError, command, names};

/// Unplugs a machine that does not run.
///
/// After a hard end the kernel keeps a network namespace, and the link into it, for as long as a connection in there
/// waits for an answer: minutes, in which the machine could not be started again.
pub(super) fn unplug(home: &Home) -> Result<(), LocalError> {
    let link = names::veth_name(&home.owner, &home.name);
    if !place(&link).exists() {
        return Ok(());
    }
    match command::run("ip", &["link", "delete", "dev", &link]) {
        Err(error) if place(&link).exists() => Err(error),
        // Gone, be it by itself.
        _ => Ok(()),
    }
}

/// Where the kernel shows a link.
fn place(link: &str) -> PathBuf {
    Path::new("/sys/class/net").join(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_link_needs_no_unplugging() {
        unplug(&Home::new(Path::new("/s/machines"), "nowhere", "cp-1")).unwrap();
    }
}
