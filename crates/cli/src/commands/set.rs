//! `set cluster`: sets fields of a cluster's documents by path.

use clap::Args;
use engine::SourceText;
use spec::Source;

use crate::app::App;
use crate::arguments::Name;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{operation, output, revise};

/// Arguments of `set cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// Fields and values, such as spec.addons.metricsServer.enabled=true
    #[arg(value_name = "FIELD=VALUE", required = true)]
    fields: Vec<String>,
    /// Set them in this instance group instead of the cluster
    #[arg(long, value_name = "GROUP")]
    instance_group: Option<String>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = &arguments.name.name;
    let loaded = operation::load(app, name).await?;
    let mut sources: Vec<Source> =
        loaded.revision.documents.iter().map(|text| Source::new(&text.name, &text.text)).collect();
    let document = match &arguments.instance_group {
        Some(group) => format!("InstanceGroup/{group}"),
        None => format!("Cluster/{name}"),
    };
    for field in &arguments.fields {
        sources = spec::set(&spec::parse(&sources), &document, field).map_err(|diagnostic| {
            let find = |name: &str| sources.iter().find(|source| source.name == name).map(|source| source.text.clone());
            output::note(&report::diagnostics_text(&[*diagnostic], find));
            CommandError::failed(format!("cannot set {field} in {document}")).exit(Exit::InvalidSpec)
        })?;
    }
    let texts: Vec<_> = sources.into_iter().map(|source| SourceText { name: source.name, text: source.text }).collect();
    revise::revise(app, name, &loaded, texts).await
}
