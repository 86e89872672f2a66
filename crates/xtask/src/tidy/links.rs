//! Links between documents lead to files, and to headings that are there.

use std::path::{Component, Path, PathBuf};

use super::File;

pub(super) fn check(file: &File, files: &[File]) -> Vec<String> {
    if !file.ends_with("md") {
        return Vec::new();
    }
    let broken = |(number, target): (usize, &str)| {
        why_broken(&file.path, target, files).map(|why| format!("line {number} links to {target}: {why}"))
    };
    links(file.text()).into_iter().filter_map(broken).collect()
}

/// Targets of `[text](target)` with their lines; fenced blocks and code are not text.
fn links(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut fenced) = (Vec::new(), false);
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let in_code = line[..at].matches('`').count() % 2 == 1;
            if let Some(end) = line[at..].find(')').filter(|_| !in_code) {
                found.push((index + 1, &line[at + 2..at + end]));
            }
        }
    }
    found
}

fn why_broken(from: &str, target: &str, files: &[File]) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let path = if path.is_empty() { PathBuf::from(from) } else { beside(from, path) };
    let Some(file) = files.iter().find(|file| Path::new(&file.path) == path) else {
        let is_directory = files.iter().any(|file| Path::new(&file.path).starts_with(&path));
        return (!is_directory).then_some("there is no such file");
    };
    let heading = heading?;
    let is_there = headings(file.text()).iter().any(|found| found == heading);
    (!is_there).then_some("there is no such heading")
}

/// `path` as seen from the directory of `from`.
fn beside(from: &str, path: &str) -> PathBuf {
    let mut place = Path::new(from).parent().map(Path::to_owned).unwrap_or_default();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                place.pop();
            }
            Component::Normal(name) => place.push(name),
            _ => {}
        }
    }
    place
}

/// Headings as renderers name them: lower case, spaces as hyphens, no punctuation.
fn headings(text: &str) -> Vec<String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let letter = |letter: char| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter.to_ascii_lowercase()),
        _ => None,
    };
    titles.map(|title| title.chars().filter_map(letter).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn broken(text: &str) -> usize {
        let files = [file("README.md", "# A title\n"), file("docs/a.md", text), file("docs/b.md", "## Two, words\n")];
        check(&files[1], &files).len()
    }

    #[test]
    fn links_to_nowhere_are_found() {
        for text in ["[a](c.md)", "[a](../c.md)", "[a](b.md#three)", "[a](#none)", "x [a](b.md) and [b](c.md)"] {
            assert_eq!(broken(text), 1, "{text}");
        }
    }

    #[test]
    fn links_to_files_directories_headings_and_the_web_are_fine() {
        let text = "# Here\n[a](b.md) [b](b.md#two-words) [c](#here) [d](../README.md#a-title) [e](../docs)\n\
                    [f](https://example.org/x.md) `[g](none.md)`\n```\n[h](none.md)\n```\n";
        assert_eq!(broken(text), 0);
    }
}
