//! `edit`: the user's editor, whatever its variable looks like, and documents whatever their last line looks like.

use std::os::unix::fs::PermissionsExt as _;

use crate::user::{User, ends};

/// An editor in a place with a blank that wants an argument before the file.
fn editor(user: &User, script: &str) -> String {
    let path = user.write("my editor", &format!("#!/bin/sh\ntest \"$1\" = --wait || exit 3\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("'{path}' --wait")
}

fn edit(user: &User, editor: &str) -> std::process::Output {
    user.command(&["edit", "cluster", "terminal1"]).env("EDITOR", editor).output().unwrap()
}

#[test]
fn an_editor_with_blanks_quotes_and_arguments_edits() {
    let user = User::with_clusters(&["terminal1"]);
    let editor = editor(&user, "sed -i 's/^# *Cluster.*//; $ a # edited' \"$2\"");
    ends(&edit(&user, &editor), 0, &["is the wanted one"]);
    assert!(user.done(&["get", "cluster", "terminal1"]).ends_with("# edited\n"));
}

#[test]
fn documents_that_lack_their_last_line_feed_can_be_edited() {
    let user = User::new();
    let documents = user.done(&["create", "cluster", "terminal1", "--dry-run"]);
    std::fs::create_dir(user.path("parts")).unwrap();
    for (number, part) in documents.split("---\n").filter(|part| !part.trim().is_empty()).enumerate() {
        std::fs::write(user.path(&format!("parts/{number}.yaml")), part.trim_end()).unwrap();
    }
    user.done(&["create", "cluster", "terminal1", "-f", "parts"]);
    ends(&edit(&user, &editor(&user, "true")), 0, &["Nothing was edited"]);
    ends(&edit(&user, &editor(&user, "echo '# edited' >> \"$2\"")), 0, &["is the wanted one"]);
}

#[test]
fn what_was_typed_is_kept_when_it_is_not_valid() {
    let user = User::with_clusters(&["terminal1"]);
    let before = user.done(&["get", "cluster", "terminal1"]);
    let output = edit(&user, &editor(&user, "echo 'kind: Nonsense' > \"$2\""));
    ends(&output, 10, &["your text is kept"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let path = said.lines().find_map(|line| line.split_once("replace -f ")).unwrap().1.trim();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "kind: Nonsense\n");
    std::fs::remove_file(path).unwrap();
    assert_eq!(user.done(&["get", "cluster", "terminal1"]), before);
}

#[test]
fn the_editor_of_kubectl_goes_before_that_of_everything_else() {
    let user = User::with_clusters(&["terminal1"]);
    let mut command = user.command(&["edit", "cluster", "terminal1"]);
    command.env("EDITOR", "false").env("KUBE_EDITOR", "true");
    ends(&command.output().unwrap(), 0, &["Nothing was edited"]);
    ends(&command.env("VISUAL", "false").output().unwrap(), 1, &["the editor `false` ended with"]);
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let user = User::with_clusters(&["terminal1"]);
    ends(&edit(&user, "false"), 1, &["the editor `false` ended with"]);
    ends(&edit(&user, "/no/such/editor"), 1, &["EDITOR"]);
}
