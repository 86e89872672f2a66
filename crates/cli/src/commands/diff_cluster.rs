//! `diff cluster`: what differs between two revisions of a cluster's documents.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use engine::Revision;
use serde::Serialize;

use crate::app::App;
use crate::arguments::Name;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::{operation, output};

/// Arguments of `diff cluster`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    name: Name,
    /// A revision, or the beginning of its digest; `get revisions` lists them
    #[arg(value_name = "FROM")]
    from: String,
    /// Another one [default: the one that is wanted now]
    #[arg(value_name = "TO")]
    to: Option<String>,
}

/// What is printed as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Difference {
    from: String,
    to: String,
    /// By file; only those that differ.
    files: BTreeMap<String, String>,
}

pub(crate) async fn run(app: &App, arguments: Arguments) -> Outcome {
    let name = &arguments.name.name;
    let loaded = operation::load(app, name).await?;
    let (from, before) = operation::revision(app, name, &arguments.from).await?;
    let to = arguments.to.as_deref().unwrap_or(loaded.head.revision.as_str());
    let (to, after) = operation::revision(app, name, to).await?;
    let shown = Difference { from: from.to_string(), to: to.to_string(), files: differences(&before, &after) };
    output::print(app.format, &shown, || {
        let diffs: String = shown.files.values().map(String::as_str).collect();
        if diffs.is_empty() { "The documents are the same.\n".to_owned() } else { diffs }
    })?;
    Ok(Exit::Fine)
}

fn differences(before: &Revision, after: &Revision) -> BTreeMap<String, String> {
    let [before, after] = [before, after].map(texts);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let text = |side: &BTreeMap<String, String>, name: &String| side.get(name).cloned().unwrap_or_default();
    let differ = |name: &String| report::line_diff(name, &text(&before, name), &text(&after, name));
    names.into_iter().filter_map(|name| Some((name.clone(), differ(name)?))).collect()
}

fn texts(revision: &Revision) -> BTreeMap<String, String> {
    revision.documents.iter().map(|document| (document.name.clone(), document.text.clone())).collect()
}
