//! Passwords in files of the operator's.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use credentials::Passwords;
use fs_err as fs;
use resource::Secret;
use spec::RegistryCredential;

use crate::error::CommandError;
use crate::exit::Exit;

/// Files of this host, relative to the current directory.
pub(crate) struct PasswordFiles;

impl Passwords for PasswordFiles {
    fn read(&self, file: &str) -> io::Result<Secret> {
        if fs::metadata(file)?.permissions().mode() & 0o077 != 0 {
            let why = format!("others can read {file}; keep it to yourself: chmod 0600 {file}");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        let text = fs::read_to_string(file)?;
        // Editors end a file with a line break that is no part of the password.
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty")),
            password => Ok(Secret::new(password)),
        }
    }
}

/// Refuses logins whose passwords cannot be read while nothing has been made with them, before anything is touched.
pub(crate) fn check(
    logins: &BTreeMap<String, RegistryCredential>,
    is_made: bool,
    passwords: &dyn Passwords,
) -> Result<(), CommandError> {
    if is_made {
        return Ok(());
    }
    for (registry, login) in logins {
        let file = &login.password_file;
        if let Err(error) = passwords.read(file) {
            let field = format!("spec.containerd.registryCredentials.{registry}.passwordFile");
            let refused = CommandError::from_source(&format!("{field}: {file} cannot be used"), &error);
            let refused = refused.exit(Exit::InvalidSpec);
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            return Err(if is_missing { refused.hint("paths are relative to the current directory") } else { refused });
        }
    }
    Ok(())
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
        fs::write(&file, "\n").unwrap();
        assert!(PasswordFiles.read(&file).is_err(), "an empty file holds no password");
    }

    #[test]
    fn a_login_without_its_password_is_refused_until_it_was_made_once() {
        let login = |file: &str| RegistryCredential { username: "u".to_owned(), password_file: file.to_owned() };
        let logins = BTreeMap::from([("r.example".to_owned(), login("/nowhere/password"))]);
        let error = check(&logins, false, &PasswordFiles).unwrap_err();
        assert_eq!(error.exit, Exit::InvalidSpec);
        assert!(
            error.message.contains("r.example") && error.message.contains("/nowhere/password"),
            "{}",
            error.message
        );
        assert!(check(&logins, true, &PasswordFiles).is_ok());
    }
}
