//! `create cluster`: writes a cluster's documents, and with --yes makes it.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use engine::history::{RunHistory, RunOutcome};
use engine::{Loaded, SourceText};
use model::{Facts, Resolved};
use resource::{Desired, ResourceId};
use rules::UserRules;
use spec::{Cni, NewCluster};

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::output::{self, Format};
use crate::passwords::{self, PasswordFiles};
use crate::rule_files::RuleFiles;
use crate::run_limits::RunLimits;
use crate::update::{self, UpdateOptions};
use crate::{documents, facts, host_context, kubeconfig, obstacles, providers, resolving};

/// Arguments of `create cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Name of the cluster
    #[command(flatten)]
    name: Name,
    /// Documents of the cluster instead of generated ones: files, directories or `-`
    #[arg(short = 'f', long = "filename", value_name = "FILE", conflicts_with_all = ["kubernetes_version", "control_plane_count", "node_count", "cni", "provider"])]
    files: Vec<String>,
    /// Read the directories below directories, too
    #[arg(short = 'R', long, requires = "files")]
    recursive: bool,
    /// Who brings the cluster's machines
    #[arg(long, value_parser = provider(), default_value = spec::Provider::default().name())]
    provider: spec::Provider,
    /// Version of Kubernetes: a minor such as 1.36, or a patch release
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<String>,
    /// How many control planes: 1, 3 or 5
    #[arg(long, value_name = "N", default_value_t = 1)]
    control_plane_count: u32,
    /// How many workers
    #[arg(long, value_name = "N", default_value_t = 2)]
    node_count: u32,
    /// The pod network
    #[arg(long, value_name = "NAME", value_parser = cni)]
    cni: Option<Cni>,
    /// Install what this host lacks with its package manager; without --yes, print what that would run
    #[arg(long)]
    setup_host: bool,
    /// Print the documents and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    rules: RuleFiles,
    #[command(flatten)]
    limits: RunLimits,
    /// Make the cluster without asking
    #[arg(short, long)]
    yes: bool,
}

/// Reads a provider's name as the documents spell it.
fn provider() -> impl TypedValueParser<Value = spec::Provider> {
    PossibleValuesParser::new(spec::Provider::ALL.map(spec::Provider::name))
        .try_map(|name| serde_json::from_value::<spec::Provider>(name.into()))
}

/// Reads the pod network's name as the documents spell it.
fn cni(text: &str) -> Result<Cni, String> {
    serde_json::from_value(text.into()).map_err(|_| "it is `flannel` or `none`".to_owned())
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let rules = arguments.rules.read()?;
    let texts = if arguments.files.is_empty() {
        generated(&arguments)?
    } else {
        documents::read(&arguments.files, arguments.recursive)?
    };
    let provider = providers::named(app, documents::provider(&texts).unwrap_or(arguments.provider).name())?;
    let around = provider.host_context().await?;
    let (fitted, said) = host_context::fitted(texts.clone(), &around);
    let existing = if arguments.dry_run { None } else { app.cluster(&arguments.name.name).load().await? };
    if let Some(loaded) = &existing
        && (is_same(loaded, &texts) || is_same(loaded, &fitted))
        && is_begun(app, &arguments.name.name, loaded).await?
    {
        return go_on(app, arguments, rules, loaded.clone()).await;
    }
    let texts = fitted;
    let effective = documents::effective_on(&texts, &around)?;
    for text in said {
        app.say(text);
    }
    let name = effective.cluster.metadata.name.clone();
    if name != arguments.name.name {
        return Err(CommandError::failed(format!(
            "the documents describe cluster {name}, not {}",
            arguments.name.name
        ))
        .exit(Exit::InvalidSpec)
        .hint(format!("kubewright create cluster {name}")));
    }
    if arguments.dry_run {
        show(app, &texts)?;
        return Ok(Exit::Fine);
    }
    if existing.is_some() {
        return Err(CommandError::failed(format!("cluster {name} exists already"))
            .hint(format!("to go on with it: kubewright update cluster {name} --yes"))
            .hint(format!(
                "to change its documents: kubewright replace -f FILE, or kubewright set cluster {name} FIELD=VALUE"
            )));
    }
    let lineage = uuid::Uuid::new_v4().to_string();
    // Also where nothing is to be made yet.
    provider.check_name(&name, &lineage).await?;
    kubeconfig::check_new(app, &name)?;
    // Held until what was made of it shows that it is taken.
    let (facts, _held) = facts::new(app, &name, &effective, &texts).await?;
    passwords::check(&effective.cluster.spec.containerd.registry_credentials, false, &PasswordFiles)?;
    // An own template that is no good is refused before anything is kept.
    let resolved = resolving::resolve(app, &lineage, effective, facts)?;
    let desired = resolving::build(app, &resolved)?;
    if arguments.yes {
        check_host(app, &resolved, &desired, arguments.setup_host).await?;
    }
    store(app, &name, &lineage, texts, &resolved.facts).await?;
    let options = UpdateOptions { is_revised: true, ..options(&arguments, rules) };
    update::update(app, &name, &options).await
}

