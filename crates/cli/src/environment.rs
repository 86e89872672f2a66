//! The only place that reads the process's environment: variables, user, terminal.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use crate::arguments::Global;

/// What the process finds around it.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// Where state is kept unless `--state` says otherwise.
    pub(crate) state: PathBuf,
    /// Where assets are kept.
    pub(crate) cache: PathBuf,
    /// The operator's own key.
    pub(crate) operator_key: PathBuf,
    /// The user's kubeconfig.
    pub(crate) kubeconfig: PathBuf,
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
    /// The store that needs no option.
    state_variable: Option<String>,
}

/// Reads a variable; empty counts as unset.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Environment {
    /// The store that was given as an option; none where the next command finds it without one.
    pub(crate) fn given_state(&self, global: &Global) -> Option<String> {
        global.state.clone().filter(|given| self.state_variable.as_ref() != Some(given))
    }

    /// Looks around.
    pub(crate) fn read() -> Self {
        let home = PathBuf::from(variable("HOME").unwrap_or_else(|| "/root".to_owned()));
        let base = |name: &str, default: &str| {
            variable(name).map_or_else(|| home.join(default), PathBuf::from).join("kubewright")
        };
        // As kubectl: of several files, the first is the one that is written.
        let kubeconfig = variable("KUBECONFIG").and_then(|list| list.split(':').next().map(PathBuf::from));
        let user = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "root".to_owned());
        let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self {
            state: base("XDG_STATE_HOME", ".local/state"),
            cache: base("XDG_CACHE_HOME", ".cache"),
            operator_key: base("XDG_CONFIG_HOME", ".config").join("operator.key"),
            kubeconfig: kubeconfig.unwrap_or_else(|| home.join(".kube/config")),
            who: format!("{user}@{}", host.trim()),
            terminal: std::io::stderr().is_terminal() && variable("CI").is_none(),
            interactive: std::io::stdin().is_terminal(),
            command: arguments.join(" "),
            log: variable("KUBEWRIGHT_LOG"),
            state_variable: variable("KUBEWRIGHT_STATE"),
            editor: variable("VISUAL").or_else(|| variable("EDITOR")).unwrap_or_else(|| "vi".to_owned()),
        }
    }
}
