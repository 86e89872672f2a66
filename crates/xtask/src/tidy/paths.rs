//! No file names a place that only somebody's machine has.

use super::File;
use crate::workspace::root;

/// Directories that belong to a developer's machine, in parts: this file is checked as well.
const PLACES: &[&[&str]] =
    &[&["work"], &["Users"], &["home"], &["root", ".cache"], &["root", ".cargo"], &["root", ".rustup"]];
/// Users that stand for anybody in examples.
const ANYBODY: &[&str] = &["me", "user", "nonroot", "alice"];

pub(super) fn check(file: &File, _: &[File]) -> Vec<String> {
    let root = root().to_string_lossy().into_owned();
    let places: Vec<String> = PLACES.iter().map(|parts| format!("/{}/", parts.join("/"))).collect();
    let mut wrong = Vec::new();
    for (number, line) in file.lines() {
        if let Some(place) = places.iter().find(|place| names(line, place)) {
            wrong.push(format!("line {number} names a path in {place}"));
        } else if line.contains(&format!("{root}/")) {
            wrong.push(format!("line {number} names the repository's place on this machine"));
        }
    }
    wrong
}

/// Whether `line` has `place` at the start of a path that is not anybody's.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let within = before.is_some_and(|letter| letter.is_alphanumeric() || "._-/}~".contains(letter));
        let user: String = line[at + place.len()..].chars().take_while(|letter| letter.is_alphanumeric()).collect();
        !within && !user.is_empty() && !ANYBODY.contains(&user.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn wrong(parts: &[&str]) -> usize {
        check(&file("a.md", &format!("see {}.", parts.join("/"))), &[]).len()
    }

    #[test]
    fn a_path_of_a_machine_is_found_wherever_it_begins() {
        assert_eq!(wrong(&["", "work", "tree"]), 1);
        assert_eq!(wrong(&["", "home", "bob", "x"]), 1);
        assert_eq!(wrong(&["DIR=", "Users", "bob"]), 1);
        assert_eq!(wrong(&["", "root", ".cache", "kubewright"]), 1);
        assert_eq!(check(&file("a.sh", &format!("cd {}/x", root().display())), &[]).len(), 1);
    }

    #[test]
    fn examples_urls_and_relative_paths_are_fine() {
        assert_eq!(wrong(&["", "home", "me", "x"]), 0);
        assert_eq!(wrong(&["https:", "", "example.org", "work", "x"]), 0);
        assert_eq!(wrong(&["target", "work", "x"]), 0);
        assert_eq!(wrong(&["", "root", ".ssh", "authorized_keys"]), 0);
    }
}
