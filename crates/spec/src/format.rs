//! The formats of texts in documents: what each is called and how it is checked.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

pub(crate) mod addresses;
pub(crate) mod amounts;
pub(crate) mod kubernetes;
pub(crate) mod names;
pub(crate) mod paths;

/// Why a text is not what its format asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The reason, as a fragment.
    pub(crate) why: String,
    /// What to write instead, where that can be said.
    pub(crate) help: Option<String>,
}

impl Unfit {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Offers to write `candidate` for `text` where that passes the check, and nothing else.
    fn instead(self, text: &str, candidate: &str, check: fn(&str) -> Result<(), Unfit>) -> Self {
        let is_better = candidate != text && check(candidate).is_ok();
        Self { help: is_better.then(|| format!("write `{candidate}`")), ..self }
    }
}

/// A kind of text.
pub(crate) struct Format {
    /// As it stands in the JSON Schema.
    pub(crate) name: &'static str,
    /// One of them, with an article.
    pub(crate) one: &'static str,
    /// Many of them.
    pub(crate) many: &'static str,
    /// Whether a text is one of them.
    pub(crate) check: fn(&str) -> Result<(), Unfit>,
}

/// A text without control characters; may be empty.
fn one_line(text: &str) -> Result<(), Unfit> {
    if text.chars().any(char::is_control) {
        return Err(Unfit::new("it contains control characters"));
    }
    Ok(())
}

/// The format that a JSON Schema names.
pub(crate) fn named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// A map in the JSON Schema whose keys have a format too.
pub(crate) struct Keyed<K, V>(PhantomData<(K, V)>);

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Keyed<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}To{}", K::schema_name(), V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (keys, values) = (generator.subschema_for::<K>(), generator.subschema_for::<V>());
        json_schema!({"type": "object", "propertyNames": keys, "additionalProperties": values})
    }
}

macro_rules! formats {
    ($($name:ident = $format:literal, $one:literal, $many:literal, $check:path;)*) => {
        /// All formats.
        static FORMATS: &[Format] = &[
            $(Format { name: $format, one: $one, many: $many, check: $check },)*
        ];

        $(
            #[doc = concat!("Stands for ", $one, " in the JSON Schema.")]
            pub(crate) struct $name;

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({"type": "string", "format": $format})
                }
            }
        )*
    };
}

formats! {
    AbsolutePath = "absolute-path", "an absolute path", "absolute paths", paths::absolute;
    AdmissionPlugin = "admission-plugin", "the name of an admission plugin", "admission plugins", kubernetes::camel_case;
    AssetSource = "asset-source", "a source of assets", "sources of assets", paths::asset_source;
    Certificate = "certificate", "a certificate (PEM)", "certificates (PEM)", paths::certificate;
    Cidr = "cidr", "a CIDR", "CIDRs", addresses::cidr;
    ClusterName = "cluster-name", "a cluster name", "cluster names", names::cluster;
    Domain = "domain", "a DNS domain", "DNS domains", names::domain;
    Duration = "duration", "a duration", "durations", amounts::duration;
    FeatureGate = "feature-gate", "the name of a feature gate", "feature gates", kubernetes::camel_case;
    FileMode = "file-mode", "a file mode", "file modes", paths::mode;
    FilePath = "file-path", "a file path", "file paths", paths::file;
    Flag = "flag", "the name of a flag", "flags", kubernetes::flag;
    FlagValue = "flag-value", "the value of a flag", "values of flags", one_line;
    GroupName = "group-name", "an instance group name", "instance group names", names::group;
    HookName = "hook-name", "a hook name", "hook names", names::label;
    Host = "host", "a DNS name or an IP address", "DNS names or IP addresses", addresses::host;
    IpAddress = "ip-address", "an IP address", "IP addresses", addresses::ip;
    Ipv4Cidr = "ipv4-cidr", "an IPv4 CIDR", "IPv4 CIDRs", addresses::ipv4_cidr;
    LabelKey = "label-key", "a label key", "label keys", kubernetes::label_key;
    LabelValue = "label-value", "a label value", "label values", kubernetes::label_value;
    LinkName = "link-name", "the name of a network interface", "names of network interfaces", names::link;
    Percentage = "percentage", "a percentage", "percentages", amounts::percentage;
    PortRange = "port-range", "a range of ports", "ranges of ports", amounts::port_range;
    ProxyException = "proxy-exception", "a name, domain or range", "names, domains and ranges", addresses::proxy_exception;
    Quantity = "quantity", "a quantity", "quantities", amounts::quantity;
    Registry = "registry", "a registry", "registries", addresses::registry;
    ResourceId = "resource-id", "the id of a resource", "ids of resources", names::resource;
    RuleName = "rule-name", "the name of a rule", "names of rules", names::label;
    Sha256 = "sha256", "a SHA-256 digest", "SHA-256 digests", amounts::sha256;
    SubjectAltName = "subject-alt-name", "a DNS name or an IP address", "DNS names or IP addresses", addresses::alt_name;
    Sysctl = "sysctl", "the name of a kernel setting", "kernel settings", names::sysctl;
    SysctlValue = "sysctl-value", "a value of a kernel setting", "values of kernel settings", one_line;
    TemplateName = "template-name", "a template name", "template names", paths::template;
    UnitName = "unit-name", "the name of a systemd unit", "names of systemd units", names::unit;
    Url = "url", "an http(s) address", "http(s) addresses", addresses::url;
    Version = "version", "a version", "versions", kubernetes::version;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Asserts that `check` takes all of `good` and none of `bad`.
    pub(crate) fn assert_format(check: fn(&str) -> Result<(), Unfit>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in bad {
            assert!(check(text).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn every_format_has_a_name_of_its_own_and_refuses_the_empty_text_or_a_line_break() {
        for format in FORMATS {
            assert_eq!(FORMATS.iter().filter(|other| other.name == format.name).count(), 1, "{}", format.name);
            assert!((format.check)("").is_err() || (format.check)("a\nb").is_err(), "{}", format.name);
        }
    }
}
