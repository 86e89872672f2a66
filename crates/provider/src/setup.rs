//! What a provider needs installed where the command line runs.

use crate::ProviderError;

/// Installs what is missing.
pub trait Setup: Send {
    /// The commands, each as its words, for showing before they run.
    fn commands(&self) -> &[Vec<String>];

    /// Runs them one after the other; their output goes to `say`, line by line. Blocks.
    ///
    /// # Errors
    /// The first command that fails.
    fn run(&self, say: &dyn Fn(&str)) -> Result<(), ProviderError>;
}

/// Commands as one line for a shell.
pub fn shown(commands: &[Vec<String>]) -> String {
    commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join(" && ")
}
