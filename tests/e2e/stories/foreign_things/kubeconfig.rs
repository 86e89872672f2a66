//! A kubeconfig that a link leads to, of another owner, with remarks and with entries of other clusters.

use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::PathBuf;

use crate::world::World;

const TEXT: &str = "\
# Kept in the team's dotfiles: edit it there.
apiVersion: v1
clusters:
# by VPN only
- cluster:
    server: https://192.0.2.1:6443
  name: elsewhere
contexts:
- context:
    cluster: elsewhere
    user: somebody
    namespace: team
  name: elsewhere
kind: Config
users:
- name: somebody
  user:
    # ends in spring
    token: not-a-secret
preferences: {}
# the end
";

const OWNER: (u32, u32) = (1234, 1235);
const MODE: u32 = 0o640;

/// The file, and the link to it.
pub(super) struct Theirs {
    link: PathBuf,
    file: PathBuf,
}

impl Theirs {
    /// Puts it where the story's kubeconfig is.
    pub(super) fn put(world: &World) -> Self {
        std::fs::create_dir(world.path("dotfiles")).expect("a directory");
        let file = PathBuf::from(world.write("dotfiles/kubeconfig", TEXT));
        chown(&file, Some(OWNER.0), Some(OWNER.1)).expect("the file is given away");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(MODE);
        std::fs::set_permissions(&file, mode).expect("the mode is set");
        let link = world.kubeconfig();
        symlink("dotfiles/kubeconfig", &link).expect("a link");
        let theirs = Self { link, file };
        theirs.is_what_it_was();
        theirs
    }

    /// Everything of theirs is there, whatever was added.
    pub(super) fn stays(&self, when: &str) {
        let text = self.text();
        let mut lines = text.lines();
        for line in TEXT.lines() {
            assert!(lines.any(|found| found == line), "{line:?} is not in its place {when}:\n{text}");
        }
    }

    /// Nothing was added, and nothing taken away.
    pub(super) fn is_what_it_was(&self) {
        self.stays("at last");
        // Which context is in use is kubectl's to remember; there is none any more.
        let text = self.text().replace("current-context: ''\n", "");
        assert_eq!(text, TEXT);
    }

    /// The text behind the link, if that is still one, and the file still theirs.
    fn text(&self) -> String {
        let there = std::fs::symlink_metadata(&self.link).expect("a link");
        assert!(there.is_symlink(), "the link was replaced");
        let there = std::fs::symlink_metadata(&self.file).expect("a file");
        assert_eq!((there.uid(), there.gid()), OWNER, "whose it is");
        assert_eq!(there.mode() & 0o7777, MODE, "who may read it");
        std::fs::read_to_string(&self.file).expect("the file is read")
    }
}

/// The new cluster's context is the one in use; theirs is there beside it.
pub(super) fn of_ours_is_used(world: &World, cluster: &str) {
    assert_eq!(world.kubectl(&["config", "current-context"]).trim(), cluster);
    let contexts = world.kubectl(&["config", "get-contexts", "-o", "name"]);
    assert_eq!(contexts.lines().collect::<Vec<_>>(), ["elsewhere", cluster]);
}
