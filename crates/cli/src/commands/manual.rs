//! `manual`: manual pages of every command, into a directory.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use crate::arguments::CommandLine;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;

/// Arguments of `manual`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Directory that they are written to; it must be there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let directory = &arguments.directory;
    let written = clap_mangen::generate_to(CommandLine::command(), directory);
    let what = || format!("cannot write manual pages to {}", directory.display());
    written.map_err(|error| CommandError::from_source(&what(), &error))?;
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let directory = tempfile::TempDir::new().unwrap();
        run(&Arguments { directory: directory.path().to_owned() }).unwrap();
        for page in ["kubewright.1", "kubewright-create.1", "kubewright-create-cluster.1", "kubewright-version.1"] {
            let text = fs_err::read_to_string(directory.path().join(page)).unwrap();
            assert!(text.contains(".SH NAME") && text.contains("kubewright"), "{page}: {text}");
        }
        let error = run(&Arguments { directory: directory.path().join("nowhere") }).unwrap_err();
        assert!(error.message.contains("nowhere"), "{}", error.message);
    }
}
