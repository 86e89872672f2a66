//! Paths, modes, sources of assets and certificates.

use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Unfit, addresses, one_line};

/// An absolute path in its plainest form.
pub(crate) fn absolute(text: &str) -> Result<(), Unfit> {
    if !text.starts_with('/') {
        return Err(Unfit::new("it does not start with `/`"));
    }
    one_line(text)?;
    if text.ends_with('/') || text.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) {
        return Err(Unfit::new("it has empty, `.` or `..` parts").help("write it plainly, such as `/etc/motd`"));
    }
    Ok(())
}

/// A path on the operator's side, absolute or relative.
pub(crate) fn file(text: &str) -> Result<(), Unfit> {
    if text.is_empty() {
        return Err(Unfit::new("it is empty"));
    }
    one_line(text)
}

/// Usual modes as JSON has them for Kubernetes, in decimal digits; in octal ones none of these is a mode that anybody wants.
const DECIMAL_MODES: [u32; 18] = [
    0o400, 0o440, 0o444, 0o500, 0o550, 0o555, 0o600, 0o640, 0o644, 0o660, 0o664, 0o666, 0o700, 0o750, 0o755, 0o770,
    0o775, 0o777,
];

/// Permission bits as octal text.
pub(crate) fn mode(text: &str) -> Result<(), Unfit> {
    let octal = text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    if octal && text.len() == 4 {
        return Ok(());
    }
    let unfit = Unfit::new("it is not four octal digits");
    let decimal = text.parse().ok().filter(|mode| DECIMAL_MODES.contains(mode));
    Err(if let Some(mode) = decimal.filter(|_| !text.starts_with('0')) {
        unfit.help(format!("write \"{mode:04o}\", which is {text} in octal digits"))
    } else if octal && text.len() == 3 {
        unfit.help(format!("write \"0{text}\""))
    } else {
        unfit.help("such as \"0644\"")
    })
}

/// The name of a template: parts of letters, digits and `._-`, joined by `/`.
pub(crate) fn template(text: &str) -> Result<(), Unfit> {
    let part = |part: &str| {
        !matches!(part, "" | "." | "..") && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
    };
    if text.split('/').all(part) {
        return Ok(());
    }
    Err(Unfit::new("it is not made of names joined by `/`").help("such as `haproxy/haproxy.cfg`"))
}

/// Whether a text names a source of assets; the reason and advice when it does not.
pub fn check_asset_source(text: &str) -> Result<(), String> {
    asset_source(text).map_err(|unfit| match unfit.help {
        Some(help) => format!("{}; {help}", unfit.why),
        None => unfit.why,
    })
}

/// `auto`, `cache`, `upstream`, `go`, or the address of a mirror.
pub(crate) fn asset_source(text: &str) -> Result<(), Unfit> {
    const WORDS: [&str; 4] = ["auto", "cache", "upstream", "go"];
    if WORDS.contains(&text) {
        return Ok(());
    }
    if text.starts_with('/') {
        return absolute(text);
    }
    if text.contains("://") {
        return addresses::url(text);
    }
    let unfit = Unfit::new("it is none of `auto`, `cache`, `upstream`, `go`, `/DIRECTORY`, `https://…`");
    Err(match crate::suggest::nearest(text, WORDS) {
        Some(word) => unfit.help(format!("did you mean `{word}`?")),
        None => unfit,
    })
}

/// One or more certificates in PEM, and nothing that is secret.
pub(crate) fn certificate(text: &str) -> Result<(), Unfit> {
    if text.contains("PRIVATE KEY-----") {
        return Err(Unfit::new("it contains a private key")
            .help("remove the key, and make a new one: this one is in a document"));
    }
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let (begins, ends) = (text.matches(begin).count(), text.matches(end).count());
    if begins == 0 || begins != ends {
        let unfit = Unfit::new(format!("it has {begins} times `{begin}` and {ends} times `{end}`"));
        return Err(unfit.help("paste whole certificates, each with both lines"));
    }
    let mut found = 0;
    for block in Pem::iter_from_buffer(text.as_bytes()) {
        let block = block.map_err(|_| undecodable(found + 1, "is not base64 between its lines"))?;
        if block.label != "CERTIFICATE" {
            return Err(Unfit::new(format!("it contains a `{}`", block.label)).help("keep certificates only"));
        }
        found += 1;
        match X509Certificate::from_der(&block.contents) {
            Ok(([], _)) => {}
            Ok(_) => return Err(undecodable(found, "is longer than a certificate")),
            Err(_) => return Err(undecodable(found, "is not a certificate")),
        }
    }
    if found == begins { Ok(()) } else { Err(undecodable(found + 1, "can't be read")) }
}

