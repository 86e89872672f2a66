//! A drain loses nothing that nothing brings back, unless the group consents to it.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Change, Operation};
use resource::{Effect, Loss, ResourceId};
use serde_json::Value;

use crate::{Finding, RuleInput};

const NAME: &str = "drain-losses";

/// What the drains of one group would lose without consent.
#[derive(Default)]
struct Losses<'a> {
    drains: BTreeSet<&'a ResourceId>,
    /// One of each kind is named.
    named: BTreeMap<&'static str, Vec<&'a str>>,
}

pub(crate) fn check(input: &RuleInput<'_>) -> Vec<Finding> {
    let drains = || input.plan.changes.iter().filter(|change| is_drain(change));
    let mut groups: BTreeMap<&str, Losses<'_>> = BTreeMap::new();
    for drain in drains() {
        for (what, loss) in drain.effects.iter().filter_map(lost) {
            if !consents(drain, loss.consent()) {
                let losses = groups.entry(text(drain, "group")).or_default();
                losses.drains.insert(&drain.resource);
                losses.named.entry(loss.consent()).or_default().push(what);
            }
        }
    }
    let mut findings: Vec<Finding> = groups.iter().map(|(group, losses)| refusal(input, group, losses)).collect();
    findings.extend(drains().filter(|drain| is_unseen(input, drain)).map(unseen));
    findings
}

fn is_drain(change: &Change) -> bool {
    change.operation == Operation::Run && change.resource.kind() == "drain"
}

fn lost(effect: &Effect) -> Option<(&str, &Loss)> {
    match effect {
        Effect::Loses { what, loss, .. } => Some((what, loss)),
        _ => None,
    }
}

fn text<'a>(drain: &'a Change, field: &str) -> &'a str {
    drain.after.as_ref().and_then(|inputs| inputs.get(field)).and_then(Value::as_str).unwrap_or_default()
}

fn consents(drain: &Change, field: &str) -> bool {
    drain.after.as_ref().and_then(|inputs| inputs.get(field)).and_then(Value::as_bool).unwrap_or(false)
}

fn refusal(input: &RuleInput<'_>, group: &str, losses: &Losses<'_>) -> Finding {
    let names: Vec<&str> = losses.drains.iter().map(|drain| drain.name()).collect();
    let mut parts = Vec::new();
    for (consent, whats) in &losses.named {
        let whats: BTreeSet<&str> = whats.iter().copied().collect();
        let whats = whats.into_iter().collect::<Vec<_>>().join(", ");
        parts.push(match *consent {
            "force" => whats,
            _ => format!("emptyDir data of {whats}"),
        });
    }
    let message = format!("draining {} would lose for good: {}", names.join(", "), parts.join("; "));
    let consents: Vec<String> = losses.named.keys().map(|field| format!("spec.drain.{field}=true")).collect();
    let is_wanted = |document: &&Value| document["kind"] == "InstanceGroup" && document["metadata"]["name"] == group;
    let hint = if input.intent.wanted.iter().any(|document| is_wanted(&document)) {
        let cluster = input.intent.cluster;
        format!("if this is meant: kubewright set cluster {cluster} --instance-group {group} {}", consents.join(" "))
    } else {
        format!(
            "if this is meant, put group {group} back into the documents with spec.count=0 and {}, and take it out when its \
             machines are gone",
            consents.join(", ")
        )
    };
    Finding::refuse(NAME, message, hint).about(losses.drains.iter().copied())
}

fn is_unseen(input: &RuleInput<'_>, drain: &Change) -> bool {
    input.plan.report.iter().any(|line| line.resource == drain.resource && line.reason.is_unknown())
}

fn unseen(drain: &Change) -> Finding {
    let message = format!("it could not be seen what draining {} would lose", drain.resource.name());
    Finding::refuse(NAME, message, "see why above, then run the same command again").about([&drain.resource])
}

#[cfg(test)]
mod tests {
    use resource::{Effect, Loss};
    use serde_json::json;

    use crate::testing::World;

    fn loses(what: &str, loss: Loss) -> Effect {
        Effect::Loses { node: "w-2".to_owned(), what: what.to_owned(), loss }
    }

    fn bare() -> Effect {
        loses("pod default/bare", Loss::Pod { why: "nothing recreates it".to_owned() })
    }

    fn scratch() -> Effect {
        loses("pod default/scratch", Loss::EmptyDirData { volumes: vec!["cache".to_owned()] })
    }

    fn volume() -> Effect {
        loses("volume pvc-1", Loss::LocalVolume { claim: "default/data".to_owned() })
    }

    fn world(effects: Vec<Effect>, group: &str, force: bool, data: bool) -> World {
        World::made(1).drain("w-2", effects, json!({"group": group, "force": force, "deleteEmptyDirData": data}))
    }

    #[test]
    fn what_is_lost_without_consent_is_named_with_the_command_that_consents() {
        let [found] = world(vec![bare(), scratch()], "w", false, false).findings().try_into().unwrap();
        assert_eq!(
            found.message,
            "draining w-2 would lose for good: emptyDir data of pod default/scratch; pod default/bare"
        );
        assert_eq!(
            found.hint,
            "if this is meant: kubewright set cluster demo --instance-group w spec.drain.deleteEmptyDirData=true \
             spec.drain.force=true"
        );
    }

    #[test]
    fn each_loss_needs_its_own_consent() {
        for (effect, force, data, refused) in [
            (bare(), true, false, false),
            (bare(), false, true, true),
            (volume(), true, false, false),
            (volume(), false, true, true),
            (scratch(), false, true, false),
            (scratch(), true, false, true),
        ] {
            assert_eq!(!world(vec![effect], "w", force, data).refusals().is_empty(), refused, "{force} {data}");
        }
    }

    #[test]
    fn a_drain_that_loses_nothing_is_fine() {
        let drains = Effect::Drains { node: "w-2".to_owned() };
        assert!(world(vec![drains], "w", false, false).findings().is_empty());
    }

    #[test]
    fn a_group_that_is_gone_cannot_be_set() {
        let [found] = world(vec![bare()], "gone", false, false).findings().try_into().unwrap();
        assert!(found.hint.contains("put group gone back") && !found.hint.contains("kubewright set"), "{}", found.hint);
    }

    #[test]
    fn what_cannot_be_seen_is_not_lost_unseen() {
        assert_eq!(world(Vec::new(), "w", true, true).unknown("drain/w-2").refusals(), ["drain-losses"]);
    }
}
