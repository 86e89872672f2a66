//! Texts in inputs that outputs stand in, as far as these are known while a plan is made.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use resource::{Observation, Recorded, Reference, ResourceId, text};
use serde_json::Value;

/// What is known of outputs.
pub(crate) struct Texts<'a> {
    recorded: &'a BTreeMap<ResourceId, Recorded>,
    observed: &'a BTreeMap<ResourceId, Observation>,
    /// Whose outputs nobody knows before the plan is carried out.
    unknown: BTreeSet<ResourceId>,
    /// Whose outputs are those that were seen, whatever is recorded.
    unrecorded: BTreeSet<ResourceId>,
}

impl<'a> Texts<'a> {
    pub(crate) fn new(
        recorded: &'a BTreeMap<ResourceId, Recorded>,
        observed: &'a BTreeMap<ResourceId, Observation>,
    ) -> Self {
        Self { recorded, observed, unknown: BTreeSet::new(), unrecorded: BTreeSet::new() }
    }

    /// From now on nobody knows the outputs of a resource: the plan makes it anew.
    pub(crate) fn forget(&mut self, id: &ResourceId) {
        self.unknown.insert(id.clone());
    }

    /// From now on only what was seen of a resource's outputs counts: what it gave was not recorded.
    pub(crate) fn distrust_record(&mut self, id: &ResourceId) {
        self.unrecorded.insert(id.clone());
    }

    /// Whose outputs are known only when the plan is carried out, or may be others than recorded.
    pub(crate) fn unsettled(&self) -> BTreeSet<ResourceId> {
        self.unknown.union(&self.unrecorded).cloned().collect()
    }

    /// The first resource of which something was made that says another output than is known now.
    pub(crate) fn moved(&self, made: &Recorded) -> Option<ResourceId> {
        let differs = |output: &Reference| made.texts.get(&output.to_string()) != self.known(output).as_ref();
        text::find_in_texts(&made.inputs).into_iter().find(differs).map(|output| output.resource)
    }

    /// Inputs as they are to be now. Texts that nobody knows yet stay as they are.
    pub(crate) fn filled<'v>(&self, inputs: &'v Value) -> Cow<'v, Value> {
        fill(inputs, |reference| self.known(reference))
    }

    /// An output as it was seen, else as it is recorded.
    fn known(&self, reference: &Reference) -> Option<String> {
        if self.unknown.contains(&reference.resource) {
            return None;
        }
        let seen = match self.observed.get(&reference.resource) {
            Some(Observation::Present { outputs, .. }) => outputs.get(&reference.output),
            _ => None,
        };
        let recorded = || self.recorded(reference).filter(|_| !self.unrecorded.contains(&reference.resource));
        seen.map(text::of_output).or_else(recorded)
    }

    fn recorded(&self, Reference { resource, output }: &Reference) -> Option<String> {
        Some(text::of_output(self.recorded.get(resource)?.outputs.get(output)?))
    }
}

fn fill(inputs: &Value, known: impl Fn(&Reference) -> Option<String>) -> Cow<'_, Value> {
    if !text::has_texts(inputs) {
        return Cow::Borrowed(inputs);
    }
    let mut filled = inputs.clone();
    text::fill_texts(&mut filled, &known);
    Cow::Owned(filled)
}
