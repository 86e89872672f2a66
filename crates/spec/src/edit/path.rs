//! Paths of fields: `spec.networking.podCIDRs[0]`, `spec.labels["example.org/tier"]`.

use std::fmt;

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// Into a field.
    Key(String),
    /// Into an item of a list.
    Index(usize),
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// The steps of a path; `None` where it is none.
pub(super) fn parse(path: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut rest = path;
    loop {
        if let Some(inside) = rest.strip_prefix('[') {
            let (segment, after) = bracket(inside)?;
            segments.push(segment);
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let key = rest.get(..end).filter(|key| !key.is_empty())?;
            segments.push(Segment::Key(key.to_owned()));
            rest = rest.get(end..)?;
        }
        if rest.is_empty() {
            return Some(segments);
        }
        if !rest.starts_with('[') {
            rest = rest.strip_prefix('.')?;
        }
    }
}

/// What stands between brackets, and what follows them.
fn bracket(inside: &str) -> Option<(Segment, &str)> {
    for (quote, end) in [('"', "\"]"), ('\'', "']")] {
        if let Some(quoted) = inside.strip_prefix(quote) {
            let (key, after) = quoted.split_once(end)?;
            return Some((Segment::Key(key.to_owned()), after));
        }
    }
    let (index, after) = inside.split_once(']')?;
    Some((Segment::Index(index.parse().ok()?), after))
}

/// The place of a field in a value; maps on the way are made.
pub(super) fn reach<'a>(value: &'a mut Value, segments: &[Segment]) -> Option<&'a mut Value> {
    let mut value = value;
    for segment in segments {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        value = match segment {
            Segment::Key(key) => value.as_object_mut()?.entry(key.clone()).or_insert(Value::Null),
            Segment::Index(index) => value.as_array_mut()?.get_mut(*index)?,
        };
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_keys_indices_and_quoted_keys() {
        let key = |key: &str| Segment::Key(key.to_owned());
        assert_eq!(parse("spec.a[2].b"), Some(vec![key("spec"), key("a"), Segment::Index(2), key("b")]));
        assert_eq!(parse("spec.labels[\"a.b/c\"]"), Some(vec![key("spec"), key("labels"), key("a.b/c")]));
        assert_eq!(parse("labels['a.b']"), Some(vec![key("labels"), key("a.b")]));
        for bad in ["", ".a", "a.", "a..b", "a[", "a[x]", "a[\"x]", "a]b["] {
            assert!(parse(bad).is_none_or(|segments| bad == "a]b[" && segments.len() == 1), "{bad}");
        }
    }
}
