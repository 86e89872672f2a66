//! The address of a store: `s3://BUCKET[/PREFIX][?endpoint=URL&region=R&path-style=true]`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What may stand after the question mark.
const PARAMETERS: [&str; 3] = ["endpoint", "region", "path-style"];

/// Where in S3 state is kept. It never holds credentials: those come from AWS' own chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Url {
    /// The bucket.
    pub bucket: String,
    /// What every key begins with, without slashes at its ends; empty for none.
    pub prefix: String,
    /// Another server than AWS'.
    pub endpoint: Option<String>,
    /// The bucket's region, when it is not the one of the environment.
    pub region: Option<String>,
    /// Whether the bucket stands in the path instead of the host's name.
    pub path_style: Option<bool>,
}

/// Why an address is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UrlError {
    /// It does not begin as it must.
    #[error("`{0}` is not s3://BUCKET[/PREFIX]")]
    Scheme(String),
    /// The bucket cannot exist.
    #[error("`{0}` is no name of a bucket: lower case letters, digits, `.` and `-`, at most 63 of them")]
    Bucket(String),
    /// The prefix would lead elsewhere.
    #[error("`{0}` cannot be a prefix: no empty parts, no `.` or `..`, no control characters")]
    Prefix(String),
    /// There is no such parameter.
    #[error("there is no parameter `{name}`{}", did_you_mean(.name))]
    Parameter {
        /// As typed.
        name: String,
    },
    /// A parameter is there twice.
    #[error("parameter `{0}` is given twice")]
    Twice(String),
    /// A parameter has a value that it cannot have.
    #[error("`{value}` cannot be the value of `{name}`: {expected}")]
    Value {
        /// The parameter.
        name: String,
        /// As typed.
        value: String,
        /// What it could be.
        expected: &'static str,
    },
}

fn did_you_mean(name: &str) -> String {
    let near = PARAMETERS.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    match near {
        Some(near) if strsim::jaro_winkler(near, name) > 0.75 => format!(": did you mean `{near}`?"),
        _ => format!(": only {}", PARAMETERS.join(", ")),
    }
}

impl FromStr for S3Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let rest = text.strip_prefix("s3://").ok_or_else(|| UrlError::Scheme(text.to_owned()))?;
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let mut url = Self {
            bucket: parse_bucket(bucket)?,
            prefix: parse_prefix(prefix)?,
            endpoint: None,
            region: None,
            path_style: None,
        };
        let mut seen = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if seen.contains(&name) {
                return Err(UrlError::Twice(name.to_owned()));
            }
            seen.push(name);
            url.set(name, value)?;
        }
        Ok(url)
    }
}

impl S3Url {
    fn set(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        let wrong = |expected| UrlError::Value { name: name.to_owned(), value: value.to_owned(), expected };
        match name {
            "endpoint" if is_endpoint(value) => self.endpoint = Some(value.trim_end_matches('/').to_owned()),
            "endpoint" => return Err(wrong("an address such as https://minio.example.org:9000, without a user")),
            "region" if is_region(value) => self.region = Some(value.to_owned()),
            "region" => return Err(wrong("a region such as eu-central-1")),
            "path-style" => self.path_style = Some(value.parse().map_err(|_| wrong("true or false"))?),
            _ => return Err(UrlError::Parameter { name: name.to_owned() }),
        }
        Ok(())
    }
}

fn parse_bucket(text: &str) -> Result<String, UrlError> {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let fits = (1..=63).contains(&text.len())
        && text.starts_with(is_letter)
        && text.ends_with(is_letter)
        && !text.contains("..")
        && text.chars().all(|letter| is_letter(letter) || letter == '.' || letter == '-');
    if fits { Ok(text.to_owned()) } else { Err(UrlError::Bucket(text.to_owned())) }
}

fn parse_prefix(text: &str) -> Result<String, UrlError> {
    let prefix = text.strip_suffix('/').unwrap_or(text);
    let wrong = |part: &str| part.is_empty() || part == "." || part == ".." || part.chars().any(char::is_control);
    if !prefix.is_empty() && prefix.split('/').any(wrong) || text == "/" {
        return Err(UrlError::Prefix(text.to_owned()));
    }
    Ok(prefix.to_owned())
}

fn is_endpoint(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '@' | '#');
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':']) && !host.contains(odd))
}

fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

impl fmt::Display for S3Url {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "s3://{}", self.bucket)?;
        if !self.prefix.is_empty() {
            write!(to, "/{}", self.prefix)?;
        }
        let parameters = [
            ("endpoint", self.endpoint.clone()),
            ("region", self.region.clone()),
            ("path-style", self.path_style.map(|value| value.to_string())),
        ];
        let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        for ((name, value), mark) in given.zip(std::iter::once('?').chain(std::iter::repeat('&'))) {
            write!(to, "{mark}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<S3Url>().unwrap_err().to_string()
    }

    #[test]
    fn an_address_is_read_and_written_back() {
        for text in [
            "s3://b",
            "s3://my.bucket-1/a/b",
            "s3://b/p?endpoint=http://127.0.0.1:5000",
            "s3://b?endpoint=https://s3.example.org&region=eu-central-1&path-style=false",
        ] {
            assert_eq!(text.parse::<S3Url>().unwrap().to_string(), text);
        }
        assert_eq!("s3://b/p/".parse::<S3Url>().unwrap().prefix, "p");
    }

    #[test]
    fn a_parameter_that_does_not_exist_is_refused_with_what_was_meant() {
        assert_eq!(error("s3://b?endpont=http://x"), "there is no parameter `endpont`: did you mean `endpoint`?");
        assert_eq!(error("s3://b?pathstyle=true"), "there is no parameter `pathstyle`: did you mean `path-style`?");
        assert_eq!(error("s3://b?x=1"), "there is no parameter `x`: only endpoint, region, path-style");
        assert_eq!(error("s3://b?region=a&region=b"), "parameter `region` is given twice");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for text in
            ["b", "s3:/b", "s3://", "s3://B", "s3:///p", "s3://b//p", "s3://b/../p", "s3://b?region=", "s3://b//"]
        {
            assert!(text.parse::<S3Url>().is_err(), "{text}");
        }
        for value in ["localhost", "ftp://x", "http://", "http://user:password@host", "http:// x"] {
            assert!(format!("s3://b?endpoint={value}").parse::<S3Url>().is_err(), "{value}");
        }
        assert!("s3://b?path-style=yes".parse::<S3Url>().is_err());
    }
}
