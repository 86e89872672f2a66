//! Results on standard output, as text, JSON or YAML.

use std::io::{self, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use crate::error::CommandError;
use crate::exit::Exit;

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// As JSON.
    Json,
    /// As YAML.
    Yaml,
    /// The kind and name of each object, such as machine/worker-1; for lists only.
    Name,
}

/// Prints text on standard output, colours stripped where they are not wanted.
///
/// # Errors
/// When it cannot be written, as on a full disk: who redirects to a file must not take an empty one for the result.
pub(crate) fn text(text: &str) -> Result<(), CommandError> {
    let mut output = anstream::stdout();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // A closed pipe (`| head`) is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::from_source("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Prints text on standard error.
pub(crate) fn note(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Prints `value` where data is wanted; people are told otherwise.
pub(crate) fn data<T: Serialize>(format: Format, value: &T) -> Result<(), CommandError> {
    print(format, value, String::new)
}

/// Prints a list of objects: as `kind/name`, one a line, where names are wanted.
pub(crate) fn list<T: Serialize>(
    format: Format,
    value: &T,
    names: impl IntoIterator<Item = String>,
    human: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    if format == Format::Name {
        return text(&names.into_iter().map(|name| name + "\n").collect::<String>());
    }
    print(format, value, human)
}

/// What a command is refused with that lists no objects.
pub(crate) fn no_names() -> CommandError {
    CommandError::failed("-o name is for commands that list objects, and this one does not").exit(Exit::Usage).hint(
        "-o name goes with: get clusters|cluster|instancegroups|machines|revisions|runs, assets list, state list, secrets recipients list",
    )
}

/// Prints `value` as `format`, or `human` for people.
pub(crate) fn print<T: Serialize>(
    format: Format,
    value: &T,
    human: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    let shown = match format {
        Format::Text => human(),
        Format::Json => {
            let json = serde_json::to_string_pretty(value);
            json.map_err(|error| CommandError::from_source("cannot write JSON", &error))? + "\n"
        }
        Format::Yaml => {
            resource::yaml::to_text(value).map_err(|error| CommandError::from_source("cannot write YAML", &error))?
        }
        Format::Name => return Err(no_names()),
    };
    text(&shown)
}
