//! The whole way from texts to documents that are fit to be resolved.

use ipnet::IpNet;
use resource::{Diagnostic, Severity};

use crate::documents::{Documents, parse};
use crate::effective::{self, Effective};
use crate::free_ranges::overlap;
use crate::source::Source;
use crate::tree::UNREAD_TAG;
use crate::validate;

/// What validation must know of the world. Empty where nothing is known: then less is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostContext {
    /// Destinations of the host's routes, without the default route and without those of the cluster's own network.
    pub routes: Vec<IpNet>,
    /// The cluster is about to be made: what can't be changed later is worth a word now.
    pub is_new: bool,
}

/// Shorter prefixes than that of the widest private network of their family.
const SHORTER_THAN_ANY_NETWORK: [u8; 2] = [8, 7];

impl HostContext {
    /// The first route to a part of a range. Default routes lead everywhere, also where a VPN writes them in parts
    /// (0.0.0.0/1 and 128.0.0.0/1).
    pub(crate) fn route_over(&self, range: IpNet) -> Option<IpNet> {
        let [ipv4, ipv6] = SHORTER_THAN_ANY_NETWORK;
        let is_network = |route: &IpNet| route.prefix_len() >= if matches!(route, IpNet::V4(_)) { ipv4 } else { ipv6 };
        self.routes.iter().copied().filter(is_network).find(|route| overlap(*route, range))
    }
}

/// What came of loading.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The documents as written.
    pub documents: Documents,
    /// The documents with every default; `None` where something is wrong with them.
    pub effective: Option<Effective>,
    /// Everything there is to say, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads documents, fills in defaults and validates all of it.
pub fn load(sources: &[Source], surroundings: &HostContext) -> Loaded {
    load_with(sources, |said| said, |documents, drafts| validate::validate(documents, drafts, surroundings))
}

/// Reads documents that were taken before, maybe by an earlier release: what its rules did not say is a warning now, for what
/// was made from them is there.
pub fn load_stored(sources: &[Source]) -> Loaded {
    // Earlier releases passed over these tags.
    let was_taken = |said: Diagnostic| if said.code == UNREAD_TAG { as_warning(said) } else { said };
    load_with(sources, was_taken, |documents, drafts| {
        let said = validate::validate(documents, drafts, &HostContext::default());
        said.into_iter().map(as_warning).collect()
    })
}

/// The same word on something that is there.
pub fn as_warning(said: Diagnostic) -> Diagnostic {
    Diagnostic { severity: said.severity.min(Severity::Warning), ..said }
}

fn load_with(
    sources: &[Source],
    of_reading: impl Fn(Diagnostic) -> Diagnostic,
    validate: impl Fn(&Documents, &effective::Drafts) -> Vec<Diagnostic>,
) -> Loaded {
    let documents = parse(sources);
    let (drafts, unreadable) = effective::fill(&documents);
    let mut diagnostics: Vec<Diagnostic> = documents.diagnostics.iter().cloned().map(of_reading).collect();
    diagnostics.extend(unreadable);
    diagnostics.extend(validate(&documents, &drafts));
    sort(&mut diagnostics, sources);
    let sound = diagnostics.iter().all(|diagnostic| diagnostic.severity < Severity::Error);
    let effective = if sound { drafts.finish(&documents) } else { None };
    Loaded { documents, effective, diagnostics }
}

/// By file as given, then by place; what has no place comes first.
fn sort(diagnostics: &mut [Diagnostic], sources: &[Source]) {
    diagnostics.sort_by_key(|diagnostic| {
        diagnostic
            .labels
            .first()
            .map(|label| (sources.iter().position(|source| source.name == label.file), label.offset))
    });
}
