//! `graph cluster`: the changes of a plan and what each waits for, as a picture.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use graph::Picture;
use resource::Digest;
use serde_json::json;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::update::SavedPlan;
use crate::{open, operation, output, resolving};

/// Arguments of `graph cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// The plan of this file, instead of the one that `update cluster` would show now
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    plan: Option<PathBuf>,
    /// How the picture is written
    #[arg(long, value_enum, default_value_t)]
    format: Language,
    /// Everything that the documents ask for, not only what changes
    #[arg(long)]
    all: bool,
}

/// How a picture is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Language {
    /// Graphviz' language, for its programs.
    #[default]
    Dot,
    /// As it is shown.
    Svg,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = &arguments.name.name;
    let picture = match &arguments.plan {
        Some(path) => report::plan_picture(&SavedPlan::read_for(path, name)?.plan),
        None => planned(app, name, arguments.all).await?,
    };
    if picture.nodes.is_empty() {
        app.say("There is nothing to do, so there is nothing to draw. See everything with: --all");
    }
    let text = written(name, &picture, arguments.format)?;
    output::print(app.format, &json!({"cluster": name, "picture": text}), || text.clone())?;
    Ok(Exit::Fine)
}

/// What would be done now, or all of the cluster.
async fn planned(app: &App, name: &str, all: bool) -> Result<Picture, CommandError> {
    let open = open::cluster(app, name).await?;
    let desired = resolving::build(app, &open.resolved)?;
    // Nothing is carried out, so no asset is looked at.
    let observed = operation::observe(app, &open.cluster, &desired).await?;
    let plan = open.cluster.plan(&desired, Digest::of_bytes(b""), &observed, &BTreeSet::new())?;
    if !all {
        return Ok(report::plan_picture(&plan));
    }
    let needs = desired.iter().map(|(id, resource)| (id.clone(), resource.dependencies())).collect();
    Ok(report::desired_picture(&needs, &plan))
}

fn written(name: &str, picture: &Picture, language: Language) -> Result<String, CommandError> {
    match language {
        Language::Dot => Ok(picture.dot()),
        Language::Svg => report::svg(picture).map(|text| text + "\n").ok_or_else(|| {
            let (count, most) = (picture.nodes.len(), report::MOST_NODES);
            CommandError::failed(format!("{count} boxes cannot be laid out here; {most} are the most"))
                .exit(Exit::Usage)
                .hint(format!("let Graphviz do it: kubewright graph cluster {name} --format dot | dot -Tsvg"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use graph::Node;

    use super::*;

    #[test]
    fn a_picture_that_is_too_large_for_svg_names_the_way_out() {
        let node = Node { label: "create a/b".into(), colour: "#ffffff" };
        let picture = Picture { nodes: vec![node; report::MOST_NODES + 1], edges: Vec::new() };
        let error = written("demo", &picture, Language::Svg).unwrap_err();
        assert!(error.exit == Exit::Usage && error.hints[0].contains("dot -Tsvg"));
        assert!(written("demo", &picture, Language::Dot).unwrap().starts_with("digraph"));
    }
}
