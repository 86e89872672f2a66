//! `state`: what is recorded of a cluster, and how to take something out of the record.

mod adopt;
mod copy;
mod forget;
mod list;
mod mv;
mod record;
mod show;
mod unlock;
mod verify;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use engine::Loaded;
use resource::{Recorded, ResourceId};

use crate::app::App;
use crate::arguments::Name;
use crate::error::{self, CommandError, Outcome};
use crate::exit::Exit;

/// What to do with the record.
#[derive(Debug, Subcommand)]
pub(crate) enum State {
    /// List what is recorded of a cluster
    List(Name),
    /// Show what is recorded of one resource; secrets are not shown
    Show(Resource),
    /// Read everything that is stored of a cluster, and say what is damaged
    Verify(Name),
    /// Take resources, and what is contained in them, out of the record without touching what is there: the next update
    /// looks at them as if new
    Forget(record::Selection),
    /// Take into the record what carries our marker and is not recorded, or somebody else's object in the place of a wanted one;
    /// the next update changes or deletes it
    Adopt(record::Selection),
    /// Record a generated key, certificate or kubeconfig under another id that the documents ask for, content and all
    Mv(mv::Arguments),
    /// Move a cluster's state to another store; what is left says where it went
    Copy(copy::Arguments),
    /// Say who holds a cluster's lock; with --force, take it from them
    Unlock(unlock::Arguments),
}

/// One recorded resource.
#[derive(Debug, Args)]
pub(crate) struct Resource {
    #[command(flatten)]
    name: Name,
    /// Which one, as `state list` names it
    #[arg(value_name = "KIND/NAME")]
    resource: ResourceId,
}

pub(crate) async fn run(app: &App, what: State) -> Outcome {
    match what {
        State::List(name) => list::show(app, &name.name).await?,
        State::Show(resource) => show::show(app, &resource).await?,
        State::Verify(name) => return verify::run(app, &name.name).await,
        State::Forget(arguments) => return forget::run(app, arguments).await,
        State::Adopt(arguments) => return adopt::run(app, arguments).await,
        State::Mv(arguments) => return mv::run(app, arguments).await,
        State::Copy(arguments) => return copy::run(app, &arguments).await,
        State::Unlock(arguments) => return unlock::run(app, &arguments).await,
    }
    Ok(Exit::Fine)
}

/// What is recorded of `id`; else an error that names the nearest one.
fn recorded<'a>(loaded: &'a Loaded, cluster: &str, id: &ResourceId) -> Result<&'a Recorded, CommandError> {
    let all: &BTreeMap<ResourceId, Recorded> = &loaded.state.resources;
    all.get(id).ok_or_else(|| {
        let known = all.keys().map(ResourceId::as_str);
        let all = format!("see: kubewright state list {cluster}");
        error::not_among(format!("nothing is recorded of {id}"), id.as_str(), known, all)
    })
}
