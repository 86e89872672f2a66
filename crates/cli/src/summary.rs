//! The closing words of a run: what was made, and what to type next.

use std::time::Duration;

use engine::Summary;
use model::Resolved;
use report::words;

use crate::app::App;
use crate::kubectl;

/// Says what a successful run did.
pub(crate) fn print(app: &App, resolved: &Resolved, summary: &Summary, context: Option<String>, took: Duration) {
    let name = resolved.name();
    let control_planes = resolved.control_planes().count();
    let workers = resolved.workers().count();
    app.say(format!(
        "\nCluster {name}: Kubernetes {}, {}, {}; {} in {}.",
        resolved.release.kubernetes,
        words::count(control_planes, "control plane"),
        words::count(workers, "worker"),
        words::count(summary.succeeded.len(), "action"),
        words::duration(took),
    ));
    if let Some(context) = context {
        app.say(context);
    }
    let kubectl =
        kubectl::beside(app, resolved).map_or_else(|| "kubectl".to_owned(), |path| path.display().to_string());
    app.say(format!("\nNext:\n  {kubectl} get nodes"));
    app.say(format!("  kubewright validate cluster {name}"));
    app.say(format!("  kubewright ssh {name} {}", resolved.machines.first().map_or("", |machine| &machine.name)));
    app.say(format!("  kubewright delete cluster {name} --yes"));
}
