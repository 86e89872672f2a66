//! Whatever the text: nothing panics, places lie in it, and what is written is read back.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, not in their helpers

use proptest::prelude::*;
use spec::{Documents, HostContext, NewCluster, Source, generate, load, parse, set};

/// A text that is nearly a document: a good one with some pieces cut out, doubled or put in.
fn nearly_a_document() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(": ".to_owned()),
        Just("\n  ".to_owned()),
        Just("- ".to_owned()),
        Just("&a ".to_owned()),
        Just("*a".to_owned()),
        Just("{".to_owned()),
        Just("]".to_owned()),
        Just("\"".to_owned()),
        Just("|\n".to_owned()),
        Just("---\n".to_owned()),
        Just("\t".to_owned()),
        Just("\r".to_owned()),
        Just("<<: *a\n".to_owned()),
        Just("!!str ".to_owned()),
        Just("? ".to_owned()),
        Just("%YAML 1.2\n".to_owned()),
        Just("\u{feff}".to_owned()),
        "\\PC{0,5}",
    ];
    let edit = (any::<prop::sample::Index>(), 0_usize..12, piece);
    (prop::sample::select(vec![LOCAL, FULL]), prop::collection::vec(edit, 0..6)).prop_map(|(text, edits)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, cut, piece) in edits {
            let start = at.index(characters.len() + 1);
            let end = (start + cut).min(characters.len());
            characters.splice(start..end, piece.chars());
        }
        characters.into_iter().collect()
    })
}

const LOCAL: &str = include_str!("../../../examples/local.yaml");
const FULL: &str = include_str!("../../../examples/local-full.yaml");

fn assert_sane(documents: &Documents, diagnostics: &[resource::Diagnostic]) {
    for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        let source = documents.sources.iter().find(|source| source.name == label.file).unwrap();
        assert!(source.text.get(label.offset..label.offset + label.length).is_some(), "{label:?}");
        assert!(label.line >= 1 && label.column >= 1);
    }
}

fn check(text: &str) {
    let loaded = load(&[Source::new("a.yaml", text)], &HostContext::default());
    assert_sane(&loaded.documents, &loaded.diagnostics);
    if let Some(effective) = loaded.effective {
        let again = load(&[Source::new("b.yaml", effective.to_yaml().unwrap())], &HostContext::default());
        let errors: Vec<_> = again.diagnostics.iter().filter(|d| d.severity == resource::Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let again = again.effective.unwrap();
        assert_eq!((effective.cluster, effective.groups), (again.cluster, again.groups));
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        match Source::from_bytes("a.yaml", bytes) {
            Ok(source) => check(&source.text),
            Err(diagnostic) => prop_assert_eq!(&diagnostic.code, "spec::not-utf8"),
        }
    }

    #[test]
    fn any_pile_of_yaml_signs_is_read_without_a_panic(text in "[-:,?&*!|>{}\\[\\]\"'#%@`a1 \\n\\t\\r~<=]{0,80}") {
        check(&text);
    }

    #[test]
    fn anything_near_a_document_is_read_without_a_panic(text in nearly_a_document()) {
        check(&text);
    }

    #[test]
    fn any_assignment_is_made_or_refused(text in nearly_a_document(), field in "(spec|metadata|a)(\\.(networking|cni|labels|files|\\PC)|\\[[0-9]\\]){0,3}", value in "\\PC{0,12}") {
        let documents = parse(&[Source::new("a.yaml", text)]);
        for document in &documents.documents {
            if let Ok(sources) = set(&documents, &document.id(), &format!("{field}={value}")) {
                check(&sources[0].text);
            }
        }
    }

    #[test]
    // Save U+2028 and U+2029, which yaml_serde folds as line breaks and YAML 1.2 does not; no name may have them.
    fn any_name_of_a_new_cluster_is_written_and_read_back(name in "[\\PC&&[^\\p{Zl}\\p{Zp}]]{1,20}") {
        let text = generate(&NewCluster::new(&*name)).unwrap();
        let documents = parse(&[Source::new("new.yaml", text)]);
        prop_assert_eq!(&documents.documents[0].name, &name);
    }
}
