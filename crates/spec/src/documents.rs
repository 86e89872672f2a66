//! Reading documents: which kinds are there, what is wrong with them, where each field stands.

use std::collections::{BTreeMap, BTreeSet};

use resource::{Diagnostic, Label, Severity};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::check::{self, Checked, Place};
use crate::schema::{self, Kind as DocumentKind};
use crate::source::{Source, Span};
use crate::tree::{self, Kind, Node};
use crate::{API_VERSION, plan_rules, suggest};

/// What was read from some sources.
#[derive(Debug, Clone)]
pub struct Documents {
    /// The texts.
    pub sources: Vec<Source>,
    /// The documents, in the order in which they stand there.
    pub documents: Vec<Document>,
    /// Everything that is wrong with them, taken one by one.
    pub diagnostics: Vec<Diagnostic>,
    /// Something could not be read at all, so what is missing may only be unreadable.
    pub(crate) incomplete: bool,
}

/// One document.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its name; empty where it has none.
    pub name: String,
    /// Which of the sources it stands in.
    pub source: usize,
    /// What is right of it, as written; `None` where something that must be there isn't.
    pub value: Option<Value>,
    start: Span,
    places: BTreeMap<String, Place>,
    faults: BTreeSet<String>,
}

impl Documents {
    /// Nothing is wrong with any document taken alone.
    pub fn are_sound(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity < Severity::Error)
    }

    /// A diagnostic about its field of the document called `id`, with its place.
    pub fn placed(&self, id: &str, diagnostic: Diagnostic) -> Diagnostic {
        let document = self.documents.iter().find(|document| document.id() == id);
        let label = document.and_then(|document| self.label(document, &diagnostic.field, "here"));
        Diagnostic { labels: label.into_iter().collect(), ..diagnostic }
    }

    /// The place of a field of a document, or of the nearest field around it that is written.
    pub fn label(&self, document: &Document, field: &str, text: &str) -> Option<Label> {
        let source = self.sources.get(document.source)?;
        Some(source.label(document.nearest_place(field), text))
    }
}

impl Document {
    /// How it is called: `Cluster/demo`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.kind.kind(), self.name)
    }

    /// Whether the user wrote this field.
    pub fn has(&self, field: &str) -> bool {
        self.places.contains_key(field)
    }

    /// The typed document.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<Result<T, serde_json::Error>> {
        self.value.clone().map(serde_json::from_value)
    }

    /// A value at, in or around this field was dropped, so what is known of it isn't what the user meant.
    pub(crate) fn is_faulty(&self, field: &str) -> bool {
        self.faults.iter().any(|fault| is_within(field, fault) || is_within(fault, field))
    }

    /// Its first key: what tells it from the other documents of its source.
    pub(crate) fn start(&self) -> Span {
        self.start
    }

    fn nearest_place(&self, field: &str) -> Span {
        let mut field = field;
        loop {
            if let Some(place) = self.places.get(field) {
                return place.span();
            }
            match field.rfind(['.', '[']) {
                Some(end) => field = field.get(..end).unwrap_or_default(),
                None => return self.start,
            }
        }
    }
}

/// `inner` is `outer`, or a field in it.
fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']) || outer.is_empty())
}

