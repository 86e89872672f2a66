//! A mirror behind a web server.

use std::path::Path;

use async_trait::async_trait;
use fs_err as fs;

use super::Depot;
use crate::AssetError;
use crate::source::FetchContext;
use crate::transfer::http::{Http, HttpFile};
use crate::transfer::{Backoff, Downloads, GaveUp, host};

/// The files of a mirror behind a web server.
pub(super) struct Web {
    http: Http,
    base: String,
    downloads: Downloads,
}

impl Web {
    /// The files below the address `base`. Downloads go through the cache at `cache`.
    pub(super) fn new(base: &str, cache: &Path) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http: Http::new(), base, downloads: Downloads::of_cache(cache) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// What is missing is an answer, too.
    fn found<T>(&self, path: &str, asked: Result<T, GaveUp>) -> Result<Option<T>, AssetError> {
        match asked {
            Ok(found) => Ok(Some(found)),
            Err(gave_up) if gave_up.is_missing() => Ok(None),
            Err(gave_up) => Err(gave_up.into_error(host(&self.base), &self.url(path))),
        }
    }
}

#[async_trait]
impl Depot for Web {
    fn place(&self) -> String {
        self.base.clone()
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, AssetError> {
        let url = self.url(path);
        let text = self.found(path, Backoff::USUAL.ask(|| self.http.text(&url)).await)?;
        Ok(text.map(String::into_bytes))
    }

    async fn size(&self, path: &str) -> Result<Option<u64>, AssetError> {
        let url = self.url(path);
        Ok(self.found(path, Backoff::USUAL.ask(|| self.http.size(&url)).await)?.flatten())
    }

    async fn copy(&self, path: &str, sha256: &str, out: &Path, context: &FetchContext<'_>) -> Result<(), AssetError> {
        let remote = HttpFile { http: self.http.clone(), url: self.url(path) };
        let download = self.downloads.get(&remote, sha256, &Backoff::USUAL, context.task, context.cancel).await?;
        fs::rename(download.path(), out).map_err(|e| AssetError::io(format!("keep {path}"), out, e))
    }
}
