//! Changing one field of a document in its text, with comments and order kept.

use resource::Diagnostic;

use crate::documents::{Document, Documents};
use crate::schema;
use crate::shape::{Shape, quoted};
use crate::source::{Source, Span};
use crate::suggest;
use crate::tree::{self, Kind, Node};

mod keys;
mod path;
mod splice;
mod write;

use path::Segment;

/// Sets a field: `assignment` is `spec.networking.cni=flannel` or `spec.networking.podCIDRs=[10.0.0.0/16]`, `document`
/// is `Cluster/NAME` or `InstanceGroup/NAME`. Gives back all sources with one of them changed; [`crate::load`] says
/// whether they are valid then.
pub fn set(documents: &Documents, document: &str, assignment: &str) -> Result<Vec<Source>, Box<Diagnostic>> {
    let Some((field, value)) = assignment.split_once('=') else {
        return Err(Box::new(refuse("spec::assignment", "an assignment has the form FIELD=VALUE", assignment)));
    };
    let found = find(documents, document)?;
    let segments =
        path::parse(field).ok_or_else(|| refuse("spec::assignment", "this is not the path of a field", field))?;
    let shape = shape_at(schema::shape(found.kind), &segments, field)?;
    let value = write::read(value, shape, field)?;
    let source = documents.sources.get(found.source).ok_or_else(|| cannot(field))?;
    let tree = own_tree(found, source).ok_or_else(|| cannot(field))?;
    let text = splice::put(&source.text, &tree, &segments, &value).ok_or_else(|| cannot(field))?;
    let changed = Source { name: source.name.clone(), text };
    prove(found, &tree, &changed, &segments, &value).ok_or_else(|| cannot(field))?;
    let mut sources = documents.sources.clone();
    if let Some(source) = sources.get_mut(found.source) {
        *source = changed;
    }
    Ok(sources)
}

fn find<'a>(documents: &'a Documents, id: &str) -> Result<&'a Document, Box<Diagnostic>> {
    documents.documents.iter().find(|document| document.id() == id).ok_or_else(|| {
        let ids: Vec<String> = documents.documents.iter().map(Document::id).collect();
        let help = format!("there are {}", quoted(ids.iter().map(String::as_str), 20));
        Box::new(Diagnostic::error("spec::no-document", format!("there is no document {id}")).help(help))
    })
}

/// The shape of the field that `segments` lead to.
fn shape_at<'a>(root: &'a Shape, segments: &[Segment], field: &str) -> Result<&'a Shape, Box<Diagnostic>> {
    let mut shape = root;
    for (index, segment) in segments.iter().enumerate() {
        let next = match (segment, shape) {
            (Segment::Index(_), Shape::List { item, .. }) => Some(&**item),
            (Segment::Index(_), Shape::Any) => Some(shape),
            (Segment::Index(_), _) => None,
            (Segment::Key(key), shape) => shape.child(key),
        };
        shape = next.ok_or_else(|| {
            let wrong = refuse("spec::unknown-field", &format!("there is no field `{segment}` in it"), field);
            let names = shape.fields().into_iter().flat_map(|fields| fields.keys().map(String::as_str));
            let nearest = match segment {
                Segment::Key(key) => suggest::nearest(key, names.clone()),
                Segment::Index(_) => None,
            };
            let quoted_key = || keys::with_dots(root, segments, index).map(|path| format!("write `{path}`"));
            let help = match nearest {
                Some(name) => Some(format!("did you mean `{name}`?")),
                None => quoted_key().or_else(|| {
                    Some(quoted(names, 40))
                        .filter(|names| !names.is_empty())
                        .map(|names| format!("known there: {names}"))
                }),
            };
            Box::new(Diagnostic { help, ..wrong })
        })?;
    }
    Ok(shape)
}

/// The tree of a document, and no other one of its source.
fn own_tree(document: &Document, source: &Source) -> Option<Node> {
    tree::read(source).0.into_iter().find(|tree| starts_at(tree, document.start()))
}

fn starts_at(tree: &Node, start: Span) -> bool {
    matches!(&tree.kind, Kind::Map(entries) if entries.first().is_some_and(|entry| entry.key_span.start == start.start))
}

/// The new text says what the old one said, with this one change. Whatever is odd about the text (aliases, tags,
/// strange layouts), nothing else changes unseen.
fn prove(document: &Document, before: &Node, changed: &Source, segments: &[Segment], value: &Node) -> Option<()> {
    let mut wanted = before.to_value();
    *path::reach(&mut wanted, segments)? = value.to_value();
    let (trees, diagnostics) = tree::read(changed);
    let after = trees.into_iter().find(|tree| starts_at(tree, document.start()))?;
    let other_errors = diagnostics.iter().any(|diagnostic| diagnostic.code == "spec::syntax");
    (!other_errors && wanted == after.to_value()).then_some(())
}

fn refuse(code: &str, message: &str, field: &str) -> Diagnostic {
    Diagnostic::error(code, message).at_field(field)
}

fn cannot(field: &str) -> Diagnostic {
    let message = format!("`{field}` can't be changed without touching other parts of the text");
    refuse("spec::edit", &message, field).help("change it in an editor, with `edit cluster`")
}

#[cfg(test)]
mod tests;
