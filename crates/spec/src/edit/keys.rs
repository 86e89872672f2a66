//! Keys with dots in them that were written as if each part were a field: `spec.sysctls.net.core.somaxconn`.

use super::path::Segment;
use crate::check::join;
use crate::shape::Shape;

/// The path with one key in place of several, where the document has such a field. `failed` is the first segment that leads
/// nowhere.
pub(super) fn with_dots(root: &Shape, segments: &[Segment], failed: usize) -> Option<String> {
    let map = (0..failed).find(|index| {
        let before = segments.get(..*index).and_then(|before| reached(root, before));
        matches!(before, Some(Shape::Map { .. }))
    })?;
    (failed..segments.len()).find_map(|last| {
        let mut path = segments.get(..map)?.to_vec();
        path.push(Segment::Key(joined(segments.get(map..=last)?)?));
        path.extend_from_slice(segments.get(last + 1..)?);
        reached(root, &path)?;
        Some(written(&path))
    })
}

fn reached<'a>(root: &'a Shape, segments: &[Segment]) -> Option<&'a Shape> {
    segments.iter().try_fold(root, |shape, segment| match (segment, shape) {
        (Segment::Index(_), Shape::List { item, .. }) => Some(&**item),
        (Segment::Index(_), _) => None,
        (Segment::Key(key), shape) => shape.child(key),
    })
}

/// Keys with the dots between them; nothing where an index is among them.
fn joined(segments: &[Segment]) -> Option<String> {
    let key = |segment: &Segment| match segment {
        Segment::Key(key) => Some(key.clone()),
        Segment::Index(_) => None,
    };
    segments.iter().map(key).collect::<Option<Vec<_>>>().map(|keys| keys.join("."))
}

fn written(segments: &[Segment]) -> String {
    segments.iter().fold(String::new(), |path, segment| match segment {
        Segment::Key(key) => join(&path, key),
        Segment::Index(index) => format!("{path}[{index}]"),
    })
}
