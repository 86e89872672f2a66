//! One rule of an audit policy, held against what kube-apiserver takes (`audit.k8s.io/v1`, `ValidatePolicy`).

use serde_json::{Map, Value};

use crate::check::join;
use crate::effective::Draft;
use crate::format::names;
use crate::shape::quoted;
use crate::validate::Finding;
use crate::{Cluster, suggest};

const LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];
const STAGES: [&str; 4] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];
/// Fields of a rule, and what they hold.
const FIELDS: [(&str, Holds); 9] = [
    ("level", Holds::Level),
    ("users", Holds::Texts),
    ("userGroups", Holds::Texts),
    ("verbs", Holds::Texts),
    ("resources", Holds::Groups),
    ("namespaces", Holds::Texts),
    ("nonResourceURLs", Holds::Texts),
    ("omitStages", Holds::Texts),
    ("omitManagedFields", Holds::Boolean),
];
/// Fields of an entry of `resources`.
const GROUP_FIELDS: [(&str, Holds); 3] =
    [("group", Holds::Text), ("resources", Holds::Texts), ("resourceNames", Holds::Texts)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Level,
    Text,
    Texts,
    Groups,
    Boolean,
}

impl Holds {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Level | Self::Text => value.is_string(),
            Self::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Self::Groups => value.as_array().is_some_and(|list| list.iter().all(Value::is_object)),
            Self::Boolean => value.is_boolean(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Level | Self::Text => "a text",
            Self::Texts => "a list of texts, such as `[secrets]`",
            Self::Groups => "a list of maps with `group` and `resources`",
            Self::Boolean => "true or false",
        }
    }
}

/// Since which minor a rule may speak of all API groups at once.
const ALL_GROUPS_SINCE: u32 = 36;

/// What is wrong with the rule at `index`.
pub(super) fn check(cluster: &Draft<Cluster>, index: usize, rule: &Map<String, Value>) -> Vec<Finding> {
    let rule = Rule { cluster, path: format!("spec.audit.rules[{index}]"), fields: rule };
    let mut findings = rule.fields(&rule.path, rule.fields, &FIELDS);
    findings.extend(rule.level());
    findings.extend(rule.stages());
    findings.extend(rule.urls());
    findings.extend(rule.groups());
    findings
}

struct Rule<'a> {
    cluster: &'a Draft<Cluster>,
    path: String,
    fields: &'a Map<String, Value>,
}

impl Rule<'_> {
    fn error(&self, field: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding::error("spec::audit-rules", message).at(self.cluster, field)
    }

    /// Fields that don't exist, and such as hold something else than they must.
    fn fields(&self, path: &str, fields: &Map<String, Value>, known: &[(&str, Holds)]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            let field = join(path, name);
            match known.iter().find(|(known, _)| known == name) {
                None => {
                    // kube-apiserver goes on without it.
                    let message = format!("audit rules have no field `{name}`");
                    let finding = Finding::warning("spec::audit-rules", message).at(self.cluster, field);
                    let help = suggest::meant(name, known.iter().map(|(known, _)| *known));
                    findings.push(Finding { help, ..finding });
                }
                Some((_, holds)) if *holds != Holds::Level && !holds.fits(value) => {
                    let message = format!("`{name}` of an audit rule must be {}", holds.words());
                    let finding = self.error(field, message);
                    let text = value.as_str().filter(|_| *holds == Holds::Texts);
                    findings.push(Finding { help: text.map(|text| format!("write `[{text}]`")), ..finding });
                }
                Some(_) => {}
            }
        }
        findings
    }

    fn level(&self) -> Option<Finding> {
        let level = self.fields.get("level").and_then(Value::as_str);
        if level.is_some_and(|level| LEVELS.contains(&level)) {
            return None;
        }
        let message = format!("a rule needs a level: one of {}", quoted(LEVELS.into_iter(), 4));
        let help = level.and_then(|level| suggest::meant(level, LEVELS));
        Some(Finding { help, ..self.error(format!("{}.level", self.path), message) })
    }

    fn stages(&self) -> Vec<Finding> {
        let unknown = self.texts("omitStages").filter(|(_, stage)| !STAGES.contains(stage));
        unknown
            .map(|(field, stage)| {
                let help = suggest::one_of(stage, &STAGES, 4);
                self.error(field, format!("requests have no stage `{stage}`")).help(help)
            })
            .collect()
    }

    fn urls(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (field, url) in self.texts("nonResourceURLs").filter(|(_, url)| *url != "*") {
            if !url.starts_with('/') {
                findings.push(
                    self.error(field, format!("`{url}` does not begin with `/`")).help(format!("write `/{url}`")),
                );
            } else if url.strip_suffix('*').unwrap_or(url).contains('*') {
                let message = format!("`*` stands only at the end of a path, not inside of `{url}`");
                findings.push(self.error(field, message).help("write a rule with the part before it, and `*`"));
            }
        }
        let is_set = |name: &str| self.fields.get(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        for other in ["resources", "namespaces"] {
            if is_set("nonResourceURLs") && is_set(other) {
                let message = format!("one rule can't speak of `nonResourceURLs` and of `{other}`");
                let finding = self.error(format!("{}.nonResourceURLs", self.path), message);
                let place = format!("{}.{other}", self.path);
                findings.push(finding.and(self.cluster, place, "and this").help("write two rules"));
            }
        }
        findings
    }

    fn groups(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let groups = self.fields.get("resources").and_then(Value::as_array).into_iter().flatten();
        for (index, group) in groups.enumerate().filter_map(|(index, group)| Some((index, group.as_object()?))) {
            let path = format!("{}.resources[{index}]", self.path);
            findings.extend(self.fields(&path, group, &GROUP_FIELDS));
            let name = group.get("group").and_then(Value::as_str).unwrap_or_default();
            let release = catalog::find(&self.cluster.value.spec.kubernetes_version).ok();
            let has_all = release.is_none_or(|release| release.minor >= ALL_GROUPS_SINCE);
            if name == "*" && !has_all {
                let message = "a rule for all API groups comes with Kubernetes 1.36";
                let help = "leave `resources` out for all of them, or name the groups";
                findings.push(self.error(format!("{path}.group"), message).help(help));
            } else if !matches!(name, "" | "*") && names::domain(name).is_err() {
                let finding = self.error(format!("{path}.group"), format!("`{name}` is no API group"));
                let bare = name.split_once('/').map(|(bare, _)| format!("write `{bare}`, without a version"));
                findings.push(Finding { help: bare, ..finding });
            }
            let is_empty = |name: &str| group.get(name).and_then(Value::as_array).is_none_or(Vec::is_empty);
            if !is_empty("resourceNames") && is_empty("resources") {
                let finding = self.error(format!("{path}.resourceNames"), "names of resources without a resource");
                findings.push(finding.help("add `resources`, such as `[configmaps]`"));
            }
        }
        findings
    }

    /// The texts of a list, with their places.
    fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (String, &'a str)> {
        let list = self.fields.get(name).and_then(Value::as_array).into_iter().flatten().enumerate();
        list.filter_map(move |(index, text)| Some((format!("{}.{name}[{index}]", self.path), text.as_str()?)))
    }
}
