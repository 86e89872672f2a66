//! Runs programs of this host and captures what they say.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::LocalError;

/// How many lines of output an error shows.
const KEPT_LINES: usize = 20;

/// Where programs of the system are, whatever the caller's PATH (which may be a user's without the `sbin`s).
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a program of the system is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    PATH.split(':').map(|place| Path::new(place).join(program)).find(|file| file.is_file())
}

/// Runs a program without input and gives back its standard output.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, LocalError> {
    feed(program, arguments, "")
}

/// Runs a program with a text as its standard input and gives back its standard output.
pub(crate) fn feed(program: &str, arguments: &[&str], input: &str) -> Result<String, LocalError> {
    let file = find(program).ok_or_else(|| LocalError::ProgramMissing(program.to_owned()))?;
    let mut child = Command::new(file)
        .args(arguments)
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        // A Ctrl-C reaches the terminal's whole group, and what was begun is to be finished.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(LocalError::io(format!("run {program}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends before it has read everything says why by its status.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(LocalError::io(format!("wait for {program}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let status = match output.status.code() {
        Some(code) => format!("ended with status {code}"),
        None => "was killed".to_owned(),
    };
    let command = std::iter::once(program).chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ");
    Err(LocalError::ProgramFailed { command, status, stderr: last_lines(&String::from_utf8_lossy(&output.stderr)) })
}

/// Runs a program that answers in JSON; no output at all reads as `null`.
pub(crate) fn json(program: &str, arguments: &[&str]) -> Result<Value, LocalError> {
    let text = run(program, arguments)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text)
        .map_err(|source| LocalError::Unreadable { what: format!("the output of {program}"), source })
}

/// The last lines of a text, at most 20, without empty ones.
pub(crate) fn last_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.iter().skip(lines.len().saturating_sub(KEPT_LINES)).map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_command_status_and_stderr() {
        let error = run("sh", &["-c", "echo no >&2; exit 4"]).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo no >&2; exit 4` ended with status 4");
        assert_eq!(error.output(), ["no"]);
    }

    #[test]
    fn input_reaches_the_program() {
        assert_eq!(feed("cat", &[], "text").unwrap(), "text");
    }

    #[test]
    fn a_program_is_out_of_reach_of_a_ctrl_c() {
        // The fields after the name: state, parent, process group.
        let line = run("sh", &["-c", "echo $$; cat /proc/$$/stat"]).unwrap();
        let (pid, stat) = line.split_once('\n').unwrap();
        let group = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap();
        assert_eq!(group, pid);
    }

    #[test]
    fn a_missing_program_is_named() {
        assert!(
            matches!(run("kubewright-none", &[]), Err(LocalError::ProgramMissing(name)) if name == "kubewright-none")
        );
    }
}
