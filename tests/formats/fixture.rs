//! A store with one cluster, as one version of the formats has it: all files in one text, for binaries are not committed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The newest version of any format that has a fixture.
pub(crate) const NEWEST: u32 = 2;

/// Contents by path below the directory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

fn path(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("formats/v{version}.json"))
}

/// The files of a version. `base64:` stands before what is no text.
pub(crate) fn read(version: u32) -> Files {
    let text = std::fs::read_to_string(path(version)).expect("the fixture");
    let files: BTreeMap<String, String> = serde_json::from_str(&text).expect("paths and contents");
    let bytes = |content: String| match content.strip_prefix("base64:") {
        Some(encoded) => STANDARD.decode(encoded).expect("base64"),
        None => content.into_bytes(),
    };
    files.into_iter().map(|(path, content)| (path, bytes(content))).collect()
}

/// Writes a fixture, once, when its version is new.
pub(crate) fn write(version: u32, files: &Files) {
    let text = |bytes: &Vec<u8>| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("base64:{}", STANDARD.encode(bytes)),
    };
    let files: BTreeMap<&String, String> = files.iter().map(|(path, bytes)| (path, text(bytes))).collect();
    let json = serde_json::to_string_pretty(&files).expect("JSON") + "\n";
    std::fs::write(path(version), json).expect("the fixture is written");
}

/// Lays the files out below `root`; keys are their owner's alone.
pub(crate) fn lay_out(files: &Files, root: &Path) {
    for (path, bytes) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("it is made");
        std::fs::write(&path, bytes).expect("it is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it is the owner's alone");
    }
}

/// All files below `root`.
pub(crate) fn collect(root: &Path) -> Files {
    let mut files = Files::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(root).expect("it is below").to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    files
}
