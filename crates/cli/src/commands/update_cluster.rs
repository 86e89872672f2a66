//! `update cluster`: shows what would change, and changes it with --yes.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use resource::ResourceId;

use crate::app::App;
use crate::arguments::Name;
use crate::compose::AgentOptions;
use crate::error::{CommandError, Outcome};
use crate::rule_files::RuleFiles;
use crate::run_limits::RunLimits;
use crate::update::{self, SavedPlan, UpdateOptions, View};

/// Arguments of `update cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Carry the changes out without asking
    #[arg(short, long)]
    yes: bool,
    /// Save the plan in a file, for --plan
    #[arg(long, value_name = "FILE", conflicts_with_all = ["yes", "plan"])]
    out: Option<PathBuf>,
    /// Carry out the plan of a file, as it stands or not at all: what has moved meanwhile makes it stale (exit 12)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "refresh"])]
    plan: Option<PathBuf>,
    /// Limit the plan to this resource and what its changes wait for; may be given several times
    #[arg(long, value_name = "KIND/NAME")]
    target: Vec<ResourceId>,
    /// With =false, take what was recorded for what is there; only for previews
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, conflicts_with_all = ["yes", "out"])]
    refresh: bool,
    /// Show only what was changed from outside since the last run, and exit with 3 when something was
    #[arg(long, conflicts_with_all = ["yes", "out", "plan", "target", "refresh", "detailed_exitcode"])]
    drift_only: bool,
    /// Show when each change would run, how long it would take as far as earlier runs tell, and the critical path
    #[arg(long, conflicts_with = "drift_only")]
    timeline: bool,
    #[command(flatten)]
    limits: RunLimits,
    /// Exit with 3 when changes are pending
    #[arg(long)]
    detailed_exitcode: bool,
    /// Refuse a plan that deletes or replaces more resources than this
    #[arg(long, value_name = "N")]
    max_destroy: Option<usize>,
    #[command(flatten)]
    rules: RuleFiles,
    /// Hash large files on machines again instead of trusting their size and time
    #[arg(long)]
    deep: bool,
    /// Let a new member of etcd be born on this control plane although one lived there whose data is gone. Without other
    /// members that makes an empty cluster; restore a snapshot if you have one
    #[arg(long, value_name = "MACHINE")]
    forget_etcd_data: Vec<String>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = arguments.name.name.clone();
    update::update(app, &name, &options(arguments)?).await
}

fn options(arguments: Arguments) -> Result<UpdateOptions, CommandError> {
    let name = arguments.name.name;
    let saved = arguments.plan.map(|path| SavedPlan::read_for(&path, &name)).transpose()?;
    let targets = match &saved {
        Some(saved) => saved.plan.base.targets.clone(),
        None => arguments.target.into_iter().collect(),
    };
    let view = View {
        targets,
        recorded_only: !arguments.refresh,
        drift_only: arguments.drift_only,
        timeline: arguments.timeline,
    };
    Ok(UpdateOptions {
        yes: arguments.yes,
        view,
        out: arguments.out,
        saved,
        limits: arguments.limits,
        detailed_exitcode: arguments.detailed_exitcode,
        max_destroy: arguments.max_destroy,
        rules: arguments.rules.read()?,
        agent_options: AgentOptions {
            deep: arguments.deep,
            forget_etcd_data: arguments.forget_etcd_data.into_iter().collect(),
        },
        rule_files: arguments.rules,
        is_revised: false,
        base: None,
        setup_host: false,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Command, CommandLine, Update};
    use crate::suggestion::words_of;

    fn read(words: &[String]) -> UpdateOptions {
        match CommandLine::try_parse_from(words).unwrap().command {
            Command::Update { what: Update::Cluster(arguments) } => options(arguments).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_that_is_suggested_asks_for_the_same() {
        let directory = tempfile::Builder::new().prefix("it's a ").tempdir().unwrap();
        let path = directory.path().join("rules.yaml").display().to_string();
        let rules =
            "apiVersion: kubewright.io/v1alpha1\nkind: PlanRules\nrules: [{name: a, deny: 'false', message: m}]\n";
        fs_err::File::create(&path).unwrap().write_all(rules.as_bytes()).unwrap();
        let given = "kubewright update cluster demo --target machine/demo/a --target network/demo --timeline --parallelism 3 \
                     --action-timeout 1h --detailed-exitcode --max-destroy 2 --deep --forget-etcd-data a --forget-etcd-data b";
        let rules = ["--rules".to_owned(), path];
        let given: Vec<String> = given.split_whitespace().map(str::to_owned).chain(rules).collect();
        for given in [&given[..], &given[..4]] {
            let options = read(given);
            let wanted = UpdateOptions { yes: true, ..options.clone() };
            assert_eq!(format!("{:?}", read(&words_of(&options.command("demo")))), format!("{wanted:?}"));
        }
    }
}
