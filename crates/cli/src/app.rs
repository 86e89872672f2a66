//! What every command works with: places, store, progress, stop signals.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use assets::AssetCache;
use engine::{ClusterStore, Event, EventSink, LockInfo, StateStore};
use jiff::Timestamp;
use report::{Mode, Progress};
use state_fs::FsStore;

use crate::arguments::Global;
use crate::asset_lock::LockFile;
use crate::environment::Environment;
use crate::error::CommandError;
use crate::output::Format;
use crate::run_log::LogFile;
use crate::signals::Stop;
use crate::{address, bucket, hinted_commands};

/// The program's composition root.
pub(crate) struct App {
    /// What the process found around it.
    pub(crate) environment: Environment,
    /// Where state is kept.
    pub(crate) store: Arc<dyn StateStore>,
    /// The store as it was given as an option, for commands that are suggested.
    given_state: Option<String>,
    /// Built and fetched files.
    pub(crate) cache: Arc<AssetCache>,
    /// Where events go.
    pub(crate) progress: Arc<Progress>,
    /// Ctrl-C.
    pub(crate) stop: Stop,
    /// How results are printed.
    pub(crate) format: Format,
    /// Where this host keeps machines, logs and other data of its own.
    pub(crate) data: PathBuf,
    /// Where everything traced goes while a run goes on.
    pub(crate) log: LogFile,
    /// What assets must agree with.
    pub(crate) asset_lock: LockFile,
}

impl App {
    /// Puts the program together.
    pub(crate) fn new(environment: Environment, global: &Global) -> Result<Self, CommandError> {
        let Place { store, data } = match global.state.as_deref() {
            Some(address) => Place::at(address, "--state", &environment)?,
            None => Place::directory(&environment.state),
        };
        let mode = match (global.output, global.quiet, environment.terminal) {
            (_, true, _) => Mode::Silent,
            (Format::Json, _, _) => Mode::Json,
            (_, _, true) => Mode::Live,
            _ => Mode::Lines,
        };
        Ok(Self {
            store,
            cache: Arc::new(AssetCache::open(&environment.cache)),
            progress: Arc::new(Progress::new(mode)),
            stop: Stop::listen(),
            format: global.output,
            log: LogFile::install(environment.log.as_deref()),
            asset_lock: LockFile::new(global.asset_lock.as_deref()),
            data,
            given_state: environment.given_state(global),
            environment,
        })
    }

    /// One cluster in the store.
    pub(crate) fn cluster(&self, name: &str) -> ClusterStore {
        ClusterStore::new(self.store.clone(), name)
    }

    /// Where local machines are kept.
    pub(crate) fn machines(&self) -> PathBuf {
        self.data.join("machines")
    }

    /// Who asks for a lock, and what for.
    pub(crate) fn lock_info(&self, operation: &str) -> LockInfo {
        LockInfo {
            id: uuid::Uuid::new_v4().to_string(),
            who: self.environment.who.clone(),
            process: std::process::id(),
            operation: operation.to_owned(),
            since: Timestamp::now().to_string(),
        }
    }

    /// A text whose commands can be typed as they stand.
    pub(crate) fn suggestive(&self, text: &str) -> String {
        hinted_commands::with_state(text, self.given_state.as_deref())
    }

    /// The store as it was given as an option.
    pub(crate) fn given_state(&self) -> Option<&str> {
        self.given_state.as_deref()
    }

    /// Says something.
    pub(crate) fn say(&self, text: impl Into<String>) {
        let text = self.suggestive(&text.into());
        self.progress.emit(Event::Note { text });
    }

    /// Runs a phase and shows how long it took.
    pub(crate) async fn phase<T, E>(&self, name: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.phase_until(name, work, |_| true).await
    }

    /// The same for a phase that may end well and yet not have done everything.
    pub(crate) async fn phase_until<T, E>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, E>>,
        is_complete: impl Fn(&T) -> bool,
    ) -> Result<T, E> {
        let began = Instant::now();
        self.progress.emit(Event::PhaseStarted { phase: name.to_owned() });
        let done = work.await;
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let succeeded = done.as_ref().is_ok_and(is_complete);
        self.progress.emit(Event::PhaseFinished { phase: name.to_owned(), millis, succeeded });
        done
    }
}

/// A store, and where this host keeps what is its own beside it.
pub(crate) struct Place {
    /// The store.
    pub(crate) store: Arc<dyn StateStore>,
    /// The directory of machines and logs: the state's where that is a directory, else the one that state is in by default.
    pub(crate) data: PathBuf,
}

impl Place {
    /// The store at an address; `from` is where the user wrote it.
    pub(crate) fn at(address: &str, from: &str, environment: &Environment) -> Result<Self, CommandError> {
        if !address::is_bucket(address) {
            return Ok(Self::directory(Path::new(address)));
        }
        Ok(Self { store: bucket::open(address, from)?, data: environment.state.clone() })
    }

    fn directory(path: &Path) -> Self {
        Self { store: Arc::new(FsStore::new(path)), data: path.to_owned() }
    }
}
