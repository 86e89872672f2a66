//! What must be installed to build Go programs.

use semver::Version;

use crate::AssetError;
use crate::process::{self, Program};

/// Checks that Go is there and new enough.
pub(super) async fn check_go(what: &str, needed: &Version) -> Result<(), AssetError> {
    let program = Program {
        what: what.to_owned(),
        program: "go".into(),
        arguments: vec!["env".into(), "GOVERSION".into()],
        environment: vec![("GOTOOLCHAIN".into(), "local".into()), ("GOFLAGS".into(), "-buildvcs=false".into())],
        ..Program::default()
    };
    let found = process::output(&program).await?;
    if parse(&found).is_some_and(|found| found >= *needed) {
        return Ok(());
    }
    Err(AssetError::ToolTooOld {
        tool: "go".into(),
        needed_for: what.to_owned(),
        found: found.trim_start_matches("go").to_owned(),
        needed: needed.to_string(),
    })
}

/// Programs with cgo need a C compiler: Go's own choice, or what `CC` says.
pub(super) async fn check_c_compiler(what: &str) -> Result<(), AssetError> {
    let go = Program {
        what: what.to_owned(),
        program: "go".into(),
        arguments: vec!["env".into(), "CC".into()],
        ..Program::default()
    };
    let compiler = process::output(&go).await?;
    let program = compiler.split_whitespace().next().unwrap_or("gcc").to_owned();
    process::output(&Program { program, arguments: vec!["--version".into()], ..go }).await.map(|_| ())
}

/// `go1.26.8`, `go1.27`, `devel go1.28-abcdef Mon …`.
fn parse(text: &str) -> Option<Version> {
    let number = text.split_whitespace().find_map(|word| word.strip_prefix("go"))?;
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    let mut parts = number.get(..end)?.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    Some(Version::new(parts.next()?, parts.next().unwrap_or(0), parts.next().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_gos_version_is_understood() {
        assert_eq!(parse("go1.26.8"), Some(Version::new(1, 26, 8)));
        assert_eq!(parse("go1.27"), Some(Version::new(1, 27, 0)));
        assert_eq!(parse("go1.28rc1"), Some(Version::new(1, 28, 0)));
        assert_eq!(parse("devel go1.29-0a1b2c Mon Nov 2"), Some(Version::new(1, 29, 0)));
        assert_eq!(parse("gccgo"), None);
    }

    #[tokio::test]
    async fn a_go_that_is_too_old_is_named_with_the_needed_version() {
        let error = check_go("building kubelet", &Version::new(99, 0, 0)).await;
        match error.unwrap_err() {
            AssetError::ToolTooOld { needed, .. } => assert_eq!(needed, "99.0.0"),
            AssetError::ToolMissing { .. } => println!("skipped: go is not installed"),
            other => panic!("{other}"),
        }
    }
}
