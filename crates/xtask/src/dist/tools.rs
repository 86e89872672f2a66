//! What other programs make of the packed tree: a Debian package, and the list of its parts.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::VERSION;
use crate::workspace::{files, finish, output, root, target};

/// The list's maker, and the version of it that is known to work.
const CYCLONEDX: (&str, &str) = ("cargo-cyclonedx", "0.5.9");
/// Where files of the tree lie in Debian.
const PLACES: [(&str, &str); 6] = [
    ("kubewright", "usr/bin/kubewright"),
    ("completions/kubewright.bash", "usr/share/bash-completion/completions/kubewright"),
    ("completions/_kubewright", "usr/share/zsh/vendor-completions/_kubewright"),
    ("completions/kubewright.fish", "usr/share/fish/vendor_completions.d/kubewright.fish"),
    ("man", "usr/share/man/man1"),
    ("licences", "usr/share/doc/kubewright/licences"),
];

/// The Debian package's name; none, and a word why, where Debian's own tool is not there.
pub(super) fn debian_package(place: &Path, tree: &Path) -> Result<Option<String>> {
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        println!("    no Debian package: dpkg-deb is not installed");
        return Ok(None);
    }
    let package = place.join("debian");
    for (from, to) in PLACES {
        let to = package.join(to);
        std::fs::create_dir_all(to.parent().context("a place in Debian")?)?;
        finish(Command::new("cp").args(["--recursive", "--no-target-directory"]).arg(tree.join(from)).arg(to))?;
    }
    std::fs::create_dir_all(package.join("DEBIAN"))?;
    // It is linked against this host's C library, and may need all that this one has.
    let library = output(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
    std::fs::write(package.join("DEBIAN/control"), control(library.trim().trim_start_matches("glibc ")))?;
    let name = format!("kubewright_{VERSION}_amd64.deb");
    let mut command = Command::new("dpkg-deb");
    finish(command.args(["--root-owner-group", "--build"]).arg(&package).arg(place.join(&name)))?;
    std::fs::remove_dir_all(&package)?;
    Ok(Some(name))
}

fn control(library: &str) -> String {
    format!(
        "Package: kubewright\nVersion: {VERSION}\nArchitecture: amd64\nSection: admin\nPriority: optional\n\
         Maintainer: kubewright <kubewright@localhost>\nDepends: libc6 (>= {library})\n\
         Description: real upstream Kubernetes clusters from declarative specs\n \
         Creates and operates clusters on this machine, on bare metal and in a cloud.\n"
    )
}

/// The name of the list of parts, in CycloneDX; none, and a word why, where its maker cannot be had.
pub(super) fn parts(place: &Path) -> Result<Option<String>> {
    let tools = target().join("tools");
    let maker = tools.join("bin").join(CYCLONEDX.0);
    if !maker.is_file() && install(&tools).is_err() {
        println!("    no list of parts: cargo cannot install {} {}", CYCLONEDX.0, CYCLONEDX.1);
        return Ok(None);
    }
    let name = format!("kubewright-{VERSION}-parts");
    let mut command = Command::new(maker);
    command.args(["cyclonedx", "--manifest-path", "crates/cli/Cargo.toml", "--features", "s3", "--format", "json"]);
    let done = finish(command.args(["--quiet", "--override-filename", &name]).current_dir(root()));
    // It writes one beside the manifest of every member.
    let written = format!("{name}.json");
    let made = files()?.into_iter().filter(|path| path.ends_with(&format!("/{written}"))).map(PathBuf::from);
    for path in made {
        if path.starts_with("crates/cli") {
            std::fs::copy(root().join(&path), place.join(&written))?;
        }
        std::fs::remove_file(root().join(&path))?;
    }
    done.map(|()| Some(written))
}

fn install(tools: &Path) -> Result<()> {
    println!("    installing {} {} into {}", CYCLONEDX.0, CYCLONEDX.1, tools.display());
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["install", "--quiet", "--locked", CYCLONEDX.0, "--version", CYCLONEDX.1, "--root"]);
    // Where no setting of this workspace holds.
    finish(cargo.arg(tools).current_dir("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_names_its_version_and_the_library_that_it_needs() {
        let control = control("2.36");
        assert!(control.contains(&format!("\nVersion: {VERSION}\n")), "{control}");
        assert!(control.contains("\nDepends: libc6 (>= 2.36)\n") && control.ends_with(".\n"), "{control}");
        // A field's further lines begin with a blank, and no line is empty.
        assert!(control.lines().all(|line| line.starts_with(' ') || line.contains(": ")), "{control}");
    }
}