fn undecodable(number: usize, why: &str) -> Unfit {
    let help = "copy the file anew; `openssl x509 -in FILE -noout -subject` reads its first one";
    Unfit::new(format!("its certificate {number} {why}")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::assert_format;

    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBfDCCASGgAwIBAgIUSfvJmeow2ZTR3HyTmWvo/RLSSiowCgYIKoZIzj0EAwIw\n\
EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjcxNjM2MjdaGA8yMTI2MTEwMzE2\n\
MzYyN1owEjEQMA4GA1UEAwwHdGVzdC1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n\
A0IABJH61HJvioi0ybxRWyh1NBIFBRbZKEdGPQWvUH6qNlxDxNMTnJxFK05/jgFu\n\
3JX0ga9mUN7Zrw5DJHQkgfp7S4GjUzBRMB0GA1UdDgQWBBTJYiREXx13pa4BcIzm\n\
W4ttWgFmTjAfBgNVHSMEGDAWgBTJYiREXx13pa4BcIzmW4ttWgFmTjAPBgNVHRMB\n\
Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQCnUzEraI9ImYxzoajyjZwVbi74\n\
guqanOXRnsHptCxokQIhAITVnXB5Xzf0saT72smqXaidDxdCzECn0SdgTL/XixxV\n\
-----END CERTIFICATE-----\n\
";

    #[test]
    fn paths_on_machines_are_absolute_and_plain() {
        assert_format(absolute, &["/etc/motd", "/a"], &["", "etc/motd", "/etc/", "/a//b", "/a/../b", "/", "/a\nb"]);
        assert_format(file, &["x", "../x", "/x"], &["", "a\nb"]);
    }

    #[test]
    fn modes_are_four_octal_digits() {
        assert_format(mode, &["0644", "4755"], &["", "644", "0648", "rw-r--r--"]);
        assert_eq!(mode("644").unwrap_err().help.as_deref(), Some("write \"0644\""));
        for (decimal, octal) in [("420", "0644"), ("493", "0755"), ("384", "0600")] {
            let wanted = format!("write \"{octal}\", which is {decimal} in octal digits");
            assert_eq!(mode(decimal).unwrap_err().help, Some(wanted));
        }
    }

    #[test]
    fn sources_are_words_or_addresses() {
        assert_format(
            asset_source,
            &["auto", "cache", "/srv/mirror", "https://mirror.example.org/k8s"],
            &["", "s3://bucket", "mirror", "ftp://x", "https://"],
        );
        assert_eq!(asset_source("upsteam").unwrap_err().help.as_deref(), Some("did you mean `upstream`?"));
    }

    #[test]
    fn certificates_decode_one_and_all() {
        let good = CERTIFICATE;
        let key = format!("{good}-----BEGIN EC PRIVATE KEY-----\n");
        let block = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let (prose, cut) = (block("this is prose and not base64 !!!"), good.replacen("MII", "", 1));
        let (other, second) = (block("MIIBAA=="), format!("{good}{}", block("MIIBAA==")));
        let several = format!("# a comment\n{good}\n{}", good.replace('\n', "\r\n"));
        assert_format(certificate, &[good, &several], &["", "MII=", &key, &prose, &cut, &other, &second]);
        assert_eq!(certificate(&second).unwrap_err().why, "its certificate 2 is not a certificate");
    }

    #[test]
    fn template_names_stay_inside_their_directory() {
        assert_format(template, &["haproxy/haproxy.cfg", "kubelet.service"], &["", "../x", "/x", "a b"]);
    }
}
