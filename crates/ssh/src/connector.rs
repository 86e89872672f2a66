//! Keeps one connection per machine, makes it when it is needed, and again when it is closed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use engine::{Host, HostConnector, HostError, HostTarget};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, sleep, timeout_at};

use crate::connection::{Failure, dial};
use crate::host::SshHost;
use crate::pinned::Keys;
use crate::waits::{connect_limits, waits};

/// How long a kept connection may take to show that it lives; else a new one is made.
const ALIVE: Duration = Duration::from_secs(2);

type Slot = Arc<AsyncMutex<Option<(HostTarget, Arc<SshHost>)>>>;

/// Makes SSH connections and keeps one per machine.
#[derive(Default)]
pub struct SshConnector {
    slots: Mutex<BTreeMap<String, Slot>>,
}

impl SshConnector {
    /// A connector without connections yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn slot(&self, name: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name.to_owned()).or_default())
    }
}

#[async_trait]
impl HostConnector for SshConnector {
    async fn connect(&self, target: &HostTarget, timeout: Duration) -> Result<Arc<dyn Host>, HostError> {
        let deadline = Instant::now() + timeout;
        let slot = self.slot(&target.name);
        // Whoever comes second waits for the connection that the first one makes, no longer than its own timeout.
        let mut kept = timeout_at(deadline, slot.lock()).await.map_err(|_| HostError::Unreachable {
            name: target.name.clone(),
            why: format!("no connection within {}", seconds(timeout)),
        })?;
        if let Some((known, host)) = kept.as_ref()
            && known == target
            && host.is_alive(ALIVE).await
        {
            return Ok(Arc::clone(host) as Arc<dyn Host>);
        }
        *kept = None;
        let host = Arc::new(connect_patiently(target, timeout, deadline).await?);
        *kept = Some((target.clone(), Arc::clone(&host)));
        Ok(host)
    }
}

async fn connect_patiently(target: &HostTarget, timeout: Duration, deadline: Instant) -> Result<SshHost, HostError> {
    let keys = Keys::of(target)?;
    let mut why = "no answer".to_owned();
    for (wait, limit) in waits().zip(connect_limits()) {
        match timeout_at(deadline, dial(target, &keys, limit)).await {
            Ok(Ok(handle)) => return Ok(SshHost::new(target, handle)),
            Ok(Err(Failure::Lasting(error))) => return Err(error),
            Ok(Err(Failure::Passing(reason))) => why = reason,
            Err(_) => break,
        }
        if Instant::now() + wait >= deadline {
            break;
        }
        tracing::debug!(machine = target.name, why, "not connected yet");
        sleep(wait).await;
    }
    Err(HostError::Unreachable { name: target.name.clone(), why: format!("{why} (tried for {})", seconds(timeout)) })
}

fn seconds(timeout: Duration) -> String {
    format!("{} s", timeout.as_secs_f32())
}
