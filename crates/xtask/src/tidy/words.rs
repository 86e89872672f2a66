//! Names that need no legend: what the field has a word for is called by that word.

use super::File;

/// What must not be declared any more, and what it is called instead.
const WORDS: &[(&str, &str)] = &[
    ("Wish", "options or inputs"),
    ("Look", "phase, or observe"),
    ("Care", "agent options"),
    ("Judge", "policy check"),
    ("judged_by", "with_rules"),
    ("Surroundings", "host context"),
    ("Question", "query, or expression"),
    ("Fate", "eviction decision"),
    ("Moved", "stale reason"),
    ("is_blind", "is_unobserved"),
    ("cut_off", "aborted"),
    ("takes_turns", "disruption"),
    ("in_turns", "disruption"),
    ("Goal", "applied spec, or what is wanted"),
    ("Patience", "timeout, or backoff"),
    ("again", "retry command, or what is done once more"),
    ("look", "observe"),
    ("Ground", "facts, infrastructure, or platform"),
    ("ground", "facts, infrastructure, or platform"),
];
const DECLARATIONS: [&str; 6] = ["struct", "enum", "type", "trait", "fn", "mod"];

pub(super) fn check(file: &File, _: &[File]) -> Vec<String> {
    if !file.ends_with("rs") {
        return Vec::new();
    }
    let found = file.lines().filter_map(|(number, line)| declared(line).map(|name| (number, name)));
    let known = found.filter_map(|(number, name)| {
        let (_, instead) = WORDS.iter().find(|(word, _)| *word == name)?;
        Some(format!("line {number} declares `{name}`, which is called {instead}"))
    });
    known.collect()
}

/// The name that a line declares.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words.find(|word| DECLARATIONS.contains(word))?;
    words.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_name_that_needs_a_legend_is_found_where_it_is_declared() {
        let found = |declaration: &str, name: &str| {
            check(&file("a.rs", &format!("    {declaration} {name}<'a> {{")), &[]).len()
        };
        assert_eq!((found("pub(crate) struct", "Wish"), found("pub fn", "is_blind"), found("type", "Fate")), (1, 1, 1));
        for line in ["// Look at it", "struct Wishes;", "fn judge()", "let wish = 1;"] {
            assert_eq!(check(&file("a.rs", line), &[]), [""; 0], "{line}");
        }
        assert_eq!(check(&file("a.md", &["struct", "Wish"].join(" ")), &[]), [""; 0]);
    }
}
