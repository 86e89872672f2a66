//! `assets verify`.

use assets::Source as _;
use catalog::AssetSet;

use super::Which;
use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::{prepare, sources};

pub(super) async fn run(app: &App, arguments: &Which) -> Outcome {
    let set = arguments.set()?;
    let mirrors = sources::mirrors(app, &arguments.sources);
    if mirrors.is_empty() {
        return cache(app, arguments, &set);
    }
    for mirror in mirrors {
        let missing = mirror.missing(&set).await.map_err(|error| prepare::failed(&error))?;
        let missing: Vec<&str> = missing.iter().map(catalog::AssetRef::name).collect();
        if !missing.is_empty() {
            let text = format!("{} lacks: {}", mirror.name(), missing.join(", "));
            return Err(CommandError::failed(text).hint("kubewright assets mirror DIR"));
        }
        app.say(format!("The {} has everything.", mirror.name()));
    }
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
    app.say("Everything is in the cache and as its digests say.");
    Ok(Exit::Fine)
}
