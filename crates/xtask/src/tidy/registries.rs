//! Where packages come from is the business of whoever builds: no file names a host.

use super::File;

/// Hosts of package registries, in parts: this file is checked as well.
const HOSTS: &[&[&str]] = &[
    &["proxy", "golang", "org"],
    &["sum", "golang", "org"],
    &["index", "crates", "io"],
    &["static", "crates", "io"],
    &["deb", "debian", "org"],
    &["archive", "ubuntu", "com"],
    &["registry", "npmjs", "org"],
    &["pypi", "org"],
    &["rubygems", "org"],
];

pub(super) fn check(file: &File, _: &[File]) -> Vec<String> {
    let mut hosts: Vec<String> = HOSTS.iter().map(|parts| parts.join(".")).collect();
    hosts.extend(configured());
    let named = |line: &str| hosts.iter().find(|host| line.contains(host.as_str())).cloned();
    let found = file.lines().filter_map(|(number, line)| named(line).map(|host| (number, host)));
    found.map(|(number, host)| format!("line {number} names {host}")).collect()
}

/// The hosts that Go and cargo are told to use on this machine.
#[expect(clippy::disallowed_methods, reason = "these tools are configured by the environment")]
fn configured() -> Vec<String> {
    let set = ["GOPROXY", "CARGO_REGISTRIES_CRATES_IO_INDEX"].iter().filter_map(|name| std::env::var(name).ok());
    set.flat_map(|text| hosts_in(&text)).collect()
}

fn hosts_in(text: &str) -> Vec<String> {
    let addresses = text.split([',', '|']).filter_map(|address| address.split_once("://"));
    let hosts = addresses.map(|(_, rest)| rest.split(['/', ':']).next().unwrap_or_default());
    let hosts = hosts.map(|host| host.rsplit('@').next().unwrap_or_default().to_owned());
    // A bare name, as localhost, would be found in half of all files.
    hosts.filter(|host| host.contains('.') && host != "github.com").collect()
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_registry_is_found() {
        for parts in HOSTS {
            let line = format!("curl https://{}/x", parts.join("."));
            assert_eq!(check(&file("a.sh", &line), &[]).len(), 1, "{line}");
        }
        assert_eq!(check(&file("a.md", "registry.k8s.io/pause, golang.org/x/mod"), &[]), [""; 0]);
    }

    #[test]
    fn configured_addresses_give_their_hosts() {
        assert_eq!(hosts_in("https://me:x@a.example/go,direct|http://b.example:80"), ["me", "b.example"][1..]);
        assert_eq!(hosts_in("https://a.example/go,direct"), ["a.example"]);
        assert_eq!(hosts_in("http://localhost:8080"), [""; 0]);
    }
}
