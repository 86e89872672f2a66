//! Where state is kept, as the user writes it: a directory, from now on an absolute one, or a bucket.

use std::path::Path;

use crate::bucket;
use crate::suggestion::quoted;

/// What an address can be.
pub(crate) const SHAPE: &str = "it is a directory or s3://BUCKET[/PREFIX][?endpoint=URL&region=REGION&path-style=true]";

/// Reads an address. A mistyped one is refused here: taken for a directory, it would make one.
pub(crate) fn read(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err(format!("it is empty; {SHAPE}"));
    }
    if let Some(meant) = slip(text) {
        return Err(format!("`{text}` is mistyped; did you mean {meant}?{}", literally(text)));
    }
    if scheme(text).is_none() {
        let absolute = std::path::absolute(text).map_err(|error| error.to_string())?;
        return Ok(absolute.display().to_string());
    }
    match bucket::check(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(format!("{error}; {SHAPE}{}", correction(text))),
    }
}

/// Whether an address that was read is one of a bucket.
pub(crate) fn is_bucket(address: &str) -> bool {
    scheme(address).is_some()
}

/// What was meant by a text that would make a directory nobody meant; to really mean it, `./` is written before it.
fn slip(text: &str) -> Option<String> {
    if text.starts_with("./") {
        return None;
    }
    let trimmed = text.trim();
    if trimmed != text {
        return Some(format!("`{trimmed}`"));
    }
    // Nobody expands it where it stands in quotes, behind `=` or in a file.
    if text == "~" || text.starts_with("~/") {
        return Some(format!("$HOME{}", &text[1..]));
    }
    if let Some(user) = text.strip_prefix('~') {
        let user = user.split('/').next().unwrap_or_default();
        return Some(format!("the home of {user}, which no shell has put there"));
    }
    if text.starts_with('$') {
        return Some(format!(
            "what {} stands for, which no shell has put there",
            text.split('/').next().unwrap_or(text)
        ));
    }
    let (first, rest) = text.split_once("//")?;
    let bare = first.trim_end_matches(['.', ';', ':']);
    (bare.eq_ignore_ascii_case("s3") && !first.ends_with(':')).then(|| format!("s3://{rest}"))
}

/// What stands before the colon of an address; a directory has none, or has a slash before it.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let letters = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (letters && scheme.starts_with(|c: char| c.is_ascii_alphabetic())).then_some(scheme)
}

/// What was meant, where that can be told.
fn correction(text: &str) -> String {
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    let meant = format!("s3://{}", rest.trim_start_matches('/'));
    if scheme.eq_ignore_ascii_case("s3") && meant != text && bucket::check(&meant).is_ok() {
        return format!("; did you mean {meant}?");
    }
    if text.contains("://") { String::new() } else { literally(text) }
}

/// How the directory of that very name is written, where there is one.
fn literally(text: &str) -> String {
    let is_there = !text.starts_with('/') && Path::new(text).is_dir();
    if is_there {
        format!("; for the directory of that name, write {}", quoted(&format!("./{text}")))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_address_is_no_directory_and_what_was_meant_is_said() {
        for wrong in ["s3:/bucket/x", "s3:bucket/x", "S3://bucket/x", "s3:///bucket/x"] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("did you mean s3://bucket/x?"), "{wrong}: {error}");
        }
        for wrong in ["", " ", "http://host/x", "file:///tmp/x", "gs:bucket", "s3:", "s3://", "c:\\state"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_directory_that_nobody_meant_is_refused() {
        for (wrong, meant) in [
            ("s3//bucket/x", "s3://bucket/x"),
            ("s3.//bucket", "s3://bucket"),
            (" s3://bucket/x", "`s3://bucket/x`"),
            ("/srv/state ", "`/srv/state`"),
            ("~/state", "$HOME/state"),
            ("~", "$HOME"),
            ("~root/x", "the home of root, which no shell has put there"),
            ("$HOME/x", "what $HOME stands for, which no shell has put there"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.ends_with(&format!("did you mean {meant}?")), "{wrong}: {error}");
        }
        for meant in ["./~/state", "./s3//bucket", "./state ", "./~user", "/srv//state", "s3/bucket", "a b"] {
            assert!(read(meant).is_ok(), "{meant}");
        }
    }

    #[test]
    fn a_directory_is_absolute_from_now_on() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(read("./st").unwrap(), here.join("st").display().to_string());
        assert_eq!(read("./a:b").unwrap(), here.join("a:b").display().to_string());
        assert_eq!(read("/x/s3:y").unwrap(), "/x/s3:y");
    }

    #[test]
    fn a_bucket_stays_as_it_is() {
        let address = "s3://bucket/x?region=eu-central-1";
        assert_eq!(read(address).unwrap(), address);
        assert!(is_bucket(address) && !is_bucket("/x/s3:y"));
    }
}
