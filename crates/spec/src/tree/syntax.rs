//! Syntax errors of YAML as diagnostics.

use resource::Diagnostic;
use saphyr_parser::ScanError;

use crate::source::{CharIndex, Source, Span};

/// The parser's error, with its place and what most often is behind it.
pub(super) fn diagnostic(source: &Source, index: &CharIndex, error: &ScanError) -> Diagnostic {
    let at = index.byte(&source.text, error.marker().index());
    let label = source.label(Span { start: at, end: at }, "here");
    let line = source.text.lines().nth(label.line.saturating_sub(1)).unwrap_or_default();
    let diagnostic = Diagnostic::error("spec::syntax", format!("this is not YAML: {}", error.info())).at(label);
    match advice(line) {
        Some(advice) => diagnostic.help(advice),
        None => diagnostic,
    }
}

fn advice(line: &str) -> Option<&'static str> {
    let indentation: &str = line.split(|c: char| !c.is_whitespace()).next().unwrap_or_default();
    if indentation.contains('\t') {
        return Some("the line is indented with a tab; use spaces");
    }
    if line.contains("{{") || line.contains("{%") {
        return Some("this looks like a template; kubewright reads finished YAML");
    }
    if line.trim_start().starts_with(['<', '=', '>']) && line.trim().len() >= 7 {
        return Some("this looks like an unresolved merge conflict");
    }
    let (_, value) = line.split_once(": ")?;
    let value = value.trim();
    if value.starts_with(['@', '`', '%']) {
        return Some("a value that starts with `@`, a backtick or `%` needs quotes");
    }
    if value.starts_with('*') || value.starts_with('&') {
        return Some("a value that starts with `*` or `&` needs quotes, else it names an anchor");
    }
    if value.contains(": ") && !value.starts_with(['"', '\'', '{', '[']) {
        return Some("a value with `: ` in it needs quotes");
    }
    None
}
