//! What every process of the host shows of itself to others: its arguments and its environment.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often is looked. What lives shorter may be missed; what is asked for again and again is not.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks from its making until it is asked.
pub(crate) struct Processes {
    stop: Arc<AtomicBool>,
    looking: JoinHandle<BTreeSet<Vec<u8>>>,
}

impl Processes {
    /// Begins to look.
    pub(crate) fn watch() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let looking = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                record(&mut seen);
                std::thread::sleep(PAUSE);
            }
            seen
        });
        Self { stop, looking }
    }

    /// Everything that was seen, each once.
    pub(crate) fn seen(self) -> BTreeSet<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.looking.join().expect("the watch ends")
    }
}

fn record(seen: &mut BTreeSet<Vec<u8>>) {
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for file in ["cmdline", "environ"] {
            // It may have ended since it was listed.
            seen.extend(std::fs::read(entry.path().join(file)).into_iter().filter(|bytes| !bytes.is_empty()));
        }
    }
}
