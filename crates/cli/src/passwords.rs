//! Passwords in files of the operator's.

use std::io;
use std::os::unix::fs::PermissionsExt as _;

use credentials::Passwords;
use fs_err as fs;
use resource::Secret;

/// Files of this host, relative to the current directory.
pub(crate) struct PasswordFiles;

impl Passwords for PasswordFiles {
    fn read(&self, file: &str) -> io::Result<Secret> {
        if fs::metadata(file)?.permissions().mode() & 0o077 != 0 {
            let why = format!("others can read {file}; keep it to yourself: chmod 0600 {file}");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        // Editors end a file with a line break that is no part of the password.
        Ok(Secret::new(fs::read_to_string(file)?.trim_end_matches(['\r', '\n'])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_others_can_read_is_refused_with_what_to_type() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password").display().to_string();
        fs::write(&file, "hunter2\n").unwrap();
        let mode = |mode| fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o640);
        let error = PasswordFiles.read(&file).unwrap_err().to_string();
        assert!(error.contains("chmod 0600") && !error.contains("hunter2"), "{error}");
        mode(0o600);
        assert_eq!(PasswordFiles.read(&file).unwrap().reveal(), "hunter2");
    }
}
