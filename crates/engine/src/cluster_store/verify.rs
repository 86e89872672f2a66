//! Whether everything that is stored of a cluster can be read, and is what was written.

use resource::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{APPLIED_SPECS, AppliedSpec, CHECKPOINTS, ClusterStore, OTHER_CONTENT, REVISIONS, Revision};
use crate::state::State;
use crate::{StoreError, journal};

/// What a look at everything found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// How many objects were read.
    pub objects: usize,
    /// How many journals were read.
    pub journals: usize,
    /// What is not as it should be.
    pub damages: Vec<Damage>,
}

/// Something stored that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Damage {
    /// Which object.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

impl Verified {
    /// Takes a result in. Damages are collected; another failure ends the look.
    fn take<T>(&mut self, result: Result<T, StoreError>) -> Result<(), StoreError> {
        let damage = match result {
            Err(StoreError::Damaged { what, why }) => Damage { what, why },
            // It may be sound, but nobody here can tell.
            Err(StoreError::Newer { what, found, known }) => {
                Damage { what, why: format!("it has format {found}, but this kubewright knows only up to {known}") }
            }
            other => return other.map(drop),
        };
        if !self.damages.contains(&damage) {
            self.damages.push(damage);
        }
        Ok(())
    }
}

impl ClusterStore {
    /// Reads everything that is stored. Nothing is changed.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be used; damages are no errors here.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        // The head, and what it refers to and is not there: that has no key.
        let loaded = self.load_what_is_here().await;
        verified.objects += usize::from(!matches!(loaded, Ok(None)));
        verified.take(loaded)?;
        for key in self.store.list(&self.cluster, "").await? {
            verified.objects += 1;
            verified.take(self.verify_object(&key).await)?;
        }
        for run in self.store.journals(&self.cluster).await? {
            verified.journals += 1;
            let lines = self.store.read_journal(&self.cluster, &run).await;
            verified.take(lines.and_then(|lines| journal::parse(&run, &lines)))?;
        }
        Ok(verified)
    }

    async fn verify_object(&self, key: &str) -> Result<(), StoreError> {
        if key.starts_with(REVISIONS) {
            self.verify_named::<Revision>(REVISIONS, key, Revision::FORMAT).await
        } else if key.starts_with(CHECKPOINTS) {
            self.verify_named::<State>(CHECKPOINTS, key, State::FORMAT).await
        } else if key.starts_with(APPLIED_SPECS) {
            self.verify_named::<AppliedSpec>(APPLIED_SPECS, key, AppliedSpec::FORMAT).await
        } else {
            self.verify_bytes(key).await
        }
    }

    async fn verify_named<T: DeserializeOwned>(&self, below: &str, key: &str, format: u32) -> Result<(), StoreError> {
        let digest = key.strip_prefix(below).and_then(|name| name.strip_suffix(".json")).and_then(Digest::parse);
        match digest {
            Some(digest) => self.read::<T>(below, &digest, format).await.map(drop),
            None => Err(self.foreign(key)),
        }
    }

    /// Of what only its owner can read (the vault's bundles) the name must be the content's digest.
    async fn verify_bytes(&self, key: &str) -> Result<(), StoreError> {
        let Some(named) = key.rsplit('/').next().and_then(Digest::parse) else { return Err(self.foreign(key)) };
        match self.store.get(&self.cluster, key).await? {
            Some(bytes) if Digest::of_bytes(&bytes) != named => {
                let what = format!("{key} of cluster {}", self.cluster);
                Err(StoreError::Damaged { what, why: OTHER_CONTENT.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn foreign(&self, key: &str) -> StoreError {
        let why = "it is not named as kubewright names objects".to_owned();
        StoreError::Damaged { what: format!("{key} of cluster {}", self.cluster), why }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{cluster, lease};
    use super::*;

    #[tokio::test]
    async fn a_sound_cluster_has_no_damages() {
        let cluster = cluster().await;
        let loaded = cluster.load().await.unwrap().unwrap();
        cluster.begin_run(&*lease(&cluster).await, &loaded, "first", None).await.unwrap();
        let verified = cluster.verify().await.unwrap();
        assert_eq!((verified.objects, verified.damages), (3, vec![]));
    }

    #[tokio::test]
    async fn every_damaged_missing_or_foreign_object_is_named() {
        let cluster = cluster().await;
        let lease = lease(&cluster).await;
        let loaded = cluster.load().await.unwrap().unwrap();
        let (journal, ..) = cluster.begin_run(&*lease, &loaded, "first", None).await.unwrap();
        journal
            .append(&journal::Record::RunFinished { succeeded: 0, failed: 0, skipped: 0, time: String::new() })
            .await
            .unwrap();
        let writer = cluster.store.create_journal("demo", "second").await.unwrap();
        writer.append(&["not a record".to_owned()]).await.unwrap();
        let other = format!("{CHECKPOINTS}{}.json", Digest::of_bytes(b"x"));
        let bundle = format!("secrets/{}", Digest::of_bytes(b"y"));
        for key in [other.as_str(), bundle.as_str(), "notes.txt"] {
            cluster.store.put("demo", key, b"z").await.unwrap();
        }
        let revision = format!("{REVISIONS}{}.json", loaded.head.revision);
        cluster.store.delete("demo", &revision).await.unwrap();
        let verified = cluster.verify().await.unwrap();
        let mut named: Vec<String> = verified.damages.into_iter().map(|damage| damage.what).collect();
        named.sort();
        let mut wanted =
            [other, bundle, "notes.txt".to_owned(), revision].map(|key| format!("{key} of cluster demo")).to_vec();
        wanted.push("journal of run second, record 1".to_owned());
        wanted.sort();
        assert_eq!(named, wanted);
    }
}
