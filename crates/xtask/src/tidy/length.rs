//! Source files stay short enough to be read in one go.

use super::File;

const MOST: usize = 400;

pub(super) fn check(file: &File, _: &[File]) -> Vec<String> {
    let lines = file.text().lines().count();
    let is_source = file.ends_with("rs") || file.ends_with("sh");
    if is_source && lines > MOST { vec![format!("{lines} lines")] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_source_file_may_have_400_lines_and_no_more() {
        assert_eq!(check(&file("a.rs", &"\n".repeat(400)), &[]), [""; 0]);
        assert_eq!(check(&file("a.rs", &"\n".repeat(401)), &[]), ["401 lines"]);
        assert_eq!(check(&file("generated.md", &"\n".repeat(401)), &[]), [""; 0]);
    }
}
