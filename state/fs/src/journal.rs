//! A run's journal: one JSON text per line, made durable by one sync per batch.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::{JournalWriter, StoreError};
use fs_err as fs;

use crate::fence::{self, Under};
use crate::paths::{Paths, if_there, make_private_directory, sync_directory, unusable};

/// What a journal is written to.
trait Medium: Write {
    /// Makes everything written durable.
    fn sync(&self) -> io::Result<()>;
    /// Leaves the first bytes and no more.
    fn cut(&self, length: u64) -> io::Result<()>;
}

impl Medium for fs::File {
    fn sync(&self) -> io::Result<()> {
        self.file().sync_data()
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.file().set_len(length)
    }
}

/// Lines that were written whole.
struct Lines<M> {
    medium: M,
    /// Length of what was written whole and made durable, bytes.
    length: u64,
    /// A part of a line may stand at the end and could not be taken away: whatever came after it would be unreadable.
    torn: bool,
}

impl<M: Medium> Lines<M> {
    fn new(medium: M) -> Self {
        Self { medium, length: 0, torn: false }
    }

    /// Appends a text of whole lines, or leaves things as they are: when the disk is full, a part of it may fit.
    fn append(&mut self, text: &str) -> io::Result<()> {
        if self.torn {
            return Err(io::Error::other("an earlier record is there in part only"));
        }
        let written = self.medium.write_all(text.as_bytes()).and_then(|()| self.medium.sync());
        match &written {
            Ok(()) => self.length += text.len() as u64,
            Err(_) => self.torn = self.medium.cut(self.length).is_err(),
        }
        written
    }
}

/// An open journal.
pub(crate) struct FsJournal {
    lines: Arc<Mutex<Lines<fs::File>>>,
    paths: Paths,
    /// What is written after the lease is over that it was opened under does not count.
    under: Under,
}

impl FsJournal {
    pub(crate) fn create(paths: Paths, run: &str, under: Under) -> Result<Self, StoreError> {
        let _fence = fence::shared(&paths, under.lease()?.as_deref())?;
        let path = &paths.journal(run);
        let failed = || unusable(format!("create {}", path.display()));
        let directory = path.parent().unwrap_or(Path::new("."));
        make_private_directory(directory).map_err(failed())?;
        let file = fs::OpenOptions::new().append(true).create_new(true).open(path).map_err(failed())?;
        sync_directory(directory).map_err(failed())?;
        Ok(Self { lines: Arc::new(Mutex::new(Lines::new(file))), paths, under })
    }
}

#[async_trait]
impl JournalWriter for FsJournal {
    async fn append(&self, records: &[String]) -> Result<(), StoreError> {
        let (lines, paths, under) = (self.lines.clone(), self.paths.clone(), self.under.clone());
        let mut text = records.join("\n");
        text.push('\n');
        let written = tokio::task::spawn_blocking(move || {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            let _fence = fence::shared(&paths, under.lease()?.as_deref())?;
            lines.append(&text).map_err(unusable("write the journal"))
        });
        written.await.map_err(|error| unusable("write the journal")(io::Error::other(error)))?
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// A disk with little room.
    #[derive(Clone, Default)]
    struct Small {
        bytes: Rc<RefCell<Vec<u8>>>,
        room: usize,
        stuck: bool,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fits = bytes.len().min(self.room.saturating_sub(self.bytes.borrow().len()));
            self.bytes.borrow_mut().extend_from_slice(&bytes[..fits]);
            if fits == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(fits) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Medium for Small {
        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn cut(&self, length: u64) -> io::Result<()> {
            if self.stuck {
                return Err(io::ErrorKind::ReadOnlyFilesystem.into());
            }
            self.bytes.borrow_mut().truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    #[test]
    fn what_does_not_fit_leaves_nothing_and_what_fits_comes_after_whole_lines() {
        let disk = Small { room: 10, ..Small::default() };
        let mut lines = Lines::new(disk.clone());
        lines.append("first\n").unwrap();
        assert_eq!(lines.append("too long\n").unwrap_err().kind(), io::ErrorKind::StorageFull);
        lines.append("fit\n").unwrap();
        assert_eq!(*disk.bytes.borrow(), b"first\nfit\n");
    }

    #[test]
    fn after_a_part_that_could_not_be_taken_away_nothing_is_written() {
        let disk = Small { room: 10, stuck: true, ..Small::default() };
        let mut lines = Lines::new(disk.clone());
        lines.append("first\n").unwrap();
        lines.append("too long\n").unwrap_err();
        lines.append("x\n").unwrap_err();
        assert_eq!(*disk.bytes.borrow(), b"first\ntoo ");
    }
}
