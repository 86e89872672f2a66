//! The user's kubeconfig files, read and written as kubectl does.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use pki::kubeconfig::{Entry, Foreign, IsOurs, Kubeconfig, Names, Own};
use resource::Secret;

use super::remarks;
use crate::error::CommandError;
use crate::user_file::{self, Readers};

/// The user's kubeconfig files, opened.
#[derive(Debug)]
pub(super) struct Files {
    files: Vec<OneFile>,
}

#[derive(Debug)]
struct OneFile {
    path: PathBuf,
    exists: bool,
    before: Kubeconfig,
    now: Kubeconfig,
}

impl Files {
    /// Reads all of them.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, CommandError> {
        let read = |path: &PathBuf| {
            let (exists, before) = read(path)?;
            Ok(OneFile { path: path.clone(), exists, now: before.clone(), before })
        };
        Ok(Self { files: paths.iter().map(read).collect::<Result<_, CommandError>>()? })
    }

    /// All of them as one.
    fn joined(&self) -> Kubeconfig {
        Kubeconfig::joined(self.files.iter().map(OneFile::alone))
    }

    /// What stands under these names and is another cluster's.
    pub(super) fn foreign(&self, names: &Names, is_ours: IsOurs<'_>) -> Vec<Foreign> {
        self.joined().foreign(names, is_ours)
    }

    /// Where entries of these names are, or else would be put: as kubectl has it, in the first file that exists, else in the
    /// last one.
    pub(super) fn place(&self, names: &Names) -> &Path {
        self.place_of(names).map_or(Path::new(""), |at| self.files[at].path.as_path())
    }

    fn place_of(&self, names: &Names) -> Option<usize> {
        let holds = self.files.iter().position(|file| file.now.has_any(names));
        holds.or_else(|| self.usual())
    }

    fn usual(&self) -> Option<usize> {
        self.files.iter().position(|file| file.exists).or(self.files.len().checked_sub(1))
    }

    /// The context in use.
    pub(super) fn current_context(&self) -> String {
        self.joined().current_context().to_owned()
    }

    /// Puts an entry in, and uses its context when it is new or `switch` says so.
    pub(super) fn put(&mut self, entry: &Entry, names: &Names, switch: bool) {
        let is_new = !self.joined().has_context(&names.context);
        let Some(at) = self.place_of(names) else { return };
        self.files[at].now.put(entry, &names.context);
        if switch || is_new {
            let in_use = self.files.iter().position(|file| !file.now.current_context().is_empty());
            let place = in_use.or(self.usual()).unwrap_or(at);
            self.files[place].now.use_context(&names.context);
        }
    }

    /// Takes a cluster's own entries out of whichever file has them; what is another cluster's stays and is returned.
    pub(super) fn take_out(&mut self, names: &Names, is_ours: IsOurs<'_>) -> Vec<Foreign> {
        let own: Vec<Own> = (0..self.files.len()).map(|at| self.seen_from(at).own(names, is_ours)).collect();
        for (file, own) in self.files.iter_mut().zip(own) {
            file.now.take_out(names, own);
        }
        let mut stays: Vec<Foreign> = Vec::new();
        for foreign in self.files.iter().flat_map(|file| file.alone().foreign(names, is_ours)) {
            if !stays.contains(&foreign) {
                stays.push(foreign);
            }
        }
        stays
    }

    /// All of them as one in which a file comes first: what it says of a name is what it means by it, and two files may mean
    /// two clusters.
    fn seen_from(&self, at: usize) -> Kubeconfig {
        let others = self.files.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, file)| file);
        Kubeconfig::joined([&self.files[at]].into_iter().chain(others).map(OneFile::alone))
    }

    /// Writes those that were changed.
    pub(super) fn write(&self) -> Result<(), CommandError> {
        self.files.iter().filter(|file| file.now != file.before).try_for_each(OneFile::write)
    }
}

impl OneFile {
    /// What it says, with the authorities' files named from the root.
    fn alone(&self) -> Kubeconfig {
        self.now.clone().read_in(self.path.parent().unwrap_or(Path::new("")))
    }

