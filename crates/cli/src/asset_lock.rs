//! The file that pins the content of assets.

use std::io;
use std::path::{Path, PathBuf};

use catalog::Lock;
use fs_err as fs;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::suggestion::Suggestion;
use crate::user_file::{self, Readers};

/// Its name where the user does not give one.
const NAME: &str = "assets.lock";

/// The file that pins the content of assets.
#[derive(Debug, Clone)]
pub(crate) struct LockFile {
    path: PathBuf,
    /// The user named it, so it must be there.
    named: bool,
}

impl LockFile {
    /// The file that the user named, or the usual one.
    pub(crate) fn new(named: Option<&str>) -> Self {
        Self { path: PathBuf::from(named.unwrap_or(NAME)), named: named.is_some() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The lock that assets must agree with; `None` where nothing is pinned.
    pub(crate) fn read(&self) -> Result<Option<Lock>, CommandError> {
        match self.find()? {
            None if self.named => Err(CommandError::failed(format!("there is no lock {}", self.path.display()))
                .exit(Exit::InvalidSpec)
                .hint(Suggestion::new("assets lock").options("--asset-lock", [self.path.display()]).text())),
            found => Ok(found),
        }
    }

    /// The same, when it need not be there yet.
    pub(crate) fn find(&self) -> Result<Option<Lock>, CommandError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CommandError::from_source("", &error)),
        };
        let invalid = |error| {
            CommandError::from_source(&format!("{} is not a lock of assets", self.path.display()), &error)
                .exit(Exit::InvalidSpec)
                .hint("remove it and run: kubewright assets lock")
        };
        Lock::parse(&text).map(Some).map_err(invalid)
    }

    /// Writes it.
    pub(crate) fn write(&self, lock: &Lock) -> Result<(), CommandError> {
        let failed = |error: &dyn std::error::Error| CommandError::from_source("cannot write the lock", &error);
        let text = lock.to_text().map_err(|error| failed(&error))?;
        user_file::write(&self.path, text.as_bytes(), Readers::Usual).map_err(|error| failed(&error))
    }
}
