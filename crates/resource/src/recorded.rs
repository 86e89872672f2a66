//! A resource as the spec asks for it, and as the state store remembers it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, Lifecycle, ResourceId, text};

/// One resource that the spec asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Desired {
    /// Its id.
    pub id: ResourceId,
    /// Its attributes as canonical JSON; references stand as [`crate::Reference`] markers.
    pub inputs: Value,
    /// What must exist before it, besides what `inputs` refers to.
    pub depends_on: BTreeSet<ResourceId>,
    /// Those of `depends_on` that it waits for only where they can be planned: while one cannot, because it cannot be seen or is
    /// somebody else's, the resource goes on without it as long as it is there itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub if_seen: BTreeSet<ResourceId>,
    /// How its existence is managed.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// The resource with which it disappears; it is forgotten, not deleted, when that one is deleted.
    pub contained_in: Option<ResourceId>,
    /// The machine that it is a part of, where it is one of a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A machine, and the budgets that it counts against while it is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The machine's name.
    pub machine: String,
    /// How many machines of each budget may be away at once, by the budget's name, such as `group worker`. Without any, the
    /// machine is away alone.
    pub budgets: BTreeMap<String, u32>,
    /// The part of the infrastructure that fails as one, where machines are spread over several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What is run to wait until the machine is ready again. A member of the quorum does that itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Run>,
}

/// Something that is done once and leaves no resource behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// Names what is done.
    pub resource: ResourceId,
    /// What it needs; references unresolved.
    pub inputs: Value,
}

impl Desired {
    /// A managed resource without explicit dependencies.
    pub fn new(id: ResourceId, inputs: Value) -> Self {
        let (depends_on, if_seen) = (BTreeSet::new(), BTreeSet::new());
        Self { id, inputs, depends_on, if_seen, lifecycle: Lifecycle::Managed, contained_in: None, place: None }
    }

    /// The same as a part of a machine.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same with one more dependency.
    #[must_use]
    pub fn after(mut self, dependency: ResourceId) -> Self {
        self.depends_on.insert(dependency);
        self
    }

    /// The same after `dependency`, which it does without while nobody can see it: it is one of several that do the same, or was
    /// needed for the resource's creation only.
    #[must_use]
    pub fn after_if_seen(mut self, dependency: ResourceId) -> Self {
        self.if_seen.insert(dependency.clone());
        self.after(dependency)
    }

    /// The same, disappearing with `parent` (which is a dependency too).
    #[must_use]
    pub fn contained_in(mut self, parent: ResourceId) -> Self {
        self.depends_on.insert(parent.clone());
        self.contained_in = Some(parent);
        self
    }

    /// What is recorded, as if it were asked for.
    pub fn as_recorded(id: &ResourceId, recorded: &Recorded) -> Self {
        Self {
            id: id.clone(),
            inputs: recorded.inputs.clone(),
            depends_on: recorded.depends_on.clone(),
            if_seen: BTreeSet::new(),
            lifecycle: recorded.lifecycle,
            contained_in: recorded.contained_in.clone(),
            place: None,
        }
    }

    /// What is remembered of it, before its outputs are known.
    pub fn to_recorded(&self, schema_version: u32) -> Recorded {
        Recorded {
            depends_on: self.dependencies(),
            contained_in: self.contained_in.clone(),
            lifecycle: self.lifecycle,
            ..Recorded::of_inputs(schema_version, self.inputs.clone())
        }
    }

    /// What it depends on otherwise than by saying an output in a text.
    pub fn dependencies_beside_texts(&self) -> BTreeSet<ResourceId> {
        let referred = text::find_beside_texts(&self.inputs).into_iter().map(|reference| reference.resource);
        self.depends_on.iter().cloned().chain(referred).collect()
    }

    /// Everything it depends on: the explicit ones and those its inputs refer to.
    pub fn dependencies(&self) -> BTreeSet<ResourceId> {
        let mut all = self.depends_on.clone();
        all.extend(crate::reference::find_references(&self.inputs).into_iter().map(|reference| reference.resource));
        all
    }
}

/// One resource as the state store remembers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded {
    /// Version of the kind's schema that wrote it.
    pub schema_version: u32,
    /// What it depended on, so that it can be deleted in order after its documents are gone.
    pub depends_on: BTreeSet<ResourceId>,
    /// The inputs it was last made with, references unresolved.
    pub inputs: Value,
    /// What stood for outputs in the texts of its inputs when it was last made, by reference (`kind/name#output`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
    /// What the handler gave back. Secret outputs are not here: they are in the vault, with their digest in `secrets`.
    #[serde(default)]
    pub outputs: BTreeMap<String, Value>,
    /// Keyed digests of the secret outputs, by output name.
    #[serde(default)]
    pub secrets: BTreeMap<String, Digest>,
    /// The resource with which it disappears.
    pub contained_in: Option<ResourceId>,
    /// How its existence is managed.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// Whether its last action failed after it may have taken effect; it is made good by the next run.
    #[serde(default)]
    pub tainted: bool,
    /// The last attempt to make or change it, as long as it is in doubt what came of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
}

/// An attempt to make or change a resource, written down before it takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Names the attempt to whoever carries it out: what is asked for twice under one token is made once.
    pub token: String,
    /// When it began.
    pub at: Timestamp,
}

impl Recorded {
    /// Its inputs as it was made, without texts that stand for outputs.
    pub fn made_with(&self) -> Cow<'_, Value> {
        if self.texts.is_empty() {
            return Cow::Borrowed(&self.inputs);
        }
        let mut inputs = self.inputs.clone();
        text::fill_texts(&mut inputs, &|reference| self.texts.get(&reference.to_string()).cloned());
        Cow::Owned(inputs)
    }

    /// The same with its inputs as it was made.
    #[must_use]
    pub fn as_made(self) -> Self {
        if self.texts.is_empty() {
            return self;
        }
        Self { inputs: self.made_with().into_owned(), ..self }
    }

    /// Those of `seen` outputs that are others than recorded: what was made gives another address or name now. Each with its name,
    /// what is recorded and what was seen.
    pub fn other_outputs<'a>(
        &'a self,
        seen: &'a BTreeMap<String, Value>,
    ) -> impl Iterator<Item = (&'a String, &'a Value, &'a Value)> {
        seen.iter().filter_map(|(name, value)| {
            let known = self.outputs.get(name).filter(|known| *known != value)?;
            Some((name, known, value))
        })
    }

    /// A managed resource that was made with these inputs, gave nothing back and depends on nothing.
    pub fn of_inputs(schema_version: u32, inputs: Value) -> Self {
        Self {
            schema_version,
            depends_on: BTreeSet::new(),
            inputs,
            texts: BTreeMap::new(),
            outputs: BTreeMap::new(),
            secrets: BTreeMap::new(),
            contained_in: None,
            lifecycle: Lifecycle::Managed,
            tainted: false,
            attempt: None,
        }
    }
}
