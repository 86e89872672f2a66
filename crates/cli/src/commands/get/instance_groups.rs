//! `get instancegroups`: the groups of a cluster, with every default.

use report::Table;
use spec::{InstanceGroup, Role};

use crate::app::App;
use crate::error::CommandError;
use crate::{documents, operation, output};

pub(super) async fn show(app: &App, name: &str) -> Result<(), CommandError> {
    let loaded = operation::load(app, name).await?;
    let groups = documents::stored(&loaded.revision.documents)?.groups;
    let names = groups.iter().map(|group| format!("instancegroup/{}", group.metadata.name));
    output::list(app.format, &groups, names, || {
        let mut table = Table::new(&["group", "role", "machines", "memory", "cpus", "taints"]);
        for group in &groups {
            table.row(row(group));
        }
        table.text()
    })
}

fn row(group: &InstanceGroup) -> [String; 6] {
    let spec = &group.spec;
    let role = match spec.role {
        Role::ControlPlane => "ControlPlane",
        Role::Worker => "Worker",
    };
    // A machine without a limit has all of its host.
    let all = || "host's".to_owned();
    let taints: Vec<String> = spec.taints.iter().map(|taint| format!("{}:{:?}", taint.key, taint.effect)).collect();
    [
        group.metadata.name.clone(),
        role.to_owned(),
        spec.count.to_string(),
        spec.machine.memory.clone().unwrap_or_else(all),
        spec.machine.cpus.map_or_else(all, |cpus| cpus.to_string()),
        taints.join(", "),
    ]
}
