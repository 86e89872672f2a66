//! The user's own templates: read once, checked against the digest in the spec, kept with the revision.

use std::collections::BTreeMap;
use std::path::Path;

use engine::SourceText;
use fs_err as fs;
use resource::Digest;
use spec::{Effective, TemplateOverride};

use crate::error::CommandError;
use crate::exit::Exit;

/// Texts by digest of every template that the documents name; `known` ones are not read again.
pub(crate) fn texts(
    effective: &Effective,
    documents: &[SourceText],
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, CommandError> {
    let wanted = effective.cluster.spec.templates.iter();
    wanted
        .map(|template| {
            let digest = template.sha256.to_ascii_lowercase();
            let text = known.get(&digest).cloned().map_or_else(|| read(template, &digest, documents), Ok)?;
            Ok((digest, text))
        })
        .collect()
}

/// A template's file lies beside one of the documents.
fn read(template: &TemplateOverride, digest: &str, documents: &[SourceText]) -> Result<String, CommandError> {
    let refuse =
        |why: String| CommandError::failed(format!("spec.templates: {}: {why}", template.name)).exit(Exit::InvalidSpec);
    let beside = |document: &SourceText| Path::new(&document.name).with_file_name("").join(&template.path);
    let path = documents.iter().map(beside).find(|path| path.is_file());
    let path = path.ok_or_else(|| {
        refuse(format!("there is no file {} beside the documents", template.path))
            .hint("give the path relative to the document, or an absolute one")
    })?;
    let text = fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
    let found = Digest::of_bytes(text.as_bytes()).as_str().to_owned();
    if found != digest {
        return Err(refuse(format!("{} has sha256 {found}, and the document says {digest}", path.display()))
            .hint("a change of a template is a change of the spec: write the new digest into the document"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(path: &str, sha256: &str) -> TemplateOverride {
        TemplateOverride { name: "haproxy/haproxy.cfg".into(), path: path.into(), sha256: sha256.into() }
    }

    #[test]
    fn a_template_is_found_beside_its_document_and_held_against_its_digest() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("my.cfg"), "text").unwrap();
        let name = directory.path().join("cluster.yaml").display().to_string();
        let documents = [SourceText { name, text: String::new() }];
        let digest = Digest::of_bytes(b"text").as_str().to_owned();
        assert_eq!(read(&template("my.cfg", &digest), &digest, &documents).unwrap(), "text");
        let other = "0".repeat(64);
        let error = read(&template("my.cfg", &other), &other, &documents).unwrap_err().message;
        assert!(error.contains(&digest) && error.contains(&other), "{error}");
        let error = read(&template("none.cfg", &digest), &digest, &documents).unwrap_err().message;
        assert!(error.contains("none.cfg"), "{error}");
    }
}
