//! What a machine was made from, kept beside it.

use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Home;
use crate::LocalError;

/// What a machine was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// The image under its overlay; another one under the same overlay would mix two systems.
    pub image: String,
    /// Its directories are filled: from now on they hold data that is never made anew.
    pub prepared: bool,
    /// The inputs it was last made with, references unresolved.
    pub inputs: Value,
}

impl Record {
    /// The record of a machine that is being made from `image` for the state with this lineage.
    pub(super) fn new(image: &str, lineage: &Value) -> Self {
        Self { image: image.to_owned(), prepared: false, inputs: json!({"lineage": lineage}) }
    }
}

/// Begins the record of a machine that is about to be made.
pub(super) fn begin(home: &Home, image: &str, lineage: &Value) -> Result<Record, LocalError> {
    let record = Record::new(image, lineage);
    write(home, &record)?;
    Ok(record)
}

/// The record of a machine; `None` where it has none (its making was interrupted).
pub(super) fn read(home: &Home) -> Result<Option<Record>, LocalError> {
    let file = home.record();
    match fs_err::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| LocalError::Unreadable { what: file.display().to_string(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LocalError::Io { what: format!("read {}", file.display()), source }),
    }
}

/// Writes the record in one step that outlives a power cut: a machine whose record is empty would be nobody's.
pub(super) fn write(home: &Home, record: &Record) -> Result<(), LocalError> {
    let file = home.record();
    let what = || format!("write {}", file.display());
    let bytes = serde_json::to_vec_pretty(record)
        .map_err(|source| LocalError::Unreadable { what: "a machine's record".into(), source })?;
    let beside = file.with_extension("new");
    write_durably(&beside, &bytes).map_err(LocalError::io(what()))?;
    fs_err::rename(&beside, &file).map_err(LocalError::io(what()))?;
    sync_directory(home.directory()).map_err(LocalError::io(what()))
}

fn write_durably(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs_err::File::create(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename durable; on file systems where only files can be synced, they see to it.
fn sync_directory(directory: &Path) -> io::Result<()> {
    match fs_err::File::open(directory)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}
