//! What runs did, from their journals.

use std::collections::BTreeMap;

use plan::ActionId;
use resource::Digest;
use serde::Serialize;

use crate::journal::Record;

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunHistory {
    /// Its id, which begins with the time.
    pub run: String,
    /// `user@host`.
    pub who: String,
    /// What was typed; empty in journals of old.
    pub command: String,
    /// The revision that it was to carry out; unknown in journals of old.
    pub revision: Option<Digest>,
    /// Version of the kubewright that carried it out; empty in journals of old.
    pub kubewright: String,
    /// Digest of its plan.
    pub plan: Digest,
    /// Epoch of its lease.
    pub epoch: u64,
    /// When it began, RFC 3339.
    pub began: String,
    /// When it ended by itself, RFC 3339.
    pub ended: Option<String>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// What it did, in the order in which it was begun.
    pub actions: Vec<ActionHistory>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RunOutcome {
    /// Everything was done.
    Complete,
    /// Something failed, or was not started because of that or because somebody stopped the run.
    Partial,
    /// Its end is not in the journal: it still goes on, or was killed.
    Unfinished,
}

/// One action of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActionHistory {
    /// Which.
    pub action: ActionId,
    /// How it ended.
    pub outcome: ActionOutcome,
    /// How long it took, milliseconds; unknown where it did not succeed.
    pub millis: Option<u64>,
    /// Why it failed.
    pub why: Option<String>,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ActionOutcome {
    /// It took effect.
    Succeeded,
    /// It failed for good.
    Failed,
    /// Nothing more was heard of it.
    InDoubt,
}

impl RunHistory {
    /// What a journal tells; `None` when not even the run's beginning became durable.
    pub fn of(run: &str, records: &[Record]) -> Option<Self> {
        let Some(Record::RunStarted { plan, epoch, who, command, revision, kubewright, time, .. }) = records.first()
        else {
            return None;
        };
        let mut history = Self {
            run: run.to_owned(),
            who: who.clone(),
            command: command.clone(),
            revision: revision.clone(),
            kubewright: kubewright.clone(),
            plan: plan.clone(),
            epoch: *epoch,
            began: time.clone(),
            ended: None,
            outcome: RunOutcome::Unfinished,
            actions: Vec::new(),
        };
        let mut places = BTreeMap::new();
        for record in records {
            history.take(record, &mut places);
        }
        Some(history)
    }

    fn take<'a>(&mut self, record: &'a Record, places: &mut BTreeMap<&'a ActionId, usize>) {
        match record {
            Record::RunStarted { .. } => {}
            Record::ActionStarted { action, .. } => {
                places.insert(action, self.actions.len());
                let outcome = ActionOutcome::InDoubt;
                self.actions.push(ActionHistory { action: action.clone(), outcome, millis: None, why: None });
            }
            Record::ActionSucceeded { action, millis, .. } => {
                self.end(places.get(action), ActionOutcome::Succeeded, Some(*millis), None);
            }
            Record::ActionFailed { action, why, .. } => {
                self.end(places.get(action), ActionOutcome::Failed, None, Some(why.clone()));
            }
            Record::RunFinished { failed, skipped, time, .. } => {
                self.ended = Some(time.clone());
                self.outcome = if failed + skipped == 0 { RunOutcome::Complete } else { RunOutcome::Partial };
            }
        }
    }

    /// Ends the action at `place`, if its beginning is known.
    fn end(&mut self, place: Option<&usize>, outcome: ActionOutcome, millis: Option<u64>, why: Option<String>) {
        if let Some(known) = place.and_then(|place| self.actions.get_mut(*place)) {
            (known.outcome, known.millis, known.why) = (outcome, millis, why);
        }
    }

    /// How many actions ended so.
    pub fn count(&self, outcome: ActionOutcome) -> usize {
        self.actions.iter().filter(|action| action.outcome == outcome).count()
    }
}

#[cfg(test)]
mod tests {
    use resource::ResourceId;

    use super::*;
    use crate::journal::{self, StateEffect};

    fn started() -> Record {
        Record::RunStarted {
            format: journal::FORMAT,
            run: "r".into(),
            plan: Digest::of_bytes(b"p"),
            epoch: 3,
            who: "me@here".into(),
            command: "update cluster demo".into(),
            revision: Some(Digest::of_bytes(b"r")),
            kubewright: "0.1.0".into(),
            time: "2026-01-01T00:00:00Z".into(),
        }
    }

    fn id(name: &str) -> (ActionId, ResourceId) {
        let resource = ResourceId::new("x", name);
        (ActionId::new("create", &resource), resource)
    }

    fn begun(name: &str) -> Record {
        let (action, resource) = id(name);
        Record::ActionStarted { action, resource, provisional: None }
    }

    #[test]
    fn each_action_is_told_with_its_end() {
        let ((good, good_resource), (bad, bad_resource)) = (id("good"), id("bad"));
        let records = [
            started(),
            begun("good"),
            begun("bad"),
            begun("lost"),
            Record::ActionFailed { action: bad, resource: bad_resource, why: "no".into() },
            Record::ActionSucceeded { action: good, resource: good_resource, effect: StateEffect::None, millis: 7 },
        ];
        let history = RunHistory::of("r", &records).unwrap();
        let told: Vec<_> = history.actions.iter().map(|a| (a.outcome, a.millis, a.why.as_deref())).collect();
        assert_eq!(
            told,
            [
                (ActionOutcome::Succeeded, Some(7), None),
                (ActionOutcome::Failed, None, Some("no")),
                (ActionOutcome::InDoubt, None, None),
            ]
        );
        assert_eq!((history.outcome, history.ended.as_ref()), (RunOutcome::Unfinished, None));
    }

    #[test]
    fn a_run_is_complete_only_when_nothing_failed_or_was_left_out() {
        let ended = |failed, skipped| {
            let finished = Record::RunFinished { succeeded: 1, failed, skipped, time: "t".into() };
            RunHistory::of("r", &[started(), finished]).unwrap().outcome
        };
        assert_eq!(
            [ended(0, 0), ended(1, 0), ended(0, 1)],
            [RunOutcome::Complete, RunOutcome::Partial, RunOutcome::Partial]
        );
        assert_eq!(RunHistory::of("r", &[]), None);
    }

    #[test]
    fn a_journal_of_old_names_no_command_and_no_revision() {
        let text = r#"{"record":"runStarted","format":1,"run":"r","plan":"p","epoch":1,"who":"w","time":"t"}"#;
        let record: Record = serde_json::from_str(text).unwrap();
        let history = RunHistory::of("r", &[record]).unwrap();
        assert_eq!((history.command.as_str(), history.revision), ("", None));
    }
}
