//! Which test programs took the time, by what cargo says while it runs them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How many are shown.
const SHOWN: usize = 8;

/// Runs cargo's tests to their end and prints the slowest test programs, also where one failed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let mut child = command.stderr(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let said = BufReader::new(child.stderr.take().context("cargo has a standard error")?);
    let mut begun: Vec<(String, Instant)> = Vec::new();
    for line in said.lines() {
        let line = line?;
        match program(&line) {
            Some(name) => begun.push((name, Instant::now())),
            None => println!("{line}"),
        }
    }
    let status = child.wait()?;
    println!("    the slowest test programs:");
    for (name, time) in slowest(&begun, Instant::now()).into_iter().take(SHOWN) {
        println!("    {:>5.1} s  {name}", time.as_secs_f32());
    }
    if status.success() { Ok(()) } else { bail!("{command:?} ended with {status}") }
}

/// The program that cargo says it runs, such as `assets (unittests src/lib.rs)`.
fn program(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{name} (documentation)"));
    }
    let (source, path) = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once(" (")?;
    let (name, _) = path.rsplit_once('/').map_or(path, |(_, file)| file).rsplit_once('-')?;
    Some(format!("{name} ({source})"))
}

/// What each took, until the next began, the slowest first.
fn slowest(begun: &[(String, Instant)], end: Instant) -> Vec<(String, Duration)> {
    let ends = begun.iter().skip(1).map(|(_, time)| *time).chain([end]);
    let mut times: Vec<(String, Duration)> =
        begun.iter().zip(ends).map(|((name, began), end)| (name.clone(), end - *began)).collect();
    times.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_from_what_cargo_says() {
        let read = |line: &str| program(line).unwrap_or_default();
        assert_eq!(
            read("     Running unittests src/lib.rs (target/debug/deps/report-0a1b2c3d)"),
            "report (unittests src/lib.rs)"
        );
        assert_eq!(read("     Running crash/main.rs (/t/debug/deps/crash-0a1b)"), "crash (crash/main.rs)");
        assert_eq!(read("   Doc-tests engine"), "engine (documentation)");
        assert_eq!(program("warning: unused (really)"), None);
        assert_eq!(program("error: test failed, to rerun pass `-p engine --lib`"), None);
    }

    #[test]
    fn each_took_until_the_next_began() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let begun = [("a".to_owned(), at(0)), ("b".to_owned(), at(2)), ("c".to_owned(), at(9))];
        let found: Vec<(String, u64)> =
            slowest(&begun, at(10)).into_iter().map(|(name, time)| (name, time.as_secs())).collect();
        assert_eq!(found, [("b".to_owned(), 7), ("a".to_owned(), 2), ("c".to_owned(), 1)]);
        assert!(slowest(&[], at(1)).is_empty());
    }
}
