//! Nothing built is committed, and nothing large.

use super::File;

const MOST: usize = 1024 * 1024;

pub(super) fn check(file: &File, _: &[File]) -> Vec<String> {
    if file.bytes.contains(&0) || std::str::from_utf8(&file.bytes).is_err() {
        vec!["is not text".to_owned()]
    } else if file.bytes.len() > MOST {
        vec![format!("{} bytes are more than 1 MiB", file.bytes.len())]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn what_is_not_text_or_is_huge_is_found() {
        assert_eq!(check(&file("a.md", "väl"), &[]), [""; 0]);
        assert_eq!(check(&file("a", "\u{7f}ELF\0"), &[]), ["is not text"]);
        assert_eq!(check(&File { path: "a".to_owned(), bytes: vec![0xff, 0xfe] }, &[]), ["is not text"]);
        assert_eq!(check(&file("a.md", &"a".repeat(MOST + 1)), &[]).len(), 1);
    }
}
