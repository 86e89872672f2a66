//! What the rules say about a plan, as text.

use std::fmt::Write as _;

use rules::{Finding, Severity};

use crate::style::{BOLD, DELETE, DIM, UPDATE, paint};

/// The most resources that are named; a plan shows them all.
const NAMED: usize = 5;

/// All findings, each with what to do about it; empty where there are none.
pub fn rules_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let word = match finding.severity {
            Severity::Refuse => paint(DELETE, "refused"),
            Severity::Warn => paint(UPDATE, "warning"),
        };
        let _ =
            writeln!(text, "\n{word} {}: {}", paint(DIM, format!("[{}]", finding.rule)), paint(BOLD, &finding.message));
        for resource in finding.resources.iter().take(NAMED) {
            let _ = writeln!(text, "    {resource}");
        }
        if finding.resources.len() > NAMED {
            let _ = writeln!(text, "    and {} more", finding.resources.len() - NAMED);
        }
        let _ = writeln!(text, "  → {}", finding.hint);
    }
    text
}

#[cfg(test)]
mod tests {
    use resource::ResourceId;

    use super::*;

    fn finding(severity: Severity, resources: usize) -> Finding {
        Finding {
            rule: "quorum".into(),
            severity,
            message: "etcd needs 2 members".into(),
            resources: (0..resources).map(|number| ResourceId::new("machine", &format!("cp-{number}"))).collect(),
            hint: "one at a time".into(),
        }
    }

    fn plain(findings: &[Finding]) -> String {
        anstream::adapter::strip_str(&rules_text(findings)).to_string()
    }

    #[test]
    fn a_finding_says_what_is_wrong_on_what_and_what_to_do() {
        let expected = "\nrefused [quorum]: etcd needs 2 members\n    machine/cp-0\n  → one at a time\n";
        assert_eq!(plain(&[finding(Severity::Refuse, 1)]), expected);
        assert!(plain(&[finding(Severity::Warn, 0)]).starts_with("\nwarning [quorum]"));
    }

    #[test]
    fn only_the_first_resources_are_named() {
        let text = plain(&[finding(Severity::Refuse, 8)]);
        assert!(text.contains("machine/cp-4\n    and 3 more\n") && !text.contains("cp-5"), "{text}");
    }

    #[test]
    fn without_findings_there_is_nothing_to_say() {
        assert_eq!(rules_text(&[]), "");
    }
}
