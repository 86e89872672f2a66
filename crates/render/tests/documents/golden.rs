//! Golden files: what every document of every minor looks like (`INSTA_UPDATE=always` writes them).

use crate::inputs::{RELEASES, documents};

#[test]
fn documents_of_every_minor_are_as_reviewed() {
    for release in RELEASES {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(format!("../golden/1.{}", release.minor));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (name, text) in documents(release).unwrap() {
            settings.bind(|| insta::assert_snapshot!(name, text));
        }
    }
}
