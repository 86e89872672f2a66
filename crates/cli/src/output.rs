//! Results on standard output, as text, JSON or YAML.

use std::io::Write as _;

use clap::ValueEnum;
use serde::Serialize;

use crate::error::CommandError;

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
}

/// Prints text on standard output, colours stripped where they are not wanted.
pub(crate) fn text(text: &str) {
    // A closed pipe (`| head`) is no failure.
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// Prints text on standard error.
pub(crate) fn note(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Prints `value` where data is wanted; people are told otherwise.
pub(crate) fn data<T: Serialize>(format: Format, value: &T) -> Result<(), CommandError> {
    print(format, value, String::new)
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
            serde_yaml::to_string(value).map_err(|error| CommandError::from_source("cannot write YAML", &error))?
        }
    };
    text(&shown);
    Ok(())
}
