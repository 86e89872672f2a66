//! What must hold between fields and between documents. Every rule is a pure function in a file of its own.

use resource::{Diagnostic, Severity};

use crate::documents::Documents;
use crate::effective::{Draft, Drafts};
use crate::load::HostContext;
use crate::{Cluster, InstanceGroup};

mod api;
mod assets;
mod audit;
mod containerd;
mod control_planes;
mod endpoint;
mod facts;
mod flags;
mod gates;
mod kube_proxy;
mod kubelet;
mod labels;
mod logging;
mod machines;
mod manifests;
mod max_pods;
mod names;
mod network_policies;
mod overlaps;
mod pki;
mod ports;
mod ranges;
mod resolvers;
mod sysctls;
mod version;

/// All rules.
const RULES: [fn(&World<'_>) -> Vec<Finding>; 23] = [
    names::check,
    version::check,
    control_planes::check,
    ranges::check,
    max_pods::check,
    overlaps::check,
    resolvers::check,
    ports::check,
    api::check,
    endpoint::check,
    labels::check,
    kubelet::check,
    flags::check,
    facts::check,
    audit::check,
    containerd::check,
    machines::check,
    sysctls::check,
    kube_proxy::check,
    manifests::check,
    network_policies::check,
    pki::check,
    assets::check,
];

/// What rules look at.
pub(crate) struct World<'a> {
    pub(crate) documents: &'a Documents,
    pub(crate) drafts: &'a Drafts,
    pub(crate) surroundings: &'a HostContext,
}

impl World<'_> {
    fn cluster(&self) -> Option<&Draft<Cluster>> {
        self.drafts.cluster.as_ref()
    }

    fn groups(&self) -> &[Draft<InstanceGroup>] {
        &self.drafts.groups
    }

    /// The user wrote this field.
    fn writes<T>(&self, draft: &Draft<T>, field: &str) -> bool {
        self.documents.documents.get(draft.document).is_some_and(|document| document.has(field))
    }

    /// All groups could be read, so counts of machines are what the user meant.
    fn is_complete(&self) -> bool {
        let counts = |group: &Draft<InstanceGroup>| {
            let document = self.documents.documents.get(group.document);
            document.is_some_and(|document| !document.is_faulty("spec.count") && !document.is_faulty("spec.role"))
        };
        !self.documents.incomplete && self.groups().iter().all(counts)
    }
}

/// What a rule has to say.
pub(crate) struct Finding {
    severity: Severity,
    code: &'static str,
    message: String,
    /// Document, field and remark; the first is the primary place.
    places: Vec<(usize, String, String)>,
    help: Option<String>,
}

impl Finding {
    fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), places: Vec::new(), help: None }
    }

    fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    fn at<T>(self, draft: &Draft<T>, field: impl Into<String>) -> Self {
        self.and(draft, field, "here")
    }

    fn and<T>(mut self, draft: &Draft<T>, field: impl Into<String>, text: impl Into<String>) -> Self {
        self.places.push((draft.document, field.into(), text.into()));
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Something that it rests on could not be read, so it may be wrong.
    fn is_doubtful(&self, documents: &Documents) -> bool {
        self.places.iter().any(|(document, field, _)| {
            documents.documents.get(*document).is_some_and(|document| document.is_faulty(field))
        })
    }

    fn diagnostic(self, documents: &Documents) -> Diagnostic {
        let mut labels = Vec::new();
        for (document, field, text) in &self.places {
            if let Some(document) = documents.documents.get(*document) {
                labels.extend(documents.label(document, field, text));
            }
        }
        Diagnostic {
            code: self.code.to_owned(),
            severity: self.severity,
            message: self.message,
            field: self.places.into_iter().next().map(|(_, field, _)| field).unwrap_or_default(),
            labels,
            help: self.help,
        }
    }
}

/// Everything that rules have to say, save what rests on fields that could not be read.
pub(crate) fn validate(documents: &Documents, drafts: &Drafts, surroundings: &HostContext) -> Vec<Diagnostic> {
    let world = World { documents, drafts, surroundings };
    RULES
        .iter()
        .flat_map(|rule| rule(&world))
        .filter(|finding| !finding.is_doubtful(documents))
        .map(|finding| finding.diagnostic(documents))
        .collect()
}

/// Names that stand more than once, with the indices of the first and the further one.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(usize, usize)> {
    let mut first = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for (index, name) in names.enumerate() {
        match first.get(name) {
            Some(earlier) => found.push((*earlier, index)),
            None => {
                first.insert(name, index);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
