//! From texts to effective documents, with every complaint shown at once.

use std::io::Read as _;

use engine::{Loaded, Revision, SourceText};
use fs_err as fs;
use resource::{Diagnostic, Severity};
use serde::Deserialize as _;
use serde_json::Value;
use spec::{Effective, HostContext, Source};

use crate::app::App;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;

mod json_list;

/// Endings of documents in directories, as kubectl has them.
const ENDINGS: [&str; 3] = [".json", ".yaml", ".yml"];

/// Reads the user's files; a directory stands for the documents in it, with `recursive` for those below it as well.
pub(crate) fn read(paths: &[String], recursive: bool) -> Result<Vec<SourceText>, CommandError> {
    let mut texts = Vec::new();
    for path in paths {
        if path == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| CommandError::from_source("cannot read standard input", &error))?;
            texts.push(text("<stdin>", bytes)?);
            continue;
        }
        for file in files(path, recursive)? {
            let bytes = fs::read(&file).map_err(|error| CommandError::from_source("", &error))?;
            texts.push(text(&file, bytes)?);
        }
    }
    Ok(texts)
}

/// What was read, as a text; refused where it is in another encoding.
pub(crate) fn text(name: &str, bytes: Vec<u8>) -> Result<SourceText, CommandError> {
    match Source::from_bytes(name, bytes) {
        Ok(Source { name, text }) => Ok(SourceText { name, text: json_list::as_stream(&text).unwrap_or(text) }),
        Err(diagnostic) => {
            show(&[*diagnostic], &[]);
            Err(CommandError::failed(format!("{name} is no text in UTF-8")).exit(Exit::InvalidSpec))
        }
    }
}

fn files(path: &str, recursive: bool) -> Result<Vec<String>, CommandError> {
    if !std::path::Path::new(path).is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = |error: std::io::Error| CommandError::from_source("", &error);
    let mut entries: Vec<_> = fs::read_dir(path).map_err(failed)?.filter_map(Result::ok).collect();
    entries.sort_unstable_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.path().to_string_lossy().into_owned();
        // A link to a directory is not followed: it may lead back.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if recursive {
                found.extend(files(&name, recursive)?);
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(name);
        }
    }
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
    effective_on(texts, &HostContext::default())
}

/// The same for a cluster that is not there yet: its address ranges must not be the host's.
pub(crate) fn effective_on(texts: &[SourceText], host_context: &HostContext) -> Result<Effective, CommandError> {
    sound(texts, judged(texts, host_context)?)
}

/// The documents of a cluster that is there: rules that came after them warn, and keep nobody from using it.
pub(crate) fn stored(texts: &[SourceText]) -> Result<Effective, CommandError> {
    sound(texts, reviewed(spec::load_stored(&sources(texts)), spec::as_warning)?)
}

fn sound(
    texts: &[SourceText],
    (effective, diagnostics): (Option<Effective>, Vec<Diagnostic>),
) -> Result<Effective, CommandError> {
    show(&diagnostics, texts);
    effective.ok_or_else(|| CommandError::failed("the documents are not valid").exit(Exit::InvalidSpec))
}

/// What is to be said about documents, first of them and then of what would be made from them; nothing effective where
/// something is wrong.
fn judged(
    texts: &[SourceText],
    host_context: &HostContext,
) -> Result<(Option<Effective>, Vec<Diagnostic>), CommandError> {
    reviewed(spec::load(&sources(texts), host_context), |said| said)
}

fn sources(texts: &[SourceText]) -> Vec<Source> {
    texts.iter().map(|text| Source::new(&text.name, &text.text)).collect()
}

/// With what is said of what would be made from them, which counts as much as `weigh` says.
fn reviewed(
    loaded: spec::Loaded,
    weigh: fn(Diagnostic) -> Diagnostic,
) -> Result<(Option<Effective>, Vec<Diagnostic>), CommandError> {
    let spec::Loaded { documents, effective, mut diagnostics } = loaded;
    let Some(effective) = effective else { return Ok((None, diagnostics)) };
    let remarks = model::review(&effective.cluster, &effective.groups)
        .map_err(|error| CommandError::from_source("the documents cannot be looked at", &error).exit(Exit::Bug))?;
    diagnostics.extend(remarks.into_iter().map(|remark| weigh(documents.placed(&remark.document, remark.diagnostic))));
    let is_sound = diagnostics.iter().all(|diagnostic| diagnostic.severity < Severity::Error);
    Ok((is_sound.then_some(effective), diagnostics))
}

/// Who brings the machines of documents; nothing of those that cannot be read, which is said by whoever reads them next.
pub(crate) fn provider(texts: &[SourceText]) -> Option<spec::Provider> {
    let loaded = spec::load(&sources(texts), &HostContext::default());
    loaded.effective.map(|effective| effective.cluster.spec.provider)
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
    facts: &model::Facts,
    parent: Option<&Loaded>,
) -> Result<Revision, CommandError> {
    let facts =
        serde_json::to_value(facts).map_err(|error| CommandError::from_source("cannot keep the facts", &error))?;
    Ok(Revision {
        format: Revision::FORMAT,
        documents,
        facts,
        parent: parent.map(|loaded| loaded.head.revision.clone()),
        author: app.environment.who.clone(),
        reason: app.environment.command.clone(),
        time: jiff::Timestamp::now().to_string(),
    })
}

#[cfg(test)]
mod tests;
