//! From texts to effective documents, with every complaint shown at once.

use engine::{Loaded, Revision, SourceText};
use fs_err as fs;
use resource::Diagnostic;
use serde::Deserialize as _;
use serde_json::Value;
use spec::{Effective, Source, Surroundings};

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

/// Reads the user's files; a directory stands for the `.yaml` and `.yml` files in it.
pub(crate) fn read(paths: &[String]) -> Result<Vec<SourceText>, CommandError> {
    let mut texts = Vec::new();
    for path in paths {
        if path == "-" {
            let text = std::io::read_to_string(std::io::stdin());
            let text = text.map_err(|error| CommandError::from_source("cannot read standard input", &error))?;
            texts.push(SourceText { name: "<stdin>".to_owned(), text });
            continue;
        }
        for file in files(path)? {
            let text = fs::read_to_string(&file).map_err(|error| CommandError::from_source("", &error))?;
            texts.push(SourceText { name: file, text });
        }
    }
    Ok(texts)
}

fn files(path: &str) -> Result<Vec<String>, CommandError> {
    if !std::path::Path::new(path).is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| CommandError::from_source("", &error))?;
    let mut found: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .filter(|name| [".yaml", ".yml"].iter().any(|ending| name.ends_with(ending)))
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// All texts as one stream of documents, which can be read back: `---` between them, and whole last lines.
pub(crate) fn joined(texts: &[SourceText]) -> String {
    let mut stream = String::new();
    for text in texts {
        let text = text.text.trim_start_matches('\u{feff}');
        let begins_itself = text.starts_with("---") || text.starts_with('%');
        if !stream.is_empty() && !begins_itself {
            stream.push_str("---\n");
        }
        stream.push_str(text);
        if !stream.is_empty() && !stream.ends_with('\n') {
            stream.push('\n');
        }
    }
    stream
}

/// The documents of a stream as data.
pub(crate) fn values(stream: &str) -> Result<Vec<Value>, CommandError> {
    let documents = serde_yaml::Deserializer::from_str(stream).map(Value::deserialize);
    let documents: Result<Vec<Value>, _> = documents.collect();
    let documents = documents.map_err(|error| CommandError::from_source("cannot read the documents", &error))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Parses, validates and fills defaults in. Warnings are shown, errors refuse.
pub(crate) fn effective(texts: &[SourceText]) -> Result<Effective, CommandError> {
    effective_on(texts, &Surroundings::default())
}

/// The same for a cluster that is not there yet: its address ranges must not be the host's.
pub(crate) fn effective_on(texts: &[SourceText], surroundings: &Surroundings) -> Result<Effective, CommandError> {
    let sources: Vec<Source> = texts.iter().map(|text| Source::new(&text.name, &text.text)).collect();
    let loaded = spec::load(&sources, surroundings);
    show(&loaded.diagnostics, texts);
    loaded.effective.ok_or_else(|| CommandError::failed("the documents are not valid").exit(Exit::InvalidSpec))
}

/// Shows what there is to say about texts.
pub(crate) fn show(diagnostics: &[Diagnostic], texts: &[SourceText]) {
    if diagnostics.is_empty() {
        return;
    }
    let find = |name: &str| texts.iter().find(|text| text.name == name).map(|text| text.text.clone());
    output::note(&report::diagnostics_text(diagnostics, find));
}

/// A new revision of these documents.
pub(crate) fn revision(
    app: &App,
    documents: Vec<SourceText>,
    ground: &model::Ground,
    parent: Option<&Loaded>,
) -> Result<Revision, CommandError> {
    let ground = serde_json::to_value(ground)
        .map_err(|error| CommandError::from_source("cannot keep the ground facts", &error))?;
    Ok(Revision {
        format: Revision::FORMAT,
        documents,
        ground,
        parent: parent.map(|loaded| loaded.head.revision.clone()),
        author: app.environment.who.clone(),
        reason: app.environment.command.clone(),
        time: jiff::Timestamp::now().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<SourceText> {
        let text = |(number, text): (usize, &&str)| SourceText { name: number.to_string(), text: (*text).to_owned() };
        texts.iter().enumerate().map(text).collect()
    }

    #[test]
    fn texts_are_joined_so_that_the_same_documents_are_read_back() {
        assert_eq!(joined(&texts(&["a: 1", "b: 2\n"])), "a: 1\n---\nb: 2\n");
        assert_eq!(joined(&texts(&["a: 1\n", "---\nb: 2"])), "a: 1\n---\nb: 2\n");
        assert_eq!(joined(&texts(&["a: 1\n", "\u{feff}b: 2\n"])), "a: 1\n---\nb: 2\n");
        assert_eq!(joined(&texts(&["", "b: 2\n"])), "b: 2\n");
        assert_eq!(joined(&texts(&["a: 1\n"])), "a: 1\n");
        assert_eq!(joined(&[]), "");
    }
}
