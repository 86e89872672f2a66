//! What lies in the archive beside licences: the program, and what it says of itself.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::VERSION;
use crate::workspace::{finish, output, root};

/// Completion scripts by shell, and the names that shells look for.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "kubewright.bash"), ("zsh", "_kubewright"), ("fish", "kubewright.fish")];
/// Documents that come along.
const DOCUMENTS: [&str; 3] = ["README.md", "CHANGELOG.md", "LICENSE"];

/// Puts everything into the directory.
pub(super) fn fill(tree: &Path, program: &Path) -> Result<()> {
    let own = tree.join("kubewright");
    std::fs::copy(program, &own).with_context(|| format!("cannot copy {}", program.display()))?;
    let said = output(Command::new(&own).arg("--version"))?;
    if !is_version(&said) {
        bail!("{} calls itself {}, but this is {VERSION}", own.display(), said.trim());
    }
    for name in DOCUMENTS {
        std::fs::copy(root().join(name), tree.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    let completions = tree.join("completions");
    std::fs::create_dir(&completions)?;
    for (shell, name) in COMPLETIONS {
        let script = output(Command::new(&own).args(["completion", shell]))?;
        std::fs::write(completions.join(name), script)?;
    }
    let manual = tree.join("man");
    std::fs::create_dir(&manual)?;
    finish(Command::new(&own).arg("manual").arg(&manual))
}

/// Whether this is what a program of this version says.
fn is_version(said: &str) -> bool {
    said.lines().next() == Some(&format!("kubewright {VERSION}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_another_version_is_not_packed() {
        assert!(is_version(&format!("kubewright {VERSION}\nKubernetes up to 1.36.3\n")));
        assert!(!is_version("kubewright 99.0.0\n"));
        assert!(!is_version(&format!("kubewright {VERSION}1\n")));
        assert!(!is_version(""));
    }
}
