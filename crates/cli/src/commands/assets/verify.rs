//! `assets verify`.

use assets::Source as _;
use catalog::AssetSet;
use serde_json::json;

use super::Which;
use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{output, prepare, sources};

pub(super) async fn run(app: &App, arguments: &Which) -> Outcome {
    let set = arguments.set()?;
    let mirrors = sources::mirrors(app, &arguments.sources);
    if mirrors.is_empty() {
        return cache(app, arguments, &set);
    }
    let mut complete = Vec::new();
    for mirror in mirrors {
        let missing = mirror.missing(&set).await.map_err(|error| prepare::failed(&error))?;
        let missing: Vec<&str> = missing.iter().map(catalog::AssetRef::name).collect();
        if !missing.is_empty() {
            let text = format!("{} lacks: {}", mirror.name(), missing.join(", "));
            return Err(CommandError::failed(text).hint("kubewright assets mirror DIR"));
        }
        app.say(format!("The {} has everything.", mirror.name()));
        complete.push(mirror.name());
    }
    output::data(app.format, &json!({"complete": complete}))?;
    Ok(Exit::Fine)
}

fn cache(app: &App, arguments: &Which, set: &AssetSet) -> Outcome {
    let mut missing = Vec::new();
    for spec in set.wanted() {
        match app.cache.verify(spec.reference()) {
            Ok(Some(_)) => {}
            Ok(None) => missing.push(spec.name().to_owned()),
            Err(error) => return Err(prepare::failed(&error)),
        }
    }
    if !missing.is_empty() {
        let text = format!("not in the cache: {}", missing.join(", "));
        return Err(CommandError::failed(text).hint("kubewright assets pull"));
    }
    if let Some(pins) = app.asset_lock.read()? {
        let checked = sources::puller(app, &arguments.sources).verify(set, Some(&pins));
        checked.map_err(|error| prepare::failed(&error))?;
    }
    output::data(app.format, &json!({"complete": ["cache"]}))?;
    app.say("Everything is in the cache and as its digests say.");
    Ok(Exit::Fine)
}
