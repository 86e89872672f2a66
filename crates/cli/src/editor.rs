//! The user's editor, started as git starts it: a shell reads the variable, so that it may have arguments and quotes.

use std::path::Path;
use std::process::Command;

use crate::app::App;
use crate::confirm;
use crate::error::CommandError;

/// Lets the user edit a file.
pub(crate) fn open(app: &App, path: &Path) -> Result<(), CommandError> {
    let editor = &app.environment.editor;
    let _lent = app.stop.lent();
    let status =
        command(editor, path).status().map_err(|error| CommandError::from_source("cannot start sh", &error))?;
    if status.success() {
        return Ok(());
    }
    Err(CommandError::failed(format!("the editor `{editor}` ended with {status}; nothing was changed"))
        .hint("VISUAL, KUBE_EDITOR or EDITOR says which editor is started"))
}

/// Asks whether what is not valid yet is to be edited further.
pub(crate) fn edit_again(app: &App) -> Result<bool, CommandError> {
    confirm::go_on(app, "Press Enter to go on editing, or type `no`:")
}

fn command(editor: &str, path: &Path) -> Command {
    let mut command = Command::new("sh");
    // The text is the shell's to read, the path is not.
    command.arg("-c").arg(format!("{editor} \"$@\"")).arg(editor).arg(path);
    command
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn an_editor_with_blanks_quotes_and_arguments_gets_the_path_as_one_word() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("my editor");
        std::fs::write(&program, "#!/bin/sh\nprintf '[%s]' \"$@\"\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = Path::new("/tmp/a b/it's.yaml");
        for editor in [
            format!("'{}' -n --wait", program.display()),
            format!("{} -n --wait", program.display()).replace("my editor", "my\\ editor"),
        ] {
            let output = command(&editor, path).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(said, "[-n][--wait][/tmp/a b/it's.yaml]", "{editor}");
        }
    }
}
