//! `version`: this program's version, the newest Kubernetes that it knows, and which kubewright wrote what is stored.

use engine::RunHistory;
use report::Table;
use serde::Serialize;

use crate::app::App;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::output;

/// This program's version.
pub(crate) const VERSION: &str = reconcile::VERSION;

/// What `--version` prints after the program's name.
pub(crate) fn long() -> String {
    format!("{VERSION}\nKubernetes {}, the newest of: {}", catalog::DEFAULT_VERSION, supported())
}

fn supported() -> String {
    catalog::supported_versions().join(", ")
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    kubewright: &'static str,
    /// The newest one that this program knows.
    kubernetes: &'static str,
    /// All that it knows, the oldest first.
    supported: Vec<&'static str>,
    /// Where state is kept.
    store: String,
    clusters: Vec<Writer>,
    /// Why the store cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// Which kubewright last carried out something on a cluster.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Writer {
    cluster: String,
    /// Its version, or what is known instead.
    kubewright: String,
    /// When that run began, RFC 3339.
    time: Option<String>,
}

pub(crate) async fn run(app: &App) -> Outcome {
    let (clusters, trouble) = match writers(app).await {
        Ok(clusters) => (clusters, None),
        // Its own version is what is asked for most when something is wrong.
        Err(error) => (Vec::new(), Some(error.message)),
    };
    let versions = Versions {
        kubewright: VERSION,
        kubernetes: catalog::DEFAULT_VERSION,
        supported: catalog::supported_versions(),
        store: app.store.describe(),
        clusters,
        trouble,
    };
    output::print(app.format, &versions, || text(&versions))?;
    Ok(Exit::Fine)
}

async fn writers(app: &App) -> Result<Vec<Writer>, CommandError> {
    let mut writers = Vec::new();
    for name in app.store.clusters().await? {
        // One that was moved or is damaged does not hide the others.
        let runs = app.cluster(&name).runs().await.unwrap_or_default();
        writers.push(writer(name, &runs));
    }
    Ok(writers)
}

fn writer(cluster: String, runs: &[RunHistory]) -> Writer {
    match runs.last() {
        None => Writer { cluster, kubewright: "not known: no run is kept".to_owned(), time: None },
        Some(run) if run.kubewright.is_empty() => {
            Writer { cluster, kubewright: "one before 0.1.0 was released".to_owned(), time: Some(run.began.clone()) }
        }
        Some(run) => Writer { cluster, kubewright: run.kubewright.clone(), time: Some(run.began.clone()) },
    }
}

fn text(versions: &Versions) -> String {
    let mut text = format!("kubewright {}\n\nState in {}:\n", long(), versions.store);
    if let Some(trouble) = &versions.trouble {
        return text + "  cannot be read: " + trouble + "\n";
    }
    if versions.clusters.is_empty() {
        return text + "  there are no clusters\n";
    }
    let mut table = Table::new(&["cluster", "written by kubewright", "at"]);
    for writer in &versions.clusters {
        table.row([writer.cluster.clone(), writer.kubewright.clone(), writer.time.clone().unwrap_or_default()]);
    }
    text.push_str(&table.text());
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use engine::RunOutcome;
    use resource::Digest;

    use super::*;
    use crate::arguments::CommandLine;

    fn run(kubewright: &str, began: &str) -> RunHistory {
        RunHistory {
            run: began.to_owned(),
            who: String::new(),
            command: String::new(),
            revision: None,
            kubewright: kubewright.to_owned(),
            plan: Digest::of_bytes(b""),
            epoch: 1,
            began: began.to_owned(),
            ended: None,
            outcome: RunOutcome::Unfinished,
            actions: Vec::new(),
        }
    }

    #[test]
    fn the_last_run_says_which_kubewright_wrote_a_state() {
        let told = |runs: &[RunHistory]| writer("demo".to_owned(), runs);
        let last = told(&[run("0.1.0", "2026-01-01T00:00:00Z"), run("0.2.0", "2026-01-02T00:00:00Z")]);
        assert_eq!((last.kubewright.as_str(), last.time.as_deref()), ("0.2.0", Some("2026-01-02T00:00:00Z")));
        assert!(told(&[run("", "2026-01-01T00:00:00Z")]).kubewright.contains("before"));
        assert_eq!(told(&[]).time, None);
    }

    #[test]
    fn a_store_that_cannot_be_read_does_not_hide_the_version() {
        let mut versions = Versions {
            kubewright: VERSION,
            kubernetes: catalog::DEFAULT_VERSION,
            supported: catalog::supported_versions(),
            store: "/state".to_owned(),
            clusters: vec![writer("demo".to_owned(), &[run("0.2.0", "2026-01-02T00:00:00Z")])],
            trouble: None,
        };
        let fine = text(&versions);
        assert!(fine.contains("demo") && fine.contains("0.2.0"), "{fine}");
        versions.trouble = Some("permission denied".to_owned());
        let text = text(&versions);
        assert!(text.starts_with(&format!("kubewright {VERSION}\n")) && text.contains("permission denied"), "{text}");
    }

    #[test]
    fn the_option_and_the_command_say_the_same_version() {
        let program = CommandLine::command();
        assert_eq!(program.get_version(), Some(VERSION));
        assert!(program.render_long_version().starts_with(&format!("kubewright {}", long())));
        assert!(long().contains(catalog::DEFAULT_VERSION));
    }
}
