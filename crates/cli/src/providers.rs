//! The providers that this program has: a new one is a crate and a line here.

use std::sync::Arc;

use provider::Provider;
use provider_local::LocalProvider;

use crate::app::App;
use crate::error::CommandError;

/// Whose the facts are that name no provider: there was only this one when they were kept.
pub(crate) const EARLIEST: &str = provider_local::NAME;

/// All of them.
pub(crate) fn all(app: &App) -> Vec<Arc<dyn Provider>> {
    vec![Arc::new(LocalProvider::new(app.machines(), app.cache.clone()))]
}

/// The provider that documents or facts name.
pub(crate) fn named(app: &App, name: &str) -> Result<Arc<dyn Provider>, CommandError> {
    let found = all(app).into_iter().find(|provider| provider.name() == name);
    found.ok_or_else(|| {
        CommandError::failed(format!("this kubewright has no provider {name}")).hint("use a newer kubewright")
    })
}
