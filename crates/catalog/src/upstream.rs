//! Where upstream publishes an asset: release addresses with published checksums, and registries.

/// Where upstream publishes an asset.
///
/// It is no part of the recipe: the same version from another place is the same asset. What was really fetched is
/// pinned by the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// A file by itself.
    File(Published),
    /// A file in an archive (a tar, compressed by gzip).
    Member {
        /// The archive.
        archive: Published,
        /// The file's path in it, without a leading `./`.
        path: String,
    },
    /// An image in a registry, by its full name, such as `registry.k8s.io/pause:3.10.2`.
    Image(String),
}

/// A published file and its published checksum. Addresses stand without `https://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The file, such as `dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet`.
    pub address: String,
    /// The text that holds its SHA-256: the digest alone, or lines of digests and names.
    pub checksums: String,
}

impl Published {
    /// A file whose checksum stands beside it, at the same address and `suffix`.
    pub fn with_checksum(address: String, suffix: &str) -> Self {
        let checksums = format!("{address}{suffix}");
        Self { address, checksums }
    }

    /// The last part of its address.
    pub fn file_name(&self) -> &str {
        self.address.rsplit('/').next().unwrap_or(&self.address)
    }

    /// The SHA-256 that a text of checksums gives for this file, in lower-case hex.
    pub fn digest_in(&self, checksums: &str) -> Option<String> {
        let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let named = checksums.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let digest = words.next().filter(is_digest)?;
            let name = words.next()?.trim_start_matches('*').trim_start_matches("./");
            (name == self.file_name()).then_some(digest)
        });
        let alone = || {
            let mut words = checksums.split_whitespace();
            words.next().filter(is_digest).filter(|_| words.next().is_none())
        };
        named.or_else(alone).map(str::to_ascii_lowercase)
    }
}

impl Upstream {
    /// What is fetched in one go: the archive's address for all its members.
    pub fn address(&self) -> &str {
        match self {
            Self::File(published) | Self::Member { archive: published, .. } => &published.address,
            Self::Image(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Published {
        Published::with_checksum("example.test/v1/tool.tgz".into(), ".sha256")
    }

    #[test]
    fn a_digest_alone_is_the_files() {
        let digest = "Ab".repeat(32);
        assert_eq!(file().digest_in(&format!("{digest}\n")), Some(digest.to_lowercase()));
    }

    #[test]
    fn among_several_lines_the_files_own_counts() {
        let (ours, other) = ("aa".repeat(32), "bb".repeat(32));
        for ours_line in [format!("{ours}  tool.tgz"), format!("{ours} *tool.tgz"), format!("{ours}  ./tool.tgz")] {
            let text = format!("{other}  other.tgz\n{ours_line}\n");
            assert_eq!(file().digest_in(&text).as_ref(), Some(&ours), "{text}");
        }
        assert_eq!(file().digest_in(&format!("{other}  other.tgz\n")), None);
    }

    #[test]
    fn a_page_that_is_no_list_of_checksums_gives_nothing() {
        assert_eq!(file().digest_in("<html><body>Sign in to use the network</body></html>"), None);
        assert_eq!(file().digest_in(""), None);
        assert_eq!(file().digest_in(&"ab".repeat(31)), None);
    }
}
