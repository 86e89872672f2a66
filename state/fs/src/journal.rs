//! A run's journal: one JSON text per line, made durable by one sync per batch.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::{JournalWriter, StoreError};
use fs_err as fs;

use crate::paths::{if_there, make_private_directory, sync_directory, unusable};

/// An open journal.
pub(crate) struct FsJournal {
    file: Arc<Mutex<fs::File>>,
}

impl FsJournal {
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let failed = || unusable(format!("create {}", path.display()));
        let directory = path.parent().unwrap_or(Path::new("."));
        make_private_directory(directory).map_err(failed())?;
        let file = fs::OpenOptions::new().append(true).create_new(true).open(path).map_err(failed())?;
        sync_directory(directory).map_err(failed())?;
        Ok(Self { file: Arc::new(Mutex::new(file)) })
    }
}

#[async_trait]
impl JournalWriter for FsJournal {
    async fn append(&self, records: &[String]) -> Result<(), StoreError> {
        let file = self.file.clone();
        let mut text = records.join("\n");
        text.push('\n');
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(text.as_bytes())?;
            file.file().sync_data()
        });
        written.await.map_err(std::io::Error::other).flatten().map_err(unusable("write the journal"))
    }
}

/// The whole lines of a journal. A last line without its line feed was torn by a crash and is left out.
pub(crate) fn read(path: &Path) -> Result<Vec<String>, StoreError> {
    let text = if_there(fs::read_to_string(path)).map_err(unusable("read the journal"))?.unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    Ok(whole.lines().map(str::to_owned).collect())
}

/// The runs that have a journal in a directory, sorted.
pub(crate) fn list(directory: &Path) -> Result<Vec<String>, StoreError> {
    let entries = if_there(fs::read_dir(directory)).map_err(unusable("list the journals"))?;
    let names = entries
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut runs: Vec<String> = names.filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned)).collect();
    runs.sort_unstable();
    Ok(runs)
}
