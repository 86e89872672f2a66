//! Every Rust file says its job in its first line.

use super::File;

pub(super) fn check(file: &File, _: &[File]) -> Vec<String> {
    let silent = file.text().lines().next().is_none_or(|line| line.trim_start_matches("//!").trim().is_empty());
    let spoken = file.text().starts_with("//! ") && !silent;
    if file.ends_with("rs") && !spoken { vec!["does not begin with //! and a sentence".to_owned()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_rust_file_without_its_job_is_found() {
        assert_eq!(check(&file("a.rs", "//! Does it.\n"), &[]), [""; 0]);
        assert_eq!(check(&file("a.sh", "true\n"), &[]), [""; 0]);
        for text in ["", "use a;\n", "//!\n", "//! \n", "\n//! Late.\n"] {
            assert_eq!(check(&file("a.rs", text), &[]).len(), 1, "{text:?}");
        }
    }
}
