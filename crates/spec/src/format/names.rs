//! Names: DNS labels and domains, clusters, groups, units.

use super::Unfit;

/// Longest cluster name: host names `<cluster>-<group>-<number>` must fit into the 63 characters of a DNS label.
const MAX_CLUSTER: usize = 32;
/// Longest group name, for the same reason.
const MAX_GROUP: usize = 24;

/// A DNS label (RFC 1123).
pub(crate) fn label(text: &str) -> Result<(), Unfit> {
    limited(text, 63)
}

/// Refuses what cannot be a cluster's name, such as a path: a DNS label of at most 32 characters.
///
/// # Errors
/// Why not, and what to write instead.
pub fn check_cluster_name(text: &str) -> Result<(), String> {
    cluster(text).map_err(|unfit| match unfit.help {
        Some(help) => format!("{}; {help}", unfit.why),
        None => unfit.why,
    })
}

/// The name of a cluster: a DNS label of at most 32 characters.
pub(crate) fn cluster(text: &str) -> Result<(), Unfit> {
    limited(text, MAX_CLUSTER)
}

/// The name of an instance group: a DNS label of at most 24 characters.
pub(crate) fn group(text: &str) -> Result<(), Unfit> {
    limited(text, MAX_GROUP)
}

/// A DNS domain of one or more labels.
pub(crate) fn domain(text: &str) -> Result<(), Unfit> {
    if text.len() > 253 {
        return Err(Unfit::new("it is longer than 253 characters"));
    }
    if let Some(bare) = text.strip_suffix('.') {
        return Err(Unfit::new("it ends with a dot").instead(text, bare, domain));
    }
    text.split('.').try_for_each(label).map_err(|unfit| unfit.instead(text, &plain(text), domain))
}

/// The whole of a text in lower case, with `-` for what names have not and people write for it.
pub(crate) fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace(['_', ' '], "-")
}

/// The name of a setting of the kernel, such as `net.ipv4.ip_forward`.
pub(crate) fn sysctl(text: &str) -> Result<(), Unfit> {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-/".contains(c));
    if text.contains('.') && text.split('.').all(is_part) && !text.starts_with(['-', '/']) {
        return Ok(());
    }
    Err(Unfit::new("it is not of the form `part.part`").help("such as `net.core.somaxconn`"))
}

/// The name of a network interface, as Linux limits it.
pub(crate) fn link(text: &str) -> Result<(), Unfit> {
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c)) && !text.starts_with('-');
    if (1..=15).contains(&text.len()) && is_plain {
        return Ok(());
    }
    Err(Unfit::new("it is not 1 to 15 letters, digits, `.`, `_` and `-`").help("such as `eth1`"))
}

/// The full name of a unit of systemd, such as `kubelet.service`.
pub(crate) fn unit(text: &str) -> Result<(), Unfit> {
    const SUFFIXES: [&str; 6] = [".service", ".target", ".mount", ".socket", ".path", ".timer"];
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if text.len() > 255 || !text.chars().all(allowed) {
        return Err(Unfit::new("unit names consist of letters, digits and `:-_.\\@`"));
    }
    if SUFFIXES.iter().any(|suffix| text.len() > suffix.len() && text.ends_with(suffix)) {
        return Ok(());
    }
    Err(Unfit::new("the unit's type is missing").help(format!("write `{text}.service`")))
}

/// The id of a resource, `kind/name`.
pub(crate) fn resource(text: &str) -> Result<(), Unfit> {
    let plain = text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if plain && text.parse::<resource::ResourceId>().is_ok() {
        return Ok(());
    }
    Err(Unfit::new("it is not `kind/name`")
        .help("`kubewright state list NAME` names them, such as `machine/demo/worker-1`"))
}

fn limited(text: &str, longest: usize) -> Result<(), Unfit> {
    if text.is_empty() {
        return Err(Unfit::new("it is empty"));
    }
    if let Some(c) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        let unfit = Unfit::new(format!("{c:?} is not allowed; use lower-case letters, digits and `-`"));
        return Err(match corrected(text, longest) {
            Some(name) => unfit.help(format!("write `{name}`")),
            None => unfit,
        });
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(Unfit::new("it must start and end with a letter or a digit"));
    }
    if text.len() > longest {
        return Err(Unfit::new(format!("it has {} characters, at most {longest} are allowed", text.len())));
    }
    Ok(())
}

/// The name in lower case with `-` for the usual separators, where that makes it good.
fn corrected(text: &str, longest: usize) -> Option<String> {
    let name = plain(text).replace('.', "-");
    limited_quietly(&name, longest).then_some(name)
}

fn limited_quietly(name: &str, longest: usize) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= longest && name.chars().all(good) && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::assert_format;

    #[test]
    fn cluster_names_are_short_dns_labels() {
        assert_format(
            cluster,
            &["demo", "a", "0x", "eu-1", &"a".repeat(32)],
            &["", "Demo", "my_cluster", "a.b", "-a", "a-", "größe", &"a".repeat(33)],
        );
    }

    #[test]
    fn a_name_that_can_be_corrected_says_how() {
        assert_eq!(cluster("My_Cluster").unwrap_err().help.as_deref(), Some("write `my-cluster`"));
        assert_eq!(cluster("größe").unwrap_err().help, None);
    }

    #[test]
    fn domains_have_labels_and_no_final_dot() {
        assert_format(domain, &["cluster.local", "x", "a-b.c0.example"], &["", "cluster.local.", "a..b", "A.b", "*.x"]);
    }

    #[test]
    fn a_domain_is_corrected_as_a_whole_or_not_at_all() {
        let help = |text: &str| domain(text).unwrap_err().help;
        assert_eq!(help("K8S.Example.Org").as_deref(), Some("write `k8s.example.org`"));
        assert_eq!(help("a_b.example.org").as_deref(), Some("write `a-b.example.org`"));
        assert_eq!(help("cluster.local.").as_deref(), Some("write `cluster.local`"));
        assert_eq!([help("."), help("A..b"), help("größe.B")], [None, None, None]);
    }

    #[test]
    fn units_need_their_type() {
        assert_format(unit, &["kubelet.service", "a@b.mount"], &["kubelet", ".service", "a b.service", ""]);
    }
}
