//! Keeps a lease alive from a thread with a runtime and connections of its own, so that a busy program cannot starve it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use engine::StoreError;
use tokio::sync::oneshot;

use crate::bucket::{Bucket, Condition, Written};
use crate::held::{Held, boot_time, trusted};
use crate::wire::{LeaseFile, encode};

/// How long dropping a lease waits for its release; a lease that is not released ends by itself.
const RELEASE: Duration = Duration::from_secs(5);

/// What a keeper needs to know.
pub(crate) struct Duty {
    pub(crate) bucket: Bucket,
    /// Key of the lease.
    pub(crate) key: String,
    /// What stands there.
    pub(crate) file: LeaseFile,
    /// Its tag.
    pub(crate) tag: String,
    pub(crate) held: Arc<Held>,
    /// How often it says that the holder lives; never, and the lease runs out.
    pub(crate) beat: Option<Duration>,
}

/// A running keeper.
pub(crate) struct Keeper {
    stop: Option<oneshot::Sender<()>>,
    /// Closed when the thread has ended.
    ended: Mutex<mpsc::Receiver<()>>,
    release: Arc<AtomicBool>,
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(duty: Duty) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let (running, ended) = mpsc::channel();
        let release = Arc::new(AtomicBool::new(false));
        let may_release = release.clone();
        std::thread::Builder::new().name("lease-keeper".to_owned()).spawn(move || {
            let _running: mpsc::Sender<()> = running;
            runtime.block_on(keep(duty, stopped, &may_release));
        })?;
        Ok(Self { stop: Some(stop), ended: Mutex::new(ended), release })
    }

    /// From now on stopping releases the lease.
    pub(crate) fn settle(&self) {
        self.release.store(true, Ordering::SeqCst);
    }

    /// Stops the thread, which releases the lease, and waits for that a while.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        // Nothing is ever sent: this returns when the thread has ended, or in time.
        let _ = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(RELEASE);
    }
}

async fn keep(mut duty: Duty, mut stopped: oneshot::Receiver<()>, may_release: &AtomicBool) {
    let is_lost = tokio::select! {
        biased;
        _ = &mut stopped => false,
        () = duty.beat_until_lost() => true,
    };
    if is_lost {
        duty.held.end();
        return;
    }
    if may_release.load(Ordering::SeqCst) {
        // Whatever fails here, the lease ends by itself.
        let _ = tokio::time::timeout(RELEASE, duty.release()).await;
    }
}

impl Duty {
    /// Beats; returns when the lease is lost.
    async fn beat_until_lost(&mut self) {
        let Some(pause) = self.beat else { return std::future::pending().await };
        let ttl = Duration::from_secs(self.file.ttl_seconds);
        // Finding credentials may take a while; should it fail, the first beat tries again.
        let _ = self.bucket.prepare().await;
        loop {
            tokio::time::sleep(pause).await;
            self.file.beat += 1;
            let sent = boot_time();
            // The same beat is sent until it is known to stand there: an earlier try may have come through.
            while let Err(error) = self.beat().await {
                if matches!(error, StoreError::LeaseLost) || self.held.check().is_err() {
                    return;
                }
                tokio::time::sleep(pause / 4).await;
            }
            if self.held.extend(sent + trusted(ttl)).is_err() {
                return;
            }
        }
    }

    async fn beat(&mut self) -> Result<(), StoreError> {
        match self.bucket.put(&self.key, &encode(&self.file)?, Condition::Tag(&self.tag)).await? {
            Written::Done(tag) => {
                self.tag = tag;
                Ok(())
            }
            Written::Refused(_) => Err(StoreError::LeaseLost),
        }
    }

    /// Writes that the lease is free, unless it is somebody else's by now.
    async fn release(&mut self) -> Result<(), StoreError> {
        let mine = (self.file.epoch, self.file.holder.clone());
        loop {
            let released = LeaseFile { released: true, ..self.file.clone() };
            match self.bucket.put(&self.key, &encode(&released)?, Condition::Tag(&self.tag)).await? {
                Written::Refused(Some(there)) => match serde_json::from_slice::<LeaseFile>(&there.bytes) {
                    // A beat that was cut off had come through.
                    Ok(file) if (file.epoch, file.holder.clone()) == mine && !file.released => {
                        self.tag = there.tag;
                        self.file = file;
                    }
                    _ => return Ok(()),
                },
                Written::Done(_) | Written::Refused(None) => return Ok(()),
            }
        }
    }
}
