//! The only place that reads the process's environment: variables, user, terminal.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Command;

use crate::address;
use crate::arguments::Global;
use crate::proxies::Proxies;

/// What the process finds around it.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// Where state is kept unless `--state` says otherwise.
    pub(crate) state: PathBuf,
    /// Where assets are kept.
    pub(crate) cache: PathBuf,
    /// The operator's own key.
    pub(crate) operator_key: PathBuf,
    /// The user's kubeconfigs, as kubectl reads them; at least one.
    pub(crate) kubeconfigs: Vec<PathBuf>,
    /// `user@host`.
    pub(crate) who: String,
    /// Standard error is a terminal.
    pub(crate) terminal: bool,
    /// Standard input is a terminal: the user can be asked.
    pub(crate) interactive: bool,
    /// The command line, for the history.
    pub(crate) command: String,
    /// What goes into the logs of runs, when not the usual, such as `russh=debug,kube=info`.
    pub(crate) log: Option<String>,
    /// The user's editor, with its arguments.
    pub(crate) editor: String,
    /// What stands between this host's programs and others.
    pub(crate) proxies: Proxies,
    /// The store that needs no option.
    state_variable: Option<String>,
}

/// Reads a variable; empty counts as unset.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn raw_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The same for what is no path.
fn variable(name: &str) -> Option<String> {
    raw_variable(name).and_then(|value| value.into_string().ok())
}

/// The command line without the variables that are set and empty: those count as unset, and clap takes them for values.
pub(crate) fn without_empty_variables(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let is_empty =
            argument.get_env().and_then(|name| name.to_str()).is_some_and(|name| raw_variable(name).is_none());
        // No variable has the empty name, so nothing is read any more.
        if is_empty { argument.env("").hide_env(true) } else { argument }
    });
    command.mut_subcommands(without_empty_variables)
}

/// The user's editor, kubectl's before that of everything else; blanks are none.
fn editor() -> String {
    let named = ["VISUAL", "KUBE_EDITOR", "EDITOR"]
        .into_iter()
        .filter_map(raw_variable)
        .find(|editor| !editor.to_string_lossy().trim().is_empty());
    // One that is no text is not found by that name, which is said; another one is not what was asked for.
    named.map_or_else(|| "vi".to_owned(), |editor| editor.to_string_lossy().into_owned())
}

/// What was typed, on one line.
fn typed(arguments: impl Iterator<Item = OsString>) -> String {
    arguments.map(|argument| argument.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

impl Environment {
    /// The store that was given as an option; none where the next command finds it without one.
    pub(crate) fn given_state(&self, global: &Global) -> Option<String> {
        global.state.clone().filter(|given| self.state_variable.as_ref() != Some(given))
    }

    /// Looks around.
    pub(crate) fn read() -> Self {
        let home = raw_variable("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
        // As the standard has it: a relative path in such a variable is none.
        let base = |name: &str, default: &str| {
            let named = raw_variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
            named.unwrap_or_else(|| home.join(default)).join("kubewright")
        };
        let kubeconfigs = paths(&variable("KUBECONFIG").unwrap_or_default());
        let user = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "root".to_owned());
        let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            state: base("XDG_STATE_HOME", ".local/state"),
            cache: base("XDG_CACHE_HOME", ".cache"),
            operator_key: base("XDG_CONFIG_HOME", ".config").join("operator.key"),
            kubeconfigs: if kubeconfigs.is_empty() { vec![home.join(".kube/config")] } else { kubeconfigs },
            who: format!("{user}@{}", host.trim()),
            terminal: std::io::stderr().is_terminal() && variable("CI").is_none(),
            interactive: std::io::stdin().is_terminal(),
            command: typed(std::env::args_os().skip(1)),
            log: variable("KUBEWRIGHT_LOG"),
            state_variable: variable("KUBEWRIGHT_STATE").and_then(|address| address::read(&address).ok()),
            editor: editor(),
            proxies: Proxies {
                https: variable("HTTPS_PROXY").or_else(|| variable("https_proxy")),
                none_for: variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default(),
            },
        }
    }
}

/// The files of a list such as `KUBECONFIG`, without empty entries and repetitions.
fn paths(list: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in list.split(':').filter(|path| !path.is_empty()).map(PathBuf::from) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_entries_of_a_list_of_files_are_skipped() {
        assert_eq!(paths(":/a/b::/c:/a/b"), [PathBuf::from("/a/b"), PathBuf::from("/c")]);
        assert!(paths("::").is_empty());
    }
}
