//! Which key of the bucket everything has.

use crate::S3Url;

/// Keys of one store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    bucket: String,
    /// Empty, or with a slash at its end.
    prefix: String,
}

impl Layout {
    pub(crate) fn new(url: &S3Url) -> Self {
        let prefix = if url.prefix.is_empty() { String::new() } else { format!("{}/", url.prefix) };
        Self { bucket: url.bucket.clone(), prefix }
    }

    /// What every key begins with: nothing, or a text with a slash at its end.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn clusters(&self) -> String {
        format!("{}clusters/", self.prefix)
    }

    /// Everything of a cluster, and nothing of one whose name begins so.
    pub(crate) fn cluster(&self, cluster: &str) -> String {
        format!("{}{cluster}/", self.clusters())
    }

    pub(crate) fn head(&self, cluster: &str) -> String {
        format!("{}head.json", self.cluster(cluster))
    }

    pub(crate) fn lease(&self, cluster: &str) -> String {
        format!("{}lease.json", self.cluster(cluster))
    }

    pub(crate) fn objects(&self, cluster: &str) -> String {
        format!("{}objects/", self.cluster(cluster))
    }

    pub(crate) fn object(&self, cluster: &str, key: &str) -> String {
        format!("{}{key}", self.objects(cluster))
    }

    pub(crate) fn journals(&self, cluster: &str) -> String {
        format!("{}journals/", self.cluster(cluster))
    }

    pub(crate) fn journal(&self, cluster: &str, run: &str) -> String {
        format!("{}{run}/", self.journals(cluster))
    }

    /// A segment of a journal. Number 0 says that the journal was opened and holds nothing.
    pub(crate) fn segment(&self, cluster: &str, run: &str, number: u32) -> String {
        format!("{}{number:08}.jsonl", self.journal(cluster, run))
    }

    /// A key as a user names it.
    pub(crate) fn show(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}

/// The run and number of a segment, from what its key has after `journals/`.
pub(crate) fn parse_segment(rest: &str) -> Option<(&str, u32)> {
    let (run, file) = rest.rsplit_once('/')?;
    Some((run, file.strip_suffix(".jsonl")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_cluster_are_below_its_own_prefix() {
        let layout = Layout::new(&"s3://b/team/a".parse().unwrap());
        assert_eq!(layout.head("demo"), "team/a/clusters/demo/head.json");
        assert_eq!(layout.segment("demo", "r", 12), "team/a/clusters/demo/journals/r/00000012.jsonl");
        assert!(!layout.head("demo-2").starts_with(&layout.cluster("demo")));
        assert_eq!(Layout::new(&"s3://b".parse().unwrap()).clusters(), "clusters/");
        assert_eq!(parse_segment("r/00000012.jsonl"), Some(("r", 12)));
    }
}
