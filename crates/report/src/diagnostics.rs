//! Diagnostics about the user's documents, with the source line they are about.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use resource::{Diagnostic, Severity};

use crate::words::count;

/// All diagnostics as text. `source` gives the text of a file by the name in its labels.
pub fn diagnostics_text(diagnostics: &[Diagnostic], source: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&one(diagnostic, &source));
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    if errors > 0 {
        let _ = writeln!(text, "{} found; nothing was changed", count(errors, "error"));
    }
    text
}

fn one(diagnostic: &Diagnostic, source: &impl Fn(&str) -> Option<String>) -> String {
    let field = if diagnostic.field.is_empty() { String::new() } else { format!("{}: ", diagnostic.field) };
    let mut shown = MietteDiagnostic::new(format!("{field}{}", diagnostic.message)).with_code(diagnostic.code.clone());
    shown.severity = Some(match diagnostic.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    });
    shown.help.clone_from(&diagnostic.help);
    let primary = diagnostic.labels.first();
    let code = primary.and_then(|label| source(&label.file).map(|text| (label.file.clone(), text)));
    let mut report = Report::new(shown.clone());
    if let Some((file, text)) = code {
        let same_file = diagnostic.labels.iter().filter(|label| label.file == file);
        shown.labels = Some(
            same_file
                .enumerate()
                .map(|(index, label)| {
                    let words = (!label.text.is_empty()).then(|| label.text.clone());
                    // The header names the place of the first, wherever in the file the others are.
                    let make = if index == 0 { LabeledSpan::new_primary_with_span } else { LabeledSpan::new_with_span };
                    make(words, (label.offset, label.length))
                })
                .collect(),
        );
        report = Report::new(shown).with_source_code(NamedSource::new(file, text));
    }
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(120);
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => text,
        Err(_) => format!("{}{}\n", field, diagnostic.message),
    }
}

#[cfg(test)]
mod tests {
    use resource::Label;

    use super::*;

    #[test]
    fn a_diagnostic_shows_file_line_column_field_and_help() {
        let source = "spec:\n  networkin: {}\n";
        let diagnostic = Diagnostic::error("spec::unknown-field", "unknown field")
            .at_field("spec.networkin")
            .help("did you mean `networking`?")
            .at(Label { file: "c.yaml".into(), offset: 8, length: 9, line: 2, column: 3, text: "not a field".into() });
        let text = diagnostics_text(&[diagnostic], |_| Some(source.to_owned()));
        for part in
            ["spec::unknown-field", "spec.networkin: unknown field", "c.yaml:2:3", "did you mean", "1 error found"]
        {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
    }
}
