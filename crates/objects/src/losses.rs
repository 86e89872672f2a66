//! What a drain of a node loses for good: pods that nothing recreates, and data that lies on the node alone.

mod controllers;

use std::fmt;

use resource::Loss;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::controllers::{Controller, Controllers};
use crate::ApiError;
use crate::connection::Connection;
use crate::field::{list, text};
use crate::pods::{EvictionDecision, fate, full_name, is_finished, of_node};

/// The label that volumes name nodes by.
const HOST_NAME: &str = "kubernetes.io/hostname";

/// One thing that would be lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Lost {
    /// Kind and name, such as `pod default/web`.
    pub(crate) what: String,
    /// How it is lost.
    pub(crate) loss: Loss,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.loss {
            Loss::EmptyDirData { .. } => write!(f, "emptyDir data of {}", self.what),
            Loss::Pod { .. } | Loss::LocalVolume { .. } => f.write_str(&self.what),
        }
    }
}

/// Everything that a drain of a live Node would lose, in order.
pub(crate) async fn losses(connection: &Connection, node: &Value) -> Result<Vec<Lost>, ApiError> {
    let (pods, volumes) = tokio::join!(
        of_node(connection, text(node, "/metadata/name")),
        connection.list("/api/v1/persistentvolumes", &[])
    );
    let (pods, volumes) = (pods?, volumes?);
    let going: Vec<&Value> =
        pods.iter().filter(|pod| fate(pod) == EvictionDecision::Goes && !is_finished(pod)).collect();
    let controllers = Controllers::of(connection, &going).await?;
    let mut lost: Vec<Lost> = going.iter().flat_map(|pod| of_pod(pod, controllers.find(pod))).collect();
    lost.extend(volumes.iter().filter_map(|volume| of_volume(volume, node, &pods)));
    lost.sort();
    Ok(lost)
}

fn of_pod(pod: &Value, controller: Option<&Controller>) -> Vec<Lost> {
    let what = format!("pod {}", full_name(pod));
    let mut lost = Vec::new();
    let why = match controller {
        None => Some("no controller recreates it".to_owned()),
        Some(Controller::Gone { name }) => Some(format!("its {name} is gone")),
        Some(Controller::Theirs | Controller::Ours) => None,
    };
    if let Some(why) = why {
        lost.push(Lost { what: what.clone(), loss: Loss::Pod { why } });
    }
    let volumes = list(pod, "/spec/volumes").iter().filter(|volume| volume.get("emptyDir").is_some());
    let volumes: Vec<String> = volumes.map(|volume| text(volume, "/name").to_owned()).collect();
    // What our own addons keep in theirs is made anew wherever they go.
    if !volumes.is_empty() && controller != Some(&Controller::Ours) {
        lost.push(Lost { what, loss: Loss::EmptyDirData { volumes } });
    }
    lost
}

/// A volume that was claimed and lies on this node alone. What never was claimed holds nothing.
fn of_volume(volume: &Value, node: &Value, pods: &[Value]) -> Option<Lost> {
    let is_local = ["/spec/local", "/spec/hostPath"].iter().any(|source| volume.pointer(source).is_some());
    let claim = volume.pointer("/spec/claimRef")?;
    let (namespace, name) = (text(claim, "/namespace"), text(claim, "/name"));
    let terms = list(volume, "/spec/nodeAffinity/required/nodeSelectorTerms");
    let is_here = if terms.is_empty() {
        pods.iter().any(|pod| text(pod, "/metadata/namespace") == namespace && claims(pod, name))
    } else {
        terms.iter().all(|term| is_bound_to(term, node))
    };
    let claim = format!("{namespace}/{name}");
    let what = format!("volume {}", text(volume, "/metadata/name"));
    (is_local && is_here).then_some(Lost { what, loss: Loss::LocalVolume { claim } })
}

/// Whether a pod mounts a claim of its namespace.
fn claims(pod: &Value, claim: &str) -> bool {
    list(pod, "/spec/volumes").iter().any(|volume| text(volume, "/persistentVolumeClaim/claimName") == claim)
}

/// Whether a term of an affinity admits this node and no other.
fn is_bound_to(term: &Value, node: &Value) -> bool {
    let name = text(node, "/metadata/name");
    let labels = node.pointer("/metadata/labels");
    let host = labels.and_then(|labels| labels.get(HOST_NAME)).and_then(Value::as_str).unwrap_or(name);
    let only = |requirement: &Value, key: &str, value: &str| {
        text(requirement, "/key") == key
            && text(requirement, "/operator") == "In"
            && matches!(list(requirement, "/values"), [only] if only == value)
    };
    list(term, "/matchExpressions").iter().any(|requirement| only(requirement, HOST_NAME, host))
        || list(term, "/matchFields").iter().any(|requirement| only(requirement, "metadata.name", name))
}

#[cfg(test)]
mod tests;