/// Reads documents. Everything that is wrong is reported at once; what is right is kept.
pub fn parse(sources: &[Source]) -> Documents {
    let mut found =
        Documents { sources: sources.to_vec(), documents: Vec::new(), diagnostics: Vec::new(), incomplete: false };
    for (number, source) in sources.iter().enumerate() {
        let (trees, diagnostics) = tree::read(source);
        found.incomplete |= diagnostics.iter().any(|diagnostic| cuts_short(&diagnostic.code));
        found.diagnostics.extend(diagnostics);
        for tree in trees.iter().filter(|tree| !tree.is_empty()) {
            match identify(source, tree) {
                Ok((kind, mut diagnostics)) => {
                    let Checked { value, diagnostics: wrong, places, faults } =
                        check::check(source, tree, schema::shape(kind));
                    diagnostics.extend(wrong.into_iter().filter(|wrong| wrong.field != "apiVersion"));
                    found.diagnostics.extend(diagnostics);
                    found.incomplete |= value.is_none();
                    let name = tree.entry("metadata").and_then(|metadata| metadata.value.entry("name"));
                    let name = name.and_then(|name| name.value.text()).unwrap_or_default().to_owned();
                    let faults = faults.into_iter().collect();
                    let start = first_key(tree);
                    found.documents.push(Document { kind, name, source: number, value, start, places, faults });
                }
                Err(diagnostic) => {
                    found.incomplete = true;
                    found.diagnostics.push(*diagnostic);
                }
            }
        }
    }
    found
}

fn cuts_short(code: &str) -> bool {
    matches!(code, "spec::syntax" | "spec::too-deep" | "spec::too-large")
}

fn first_key(tree: &Node) -> Span {
    match &tree.kind {
        Kind::Map(entries) => entries.first().map_or(tree.span, |entry| entry.key_span),
        _ => tree.span,
    }
}

/// The kind of a document, and what is wrong with its version.
fn identify(source: &Source, tree: &Node) -> Result<(DocumentKind, Vec<Diagnostic>), Box<Diagnostic>> {
    let error = |code: &str, message: String, field: &str, span: Span| {
        Diagnostic::error(code, message).at_field(field).at(source.label(span, "here"))
    };
    let Kind::Map(_) = tree.kind else {
        let message = "expected a document with `apiVersion`, `kind`, `metadata` and `spec`".to_owned();
        return Err(Box::new(error("spec::wrong-type", message, "", tree.span)));
    };
    let version = tree.entry("apiVersion");
    let Some(kind) = tree.entry("kind") else {
        let wrong = error("spec::missing-field", "`kind` is missing".to_owned(), "kind", first_key(tree));
        return Err(Box::new(wrong.help(format!("one of {}", kinds()))));
    };
    let name = kind.value.text().unwrap_or_default();
    let own =
        version.and_then(|version| version.value.text()).is_none_or(|version| version.starts_with("kubewright.io/"));
    let Some(document) = DocumentKind::named(name).filter(|_| own || looks_own(tree)) else {
        let wrong =
            error("spec::unknown-kind", format!("`{name}` is not a kind of kubewright's"), "kind", kind.value.span);
        let nearest = suggest::nearest(name, DocumentKind::ALL.map(DocumentKind::kind)).filter(|_| own);
        return Err(Box::new(wrong.help(match nearest {
            _ if name == plan_rules::KIND => "rules are no part of a cluster: give their file with --rules".to_owned(),
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if own => format!("one of {}", kinds()),
            None => format!("kubewright reads `apiVersion: {API_VERSION}` only; objects go to the cluster by kubectl"),
        })));
    };
    let wrong = match version {
        Some(version) if version.value.text() != Some(API_VERSION) => Some(error(
            "spec::unknown-version",
            format!("unknown apiVersion `{}`", version.value.text().unwrap_or_default()),
            "apiVersion",
            version.value.span,
        )),
        Some(_) => None,
        None => Some(error("spec::missing-field", "`apiVersion` is missing".to_owned(), "apiVersion", first_key(tree))),
    };
    Ok((document, wrong.map(|wrong| wrong.help(format!("write `{API_VERSION}`"))).into_iter().collect()))
}

/// A document of another group with one of our kinds (kops and Cluster API have both) is not ours,
/// unless the version is only mistyped.
fn looks_own(tree: &Node) -> bool {
    let version = tree.entry("apiVersion").and_then(|version| version.value.text()).unwrap_or_default();
    version.is_empty() || suggest::nearest(version, [API_VERSION]).is_some()
}

fn kinds() -> String {
    crate::shape::quoted(DocumentKind::ALL.into_iter().map(DocumentKind::kind), 8)
}

#[cfg(test)]
mod tests;
