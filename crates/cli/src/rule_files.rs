//! The user's own rules, from the files that `--rules` names.

use clap::Args;
use rules::UserRules;
use spec::Source;

use crate::documents;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::suggestion::Suggestion;

/// Files with the user's own rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct RuleFiles {
    /// File with your own rules for plans (kind PlanRules), or a directory of them; may be given several times, in the
    /// variable with `:` between them
    #[arg(
        long = "rules",
        value_name = "FILE",
        env = "KUBEWRIGHT_RULES",
        hide_env_values = true,
        value_delimiter = ':'
    )]
    rules: Vec<String>,
}

impl RuleFiles {
    /// The rules; refused when they are not fit to be asked.
    pub(crate) fn read(&self) -> Result<UserRules, CommandError> {
        let files: Vec<String> = self.given().cloned().collect();
        let texts = documents::read(&files, false).map_err(|error| error.exit(Exit::InvalidSpec))?;
        let sources: Vec<Source> = texts.iter().map(|text| Source::new(&text.name, &text.text)).collect();
        UserRules::read(&sources).map_err(|diagnostics| {
            documents::show(&diagnostics, &texts);
            CommandError::failed("the rules are not valid").exit(Exit::InvalidSpec)
        })
    }

    /// A command with the same rules.
    pub(crate) fn suggested(&self, command: Suggestion) -> Suggestion {
        command.options("--rules", self.given())
    }

    fn given(&self) -> impl Iterator<Item = &String> {
        self.rules.iter().filter(|file| !file.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn files(text: &str) -> (RuleFiles, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        (RuleFiles { rules: vec![file.path().display().to_string(), String::new()] }, file)
    }

    #[test]
    fn rules_that_are_not_fit_are_an_invalid_document() {
        let (good, _good) = files(
            "apiVersion: kubewright.io/v1alpha1\nkind: PlanRules\nrules: [{name: a, deny: 'false', message: m}]\n",
        );
        assert!(good.read().unwrap().digest().is_some());
        let (bad, _bad) = files("kind: PlanRules\nrules: []\n");
        assert_eq!(bad.read().unwrap_err().exit, Exit::InvalidSpec);
        let missing = RuleFiles { rules: vec!["no/such/file.yaml".to_owned()] };
        assert_eq!(missing.read().unwrap_err().exit, Exit::InvalidSpec);
    }

    #[test]
    fn without_files_there_are_no_rules() {
        assert_eq!(RuleFiles::default().read().unwrap(), UserRules::default());
        let two = RuleFiles { rules: vec!["a".into(), "b c".into()] };
        assert_eq!(two.suggested(Suggestion::new("x")).text(), "kubewright x --rules a --rules 'b c'");
    }
}