fn options(arguments: &Arguments, rules: UserRules) -> UpdateOptions {
    UpdateOptions {
        yes: arguments.yes,
        limits: arguments.limits.clone(),
        rules,
        rule_files: arguments.rules.clone(),
        setup_host: arguments.setup_host,
        ..UpdateOptions::default()
    }
}

/// Goes on with a cluster of which not everything was made yet, unless its documents are others by then.
async fn go_on(app: &App, arguments: Arguments, rules: UserRules, begun: Loaded) -> Outcome {
    let name = &arguments.name.name;
    app.say(format!("Cluster {name} was begun with the same documents and is not finished: this goes on with it."));
    update::update(app, name, &UpdateOptions { base: Some(begun), ..options(&arguments, rules) }).await
}

/// Whether a cluster still has the documents that it was created with, and these are they.
fn is_same(loaded: &Loaded, texts: &[SourceText]) -> bool {
    fn text(text: &SourceText) -> &str {
        &text.text
    }
    let stored = &loaded.revision;
    stored.parent.is_none() && stored.documents.iter().map(text).eq(texts.iter().map(text))
}

/// Whether a creation never came to its end: nothing but creations and updates was ever begun, and none was carried out whole.
async fn is_begun(app: &App, name: &str, loaded: &Loaded) -> Result<bool, CommandError> {
    let runs = app.cluster(name).runs().await?;
    let makes = |run: &RunHistory| ["create cluster", "update cluster"].iter().any(|verb| run.command.contains(verb));
    let is_unfinished = runs.iter().all(|run| makes(run) && run.outcome != RunOutcome::Complete);
    Ok(is_unfinished && (loaded.state.resources.is_empty() || !runs.is_empty()))
}

/// The documents as they would be kept; as JSON, a list of them.
fn show(app: &App, texts: &[SourceText]) -> Result<(), CommandError> {
    let stream = documents::joined(texts);
    match app.format {
        Format::Text | Format::Yaml => output::text(&stream)?,
        Format::Json | Format::Name => output::data(app.format, &documents::values(&stream)?)?,
    }
    Ok(())
}

/// The documents of a cluster of the given shape.
fn generated(arguments: &Arguments) -> Result<Vec<SourceText>, CommandError> {
    let default = NewCluster::new(&arguments.name.name);
    let new = NewCluster {
        kubernetes_version: arguments.kubernetes_version.clone().unwrap_or_else(|| default.kubernetes_version.clone()),
        control_planes: arguments.control_plane_count,
        workers: arguments.node_count,
        cni: arguments.cni,
        provider: arguments.provider,
        ..default
    };
    let text = spec::generate(&new).map_err(|error| CommandError::from_source("", &error).exit(Exit::Bug))?;
    Ok(vec![SourceText { name: format!("{}.yaml", arguments.name.name), text }])
}

/// Refuses before anything is written when this host can't carry the machines; what will be `set_up` counts as there.
async fn check_host(
    app: &App,
    resolved: &Resolved,
    desired: &BTreeMap<ResourceId, Desired>,
    set_up: bool,
) -> Result<(), CommandError> {
    let found = obstacles::found(app, resolved, desired, &BTreeMap::new(), &BTreeSet::new()).await?;
    obstacles::refuse(found.iter().filter(|finding| !(set_up && finding.can_be_installed)))
}

/// Writes the first revision and the head.
async fn store(
    app: &App,
    name: &str,
    lineage: &str,
    texts: Vec<SourceText>,
    facts: &Facts,
) -> Result<(), CommandError> {
    let lease = app.store.lock(name, app.lock_info("create cluster")).await?;
    let revision = documents::revision(app, texts, facts, None)?;
    let cluster = app.cluster(name);
    let digest = cluster.put_revision(&*lease, &revision).await?;
    cluster.create(&*lease, lineage, digest).await?;
    Ok(())
}
