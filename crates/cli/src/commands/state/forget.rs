//! `state forget`.

use std::collections::BTreeMap;

use plan::Plan;
use resource::Digest;

use super::record::{Edit, Selection, carry_out};
use super::recorded;
use crate::app::App;
use crate::error::Outcome;
use crate::exit::Exit;
use crate::open;

pub(super) async fn run(app: &App, selection: Selection) -> Outcome {
    forget(app, selection.edit("forget", "Forget all of this?")?).await
}

async fn forget(app: &App, edit: Edit) -> Outcome {
    let lease = edit.lock(app).await?;
    let open = open::cluster(app, &edit.name).await?;
    let known = &open.cluster.loaded;
    for id in &edit.wanted {
        recorded(known, &edit.name, id)?;
    }
    let base = open.cluster.base(Digest::of_bytes(b""));
    let plan = Plan::forgetting(base, &known.state.resources, &edit.wanted.iter().cloned().collect())
        .with_rules(edit.rules.digest());
    if carry_out(app, &open, &plan, &BTreeMap::new(), &edit, lease).await? {
        return Box::pin(forget(app, Edit { yes: true, ..edit })).await;
    }
    Ok(Exit::Fine)
}