    /// Keeps what was there beside it: remarks at the end of a line, and its layout, do not survive.
    fn write(&self) -> Result<(), CommandError> {
        let failed = |error: &dyn std::error::Error| {
            CommandError::from_source(&format!("cannot write the kubeconfig {}", self.path.display()), error)
        };
        let mut text = self.now.to_yaml().map_err(|error| failed(&error))?;
        let is_file = fs::metadata(&self.path).is_ok_and(|there| there.is_file() && there.len() > 0);
        if is_file {
            let old = fs::read(&self.path).map_err(|error| failed(&error))?;
            // Where nothing can be put beside it, the file itself may still be written, and must be.
            if let Err(error) = user_file::write(&self.backup(), &old, Readers::Owner) {
                tracing::warn!(%error, file = %self.path.display(), "the kubeconfig as it was is not kept beside it");
            }
            text = self.with_remarks(&old, text);
        }
        user_file::write(&self.path, text.reveal().as_bytes(), Readers::Owner).map_err(|error| failed(&error))
    }

    /// A name of its own, so that a copy that somebody else made is not written over.
    fn backup(&self) -> PathBuf {
        let mut backup = self.path.clone().into_os_string();
        backup.push(".kubewright.bak");
        backup.into()
    }

    /// The new text with the old one's remarks; without, where something in the old one only looks like remarks.
    fn with_remarks(&self, old: &[u8], new: Secret) -> Secret {
        let Ok(old) = std::str::from_utf8(old) else { return new };
        let says = |text: &str, wanted: &Kubeconfig| Kubeconfig::from_yaml(text).is_ok_and(|read| read == *wanted);
        if !says(&remarks::without(old), &self.before) {
            return new;
        }
        let kept = Secret::new(remarks::keep(old, new.reveal()));
        if says(kept.reveal(), &self.now) { kept } else { new }
    }
}

/// Keeps other kubewrights away from these files while the returned locks are held.
pub(super) fn lock(paths: &[PathBuf]) -> Result<Vec<File>, CommandError> {
    let failed = |error: io::Error| CommandError::from_source("cannot lock the kubeconfig", &error);
    let directories = paths.iter().map(|path| user_file::directory(path)).collect::<io::Result<Vec<_>>>();
    let mut directories = directories.map_err(failed)?;
    // Always in the same order, and each once.
    directories.sort();
    directories.dedup();
    let lock = |directory: PathBuf| {
        fs::create_dir_all(&directory)?;
        // The directory, because the file itself is replaced, and a file beside it would keep kubectl away.
        let locked = fs::File::open(directory)?.into_parts().0;
        locked.lock()?;
        Ok(locked)
    };
    directories.into_iter().map(lock).collect::<io::Result<_>>().map_err(failed)
}

fn read(path: &Path) -> Result<(bool, Kubeconfig), CommandError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok((
            true,
            Kubeconfig::from_yaml(&text).map_err(|error| {
                let what = format!("{} cannot be read, so nothing is changed in it", path.display());
                CommandError::from_source(&what, &error).hint("repair it, or set KUBECONFIG to another file")
            })?,
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((false, Kubeconfig::empty())),
        Err(error) => Err(CommandError::from_source("", &error).hint("set KUBECONFIG to a file that you may read")),
    }
}

#[cfg(test)]
mod tests {
    use pki::kubeconfig::{Credential, Trust};

    use super::*;

    fn names() -> Names {
        super::super::names("demo")
    }

    fn entry(authority: &str) -> Entry {
        Entry {
            cluster: "demo".into(),
            user: "demo-admin".into(),
            server: "https://10.0.0.2:6443".into(),
            trust: Trust::Embedded(authority.into()),
            credential: Credential::Token(Secret::new("t")),
        }
    }

    fn ours(trust: &Trust) -> bool {
        *trust == Trust::Embedded("OURS".into())
    }

