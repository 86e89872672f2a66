//! Where assets come from, as the user's words say.

use std::sync::Arc;

use assets::{Manner, Mirror, Origin, Puller, Source, Upstream};

use crate::app::App;
use crate::programs;

/// Gets assets from `sources`, asked in their order.
pub(crate) fn puller(app: &App, sources: &[String]) -> Puller {
    let builders = programs::builders(app);
    let mut origins = Vec::new();
    let mut assembled = false;
    for source in sources {
        match source.as_str() {
            "cache" => {}
            "auto" => origins.extend([upstream(app, Manner::Probing), Origin::Build(builders.clone())]),
            "go" => origins.push(Origin::Build(builders.clone())),
            "upstream" => {
                origins.push(upstream(app, Manner::Insisting));
                assembled = true;
            }
            address if is_address(address) => {
                origins.push(fetch(Mirror::on_the_web(address, app.cache.root())));
                origins.push(fetch(new_upstream(app, Manner::Insisting).mirrored_at(address)));
                assembled = true;
            }
            directory => origins.push(fetch(Mirror::in_directory(directory))),
        }
    }
    if assembled {
        // Nobody publishes machine images and image stores: they are put together here, of what was fetched.
        origins.push(Origin::Build(builders.assembling()));
    }
    // No source has to have what is inside this program.
    origins.extend(programs::own().map(Origin::Build));
    Puller::new((*app.cache).clone(), origins, app.progress.clone()).cancelled_by(app.stop.drain.clone())
}

/// Whether the machines' image would be put together here: it is neither in the cache nor to be had from a mirror.
pub(crate) fn builds_machine_image(app: &App, sources: &[String]) -> bool {
    let image = catalog::debian::machine_rootfs();
    let is_cached = app.cache.find(image.reference()).is_ok_and(|found| found.is_some());
    !is_cached && !sources.iter().any(|source| is_mirror(source))
}

fn is_mirror(source: &str) -> bool {
    source.starts_with('/') || is_address(source)
}

/// The mirrors among the sources.
pub(crate) fn mirrors(app: &App, sources: &[String]) -> Vec<Mirror> {
    let mirror = |source: &String| {
        if is_address(source) { Mirror::on_the_web(source, app.cache.root()) } else { Mirror::in_directory(source) }
    };
    sources.iter().filter(|source| is_mirror(source)).map(mirror).collect()
}

fn is_address(source: &str) -> bool {
    source.contains("://")
}

fn new_upstream(app: &App, manner: Manner) -> Upstream {
    Upstream::new(manner, app.cache.root(), app.progress.clone())
}

fn upstream(app: &App, manner: Manner) -> Origin {
    fetch(new_upstream(app, manner))
}

fn fetch(source: impl Source + 'static) -> Origin {
    Origin::Fetch(Arc::new(source))
}
