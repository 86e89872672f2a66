//! `cargo xtask tidy`: what the repository must look like, whatever is in it.

mod binaries;
mod first_line;
mod length;
mod links;
mod paths;
mod registries;
mod words;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{files, root};

/// A file of the repository as the checks see it.
pub(crate) struct File {
    /// From the repository's root.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// The text; a binary has none.
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    fn ends_with(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == ending)
    }

    /// Line numbers (from one) and lines.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text().lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// One check: what is wrong with a file, one line each. It sees all files, since some refer to others.
type Check = fn(&File, &[File]) -> Vec<String>;

/// All checks.
const CHECKS: &[(&str, Check)] = &[
    ("files of at most 400 lines", length::check),
    ("a first line that says the file's job", first_line::check),
    ("no paths of somebody's machine", paths::check),
    ("no binaries", binaries::check),
    ("no package registries", registries::check),
    ("links that lead somewhere", links::check),
    ("names that need no legend", words::check),
];

/// Runs all checks on the repository, and says everything that is wrong at once.
pub(crate) fn run() -> Result<()> {
    let mut read = Vec::new();
    for path in files()? {
        let bytes = std::fs::read(root().join(&path)).with_context(|| format!("cannot read {path}"))?;
        read.push(File { path, bytes });
    }
    let wrong = complaints(&read);
    for line in &wrong {
        println!("{line}");
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{} things are untidy", wrong.len()) }
}

fn complaints(files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, check) in CHECKS {
        for file in files {
            wrong.extend(check(file, files).into_iter().map(|why| format!("{}: {why} ({name})", file.path)));
        }
    }
    wrong
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_name_the_file_and_the_check() {
        let files = [file("crates/x/src/lib.rs", "fn main() {}\n"), file("docs/fine.md", "# Fine\n")];
        let wrong = complaints(&files);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].starts_with("crates/x/src/lib.rs: ") && wrong[0].contains("first line"), "{wrong:?}");
    }
}