    /// Changes the files named `paths` below a new directory.
    fn change(directory: &Path, paths: &[&str], edit: impl FnOnce(&mut Files)) {
        let paths: Vec<PathBuf> = paths.iter().map(|path| directory.join(path)).collect();
        let mut files = Files::read(&paths).unwrap();
        edit(&mut files);
        files.write().unwrap();
    }

    const REMARK: &str =
        "# my contexts; keep this remark\nclusters:\n- name: other\n  cluster: {server: 'https://x'}\n";

    #[test]
    fn taking_out_what_is_not_there_leaves_every_byte() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), REMARK).unwrap();
        change(directory.path(), &["a"], |files| assert!(files.take_out(&names(), &ours).is_empty()));
        assert_eq!(fs::read_to_string(directory.path().join("a")).unwrap(), REMARK);
        assert!(!directory.path().join("a.kubewright.bak").exists());
    }

    #[test]
    fn what_kubectl_would_read_as_something_else_keeps_its_quotes() {
        let directory = tempfile::tempdir().unwrap();
        let others = "users:\n- name: \"no\"\n  user:\n    exec:\n      env:\n      - name: A\n        value: \"on\"\n";
        fs::write(directory.path().join("a"), others).unwrap();
        change(directory.path(), &["a"], |files| files.put(&entry("OURS"), &names(), false));
        let text = fs::read_to_string(directory.path().join("a")).unwrap();
        assert!(text.contains("value: \"on\"\n") && text.contains("name: \"no\"\n"), "{text}");
    }

    #[test]
    fn what_is_rewritten_is_kept_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), REMARK).unwrap();
        change(directory.path(), &["a"], |files| files.put(&entry("OURS"), &names(), false));
        assert_eq!(fs::read_to_string(directory.path().join("a.kubewright.bak")).unwrap(), REMARK);
        assert!(fs::read_to_string(directory.path().join("a")).unwrap().contains("https://10.0.0.2:6443"));
    }

    #[test]
    fn a_copy_that_somebody_else_made_stays() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), REMARK).unwrap();
        fs::write(directory.path().join("a.bak"), "theirs").unwrap();
        change(directory.path(), &["a"], |files| files.put(&entry("OURS"), &names(), false));
        assert_eq!(fs::read_to_string(directory.path().join("a.bak")).unwrap(), "theirs");
    }

    #[test]
    fn of_two_files_that_mean_two_clusters_by_one_name_only_ours_loses_it() {
        for paths in [["ours", "theirs"], ["theirs", "ours"]] {
            let directory = tempfile::tempdir().unwrap();
            change(directory.path(), &["ours"], |files| files.put(&entry("OURS"), &names(), true));
            change(directory.path(), &["theirs"], |files| files.put(&entry("THEIRS"), &names(), true));
            let theirs = fs::read_to_string(directory.path().join("theirs")).unwrap();
            change(directory.path(), &paths, |files| assert_eq!(files.take_out(&names(), &ours).len(), 3));
            assert!(!fs::read_to_string(directory.path().join("ours")).unwrap().contains("demo"));
            assert_eq!(fs::read_to_string(directory.path().join("theirs")).unwrap(), theirs);
        }
    }

    #[test]
    fn a_cluster_that_a_context_in_another_file_uses_stays() {
        let directory = tempfile::tempdir().unwrap();
        change(directory.path(), &["a"], |files| files.put(&entry("OURS"), &names(), true));
        let mine = "contexts:\n- name: mine\n  context: {cluster: demo, user: demo-admin}\n";
        fs::write(directory.path().join("b"), mine).unwrap();
        change(directory.path(), &["a", "b"], |files| drop(files.take_out(&names(), &ours)));
        let text = fs::read_to_string(directory.path().join("a")).unwrap();
        assert!(text.contains("name: demo-admin") && !text.contains("contexts:\n- "), "{text}");
    }

    #[test]
    fn remarks_stay_while_entries_come_and_go() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), REMARK).unwrap();
        let text = || fs::read_to_string(directory.path().join("a")).unwrap();
        change(directory.path(), &["a"], |files| files.put(&entry("OURS"), &names(), false));
        assert!(text().contains("# my contexts; keep this remark\nclusters:\n"), "{}", text());
        change(directory.path(), &["a"], |files| drop(files.take_out(&names(), &ours)));
        assert!(
            text().contains("# my contexts; keep this remark\nclusters:\n") && !text().contains("demo"),
            "{}",
            text()
        );
    }

    #[test]
    fn what_only_looks_like_a_remark_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let text = "users:\n- name: x\n  user:\n    note: |\n      # no remark\n      text\n";
        fs::write(directory.path().join("a"), text).unwrap();
        change(directory.path(), &["a"], |files| files.put(&entry("OURS"), &names(), false));
        let written = fs::read_to_string(directory.path().join("a")).unwrap();
        assert_eq!(written.matches("# no remark").count(), 1, "{written}");
    }

    #[test]
    fn a_new_entry_goes_into_the_first_file_that_exists() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("b"), REMARK).unwrap();
        change(directory.path(), &["a", "b", "c"], |files| files.put(&entry("OURS"), &names(), false));
        assert!(!directory.path().join("a").exists() && !directory.path().join("c").exists());
        assert!(fs::read_to_string(directory.path().join("b")).unwrap().contains("name: demo"));
    }

    #[test]
    fn where_no_file_exists_the_last_one_is_made() {
        let directory = tempfile::tempdir().unwrap();
        change(directory.path(), &["a", "b"], |files| files.put(&entry("OURS"), &names(), false));
        assert!(!directory.path().join("a").exists() && directory.path().join("b").exists());
    }

    #[test]
    fn an_entry_is_changed_and_taken_out_where_it_stands() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), REMARK).unwrap();
        change(directory.path(), &["b"], |files| files.put(&entry("OURS"), &names(), false));
        change(directory.path(), &["a", "b"], |files| {
            files.put(&Entry { server: "https://new".into(), ..entry("OURS") }, &names(), false);
            assert_eq!(files.place(&names()), directory.path().join("b"));
        });
        assert!(fs::read_to_string(directory.path().join("b")).unwrap().contains("https://new"));
        change(directory.path(), &["a", "b"], |files| assert!(files.take_out(&names(), &ours).is_empty()));
        assert_eq!(fs::read_to_string(directory.path().join("a")).unwrap(), REMARK);
        assert!(!fs::read_to_string(directory.path().join("b")).unwrap().contains("demo"));
    }

    #[test]
    fn only_a_new_context_or_a_wish_moves_the_user_away_from_theirs() {
        let directory = tempfile::tempdir().unwrap();
        change(directory.path(), &["a"], |files| {
            files.put(&entry("OURS"), &names(), false);
            assert_eq!(files.current_context(), "demo");
        });
        let path = directory.path().join("a");
        let text = fs::read_to_string(&path).unwrap().replace("current-context: demo", "current-context: other");
        fs::write(&path, text).unwrap();
        change(directory.path(), &["a"], |files| {
            files.put(&entry("OURS"), &names(), false);
            assert_eq!(files.current_context(), "other");
            files.put(&entry("OURS"), &names(), true);
            assert_eq!(files.current_context(), "demo");
        });
    }

    #[test]
    fn another_clusters_entries_stay_and_are_told() {
        let directory = tempfile::tempdir().unwrap();
        change(directory.path(), &["a"], |files| files.put(&entry("THEIRS"), &names(), false));
        let before = fs::read_to_string(directory.path().join("a")).unwrap();
        change(directory.path(), &["a"], |files| assert_eq!(files.take_out(&names(), &ours).len(), 3));
        assert_eq!(fs::read_to_string(directory.path().join("a")).unwrap(), before);
    }

    #[test]
    fn what_cannot_be_parsed_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broken");
        fs::write(&path, "clusters: {").unwrap();
        let error = Files::read(std::slice::from_ref(&path)).unwrap_err();
        assert!(error.message.contains("broken cannot be read"), "{}", error.message);
    }
}
