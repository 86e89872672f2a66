//! This project's own programs that run elsewhere: what they are made of was fixed when this one was compiled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assets::{Builders, EmbeddedProgram};
use catalog::SourceDigests;

use crate::app::App;

/// One of them, as the build script found it.
struct Program {
    binary: &'static str,
    /// Digest over its sources.
    sources: &'static str,
    /// The program itself, in releases.
    content: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/programs.rs"));

/// The workspace that this binary was built from, where a program that is no release builds the others too.
fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

/// Digests over the sources of the agent and of pause.
pub(crate) fn sources() -> SourceDigests {
    SourceDigests { agent: AGENT.sources.to_owned(), pause: PAUSE.sources.to_owned() }
}

/// The same by asset name.
pub(crate) fn digests() -> BTreeMap<String, String> {
    [AGENT, PAUSE].map(|program| (program.binary.to_owned(), program.sources.to_owned())).into()
}

/// The programs inside this one; none where it is no release.
fn inside() -> Option<Vec<EmbeddedProgram>> {
    let embedded = |program: &Program| {
        let (binary, sources) = (program.binary, program.sources);
        program.content.map(|content| EmbeddedProgram { binary, sources, content })
    };
    [AGENT, PAUSE].iter().map(embedded).collect()
}

/// All builders; our own programs come out of this one, or from its sources where it is no release.
pub(crate) fn builders(app: &App) -> Builders {
    match inside() {
        Some(programs) => Builders::standard().with_programs(programs),
        None => Builders::standard().with_workspace(&workspace(), None, &app.cache),
    }
}

/// What gives our own programs and nothing else, in releases.
pub(crate) fn own() -> Option<Builders> {
    inside().map(|programs| Builders::default().with_programs(programs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_sources_that_this_program_is_compiled_from() {
        for (program, package) in [(AGENT, "agent"), (PAUSE, "pause")] {
            assert_eq!(program.sources, ::sources::digest(&workspace(), package).unwrap(), "{package}");
            assert_eq!(digests()[program.binary], program.sources);
        }
    }
}
