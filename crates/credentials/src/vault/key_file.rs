//! The operator's key file: age's own format, one line `AGE-SECRET-KEY-1…` or `AGE-PLUGIN-…`, comments allowed.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use super::VaultError;
use super::operator::{NoKey, OperatorKey};

/// Reads a key file; `None` when there is none. Refuses one that others can read.
pub(super) fn read(path: &Path) -> Result<Option<OperatorKey>, VaultError> {
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(VaultError::KeyFileIo { what: "read", source }),
    };
    let refuse = |why| VaultError::KeyFile { path: path.to_owned(), why };
    let mode = fs_err::metadata(path).map_err(|source| VaultError::KeyFileIo { what: "read", source })?;
    if mode.permissions().mode() & 0o077 != 0 {
        return Err(refuse("can be read by others: make it yours alone with chmod 600"));
    }
    let key = OperatorKey::parse(&text).map_err(|why| match why {
        NoKey::Missing => refuse("holds no age secret key"),
        NoKey::WithoutRecipient => {
            refuse("does not say which recipient its key has: put it above, as `# recipient: age1…`")
        }
    })?;
    Ok(Some(key))
}

/// Makes a key file. Somebody else's file of the same name wins.
pub(super) fn create(path: &Path) -> Result<OperatorKey, VaultError> {
    keep(path, OperatorKey::generate())
}

/// Writes a key into a file (mode 0600, its directory 0700), unless there is one of that name by now: then gives that one.
pub(super) fn keep(path: &Path, key: OperatorKey) -> Result<OperatorKey, VaultError> {
    let failed = |source| VaultError::KeyFileIo { what: "make", source };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_directory(directory).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    writeln!(file, "# public key: {}\n{}", key.public(), key.text().reveal()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => {
            fs_err::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
            Ok(key)
        }
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            read(path)?.ok_or(VaultError::KeyFile { path: path.to_owned(), why: "vanished while it was read" })
        }
        Err(error) => Err(failed(error.error)),
    }
}

fn make_directory(directory: &Path) -> io::Result<()> {
    // fs_err's builder knows no mode; the message is completed by hand.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot make {}: {error}", directory.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_file_is_private_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/er/operator.key");
        assert!(read(&path).unwrap().is_none());
        let key = create(&path).unwrap();
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(read(&path).unwrap().unwrap().public(), key.public());
    }

    #[test]
    fn an_existing_key_file_is_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("operator.key");
        let first = create(&path).unwrap();
        assert_eq!(create(&path).unwrap().public(), first.public());
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("operator.key");
        create(&path).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let message = read(&path).err().unwrap().to_string();
        assert!(message.ends_with("can be read by others: make it yours alone with chmod 600"), "{message}");
    }

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("operator.key");
        fs_err::write(&path, text).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        (directory, path)
    }

    #[test]
    fn a_file_without_a_key_is_refused_without_showing_it() {
        let (_directory, path) = written("# comment\nhunter2\n");
        let message = read(&path).err().unwrap().to_string();
        assert!(message.ends_with("holds no age secret key") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_plugins_key_without_its_recipient_is_refused() {
        let identity = age::plugin::Identity::default_for_plugin("kms");
        let (_directory, path) = written(&format!("# created: today\n{identity}\n"));
        let message = read(&path).err().unwrap().to_string();
        assert!(message.ends_with("put it above, as `# recipient: age1…`"), "{message}");
    }
}
