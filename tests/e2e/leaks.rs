//! Looks for secrets where they must not be: as they are, and in the shapes that programs give them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// How much of a secret is looked for: what is cut at a block's end is found by its middle all the same.
const PIECE: usize = 36;
/// How often something compressed is unpacked that is in something compressed.
const DEPTH: usize = 3;

/// Secrets, and every shape in which they are looked for.
pub(crate) struct Leaks {
    /// Whose secret each pattern is.
    owners: Vec<String>,
    patterns: AhoCorasick,
}

impl Leaks {
    /// Looks for these secrets, by name.
    pub(crate) fn new(secrets: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut patterns: Vec<(Vec<u8>, String)> = Vec::new();
        for (name, secret) in secrets {
            let shapes = pieces(secret).iter().flat_map(|piece| shapes(piece)).collect::<BTreeSet<_>>();
            patterns.extend(shapes.into_iter().map(|shape| (shape, name.clone())));
        }
        assert!(patterns.iter().all(|(pattern, _)| pattern.len() >= 12), "a secret is too short to be told from noise");
        let (patterns, owners): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        Self { owners, patterns: AhoCorasick::new(patterns).expect("patterns") }
    }

    /// Names of the secrets in `bytes`.
    pub(crate) fn of(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.search(bytes, DEPTH, &mut found);
        found
    }

    fn search(&self, bytes: &[u8], depth: usize, found: &mut BTreeSet<String>) {
        let owner = |hit: aho_corasick::Match| self.owners[hit.pattern().as_usize()].clone();
        found.extend(self.patterns.find_overlapping_iter(bytes).map(owner));
        if depth == 0 {
            return;
        }
        for start in compressed(bytes) {
            let mut unpacked = Vec::new();
            // What only looks like a beginning gives an error, and what there was of it.
            let _ = flate2::read::GzDecoder::new(&bytes[start..]).read_to_end(&mut unpacked);
            self.search(&unpacked, depth - 1, found);
        }
    }

    /// Names of the secrets in the files below `root`, by file, and in the files' own names.
    pub(crate) fn below(&self, root: &Path, files: &mut usize) -> BTreeMap<PathBuf, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        let mut directories = vec![root.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
                let (path, kind) = (entry.path(), entry.file_type().expect("a file's type"));
                if kind.is_dir() {
                    directories.push(path.clone());
                }
                let mut bytes = path.to_string_lossy().into_owned().into_bytes();
                if kind.is_file() {
                    *files += 1;
                    File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)).expect("a file can be read");
                }
                let leaks = self.of(&bytes);
                if !leaks.is_empty() {
                    found.insert(path, leaks);
                }
            }
        }
        found
    }
}

/// What of a secret is looked for. A PEM text is looked for by one of its lines, and by what it holds.
fn pieces(secret: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(secret);
    let body: Vec<&str> = text.lines().filter(|line| !line.starts_with("-----")).collect();
    if !text.starts_with("-----BEGIN") {
        return vec![middle(secret)];
    }
    let line = body.get(body.len() / 2).copied().unwrap_or_default();
    let content = STANDARD.decode(body.concat()).expect("PEM holds base64");
    vec![middle(line.as_bytes()), middle(&content)]
}

fn middle(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.len().saturating_sub(PIECE) / 2;
    bytes[start..bytes.len().min(start + PIECE)].to_vec()
}

/// A piece as it is, escaped in JSON, in hex, and in base64 at each of three alignments.
fn shapes(piece: &[u8]) -> Vec<Vec<u8>> {
    let mut shapes = vec![piece.to_vec(), hex::encode(piece).into_bytes(), hex::encode_upper(piece).into_bytes()];
    if let Ok(text) = std::str::from_utf8(piece) {
        let escaped = serde_json::to_string(text).expect("a text is JSON");
        shapes.push(escaped.trim_matches('"').as_bytes().to_vec());
    }
    for skipped in 0..3 {
        let whole = (piece.len() - skipped) / 3 * 3;
        let aligned = &piece[skipped..skipped + whole];
        shapes.extend([&STANDARD, &URL_SAFE].map(|alphabet| alphabet.encode(aligned).into_bytes()));
    }
    shapes
}

/// Where something compressed with gzip may begin.
fn compressed(bytes: &[u8]) -> Vec<usize> {
    bytes.windows(3).enumerate().filter(|(_, window)| *window == [0x1f, 0x8b, 8]).map(|(start, _)| start).collect()
}

/// Finds what it hides itself: else finding nothing would say nothing.
pub(crate) fn check_itself() {
    use std::io::Write as _;
    let secret = b"correct horse \"battery\" staple 123456789".to_vec();
    let leaks = Leaks::new(&BTreeMap::from([("it".to_owned(), secret.clone())]));
    let packed = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(bytes).expect("bytes are packed");
        packer.finish().expect("bytes are packed")
    };
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(secret.len() as u64);
    header.set_cksum();
    archive.append_data(&mut header, "file", secret.as_slice()).expect("a file is packed");
    let mut hidden = vec![
        secret.clone(),
        hex::encode(&secret).into_bytes(),
        serde_json::to_vec(&String::from_utf8_lossy(&secret)).expect("JSON"),
        packed(&archive.into_inner().expect("an archive")),
        [b"before".to_vec(), packed(&packed(&secret))].concat(),
    ];
    hidden.extend((0..3).map(|pad| STANDARD.encode([vec![b'x'; pad], secret.clone()].concat()).into_bytes()));
    for bytes in hidden {
        assert_eq!(leaks.of(&bytes).len(), 1, "not found in {}", String::from_utf8_lossy(&bytes));
    }
    assert!(leaks.of(b"correct horse").is_empty());
}
