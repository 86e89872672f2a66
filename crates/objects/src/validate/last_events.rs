//! What was last said about a pod that is not ready, which is where `kubectl describe` ends.

use jiff::Timestamp;
use resource::Secret;
use serde_json::Value;

use super::Finding;
use super::thorough::age;
use crate::Connections;
use crate::connection::Connection;
use crate::field::text;

/// About how many pods the cluster is asked, in one request each: where more are broken, these will say why.
const MOST: usize = 5;
/// Where an event says when it was last seen, the best place first.
const TIMES: [&str; 4] = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];

/// Adds the last event of each pod to what was found wrong with it. What cannot be read is left out.
pub async fn add_last_events(connections: &Connections, access: &Secret, found: &mut [Finding], now: Timestamp) {
    let Ok(connection) = connections.open(access) else { return };
    for finding in found.iter_mut().filter(|finding| finding.subject.starts_with("pod/")).take(MOST) {
        if let Some(event) = last_event(&connection, &finding.subject).await {
            finding.problem = format!("{}; last event: {}", finding.problem, words(&event, now));
        }
    }
}

/// The newest event of `pod/NAMESPACE/NAME`.
async fn last_event(connection: &Connection, subject: &str) -> Option<Value> {
    let (namespace, name) = subject.strip_prefix("pod/")?.split_once('/')?;
    let path = format!("/api/v1/namespaces/{namespace}/events");
    let events = connection.list(&path, &[("fieldSelector", &format!("involvedObject.name={name}"))]).await.ok()?;
    let of_pods = events.into_iter().filter(|event| text(event, "/involvedObject/kind") == "Pod");
    of_pods.max_by_key(time)
}

fn time(event: &Value) -> Option<Timestamp> {
    TIMES.iter().find_map(|place| text(event, place).parse().ok())
}

/// `FailedMount (3 min ago): MountVolume.SetUp failed …`: the first line, which has the reason.
fn words(event: &Value, now: Timestamp) -> String {
    let ago = time(event).map(|time| format!(" ({} ago)", age(time, now))).unwrap_or_default();
    let message = text(event, "/message").lines().next().unwrap_or_default();
    format!("{}{ago}: {message}", text(event, "/reason"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::World;

    fn event(kind: &str, reason: &str, times: &Value) -> Value {
        let mut event = json!({"metadata": {"name": reason}, "reason": reason, "message": "no such volume\nmore",
            "involvedObject": {"kind": kind, "name": "p"}});
        event.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
        event
    }

    #[tokio::test]
    async fn the_newest_event_of_a_broken_pod_is_told_with_it() {
        let world = World::new();
        let events = [
            event("Pod", "Scheduled", &json!({"eventTime": "2026-01-01T00:00:00.000000Z"})),
            event("Pod", "FailedMount", &json!({"lastTimestamp": "2026-01-01T00:57:00Z", "eventTime": null})),
            event("Deployment", "Scaled", &json!({"lastTimestamp": "2026-01-01T00:59:00Z"})),
        ];
        for event in events {
            let path = format!("/api/v1/namespaces/kube-system/events/{}", text(&event, "/reason"));
            world.fake.state().put(&path, event);
        }
        let finding = |subject: &str| Finding {
            subject: subject.to_owned(),
            problem: "is not ready".to_owned(),
            hint: None,
            fails: true,
        };
        let mut found = [finding("pod/kube-system/p"), finding("pod/kube-system/quiet"), finding("node/p")];
        let now = "2026-01-01T01:00:00Z".parse().unwrap();
        add_last_events(&world.connections, &World::access(), &mut found, now).await;
        let problems = found.map(|finding| finding.problem);
        let told = "is not ready; last event: FailedMount (3 min ago): no such volume";
        assert_eq!(problems, [told, "is not ready", "is not ready"]);
    }
}
