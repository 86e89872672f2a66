//! `state list`.

use report::Table;
use serde_json::json;

use crate::app::App;
use crate::error::CommandError;
use crate::{operation, output};

/// Prints every recorded resource.
pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let loaded = operation::load(app, name).await?;
    let all = &loaded.state.resources;
    let shown: Vec<_> = all
        .iter()
        .map(
            |(id, recorded)| json!({"resource": id, "inDoubt": recorded.tainted, "containedIn": recorded.contained_in}),
        )
        .collect();
    output::list(app.format, &shown, all.keys().map(ToString::to_string), || {
        let mut table = Table::new(&["resource", "state", "contained in"]);
        for (id, recorded) in all {
            let state = if recorded.tainted { "in doubt" } else { "made" };
            let parent = recorded.contained_in.as_ref().map(ToString::to_string).unwrap_or_default();
            table.row([id.to_string(), state.to_owned(), parent]);
        }
        table.text()
    })
}
