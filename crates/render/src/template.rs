//! Texts in line formats, made with Tera from embedded templates that a caller may replace.

use std::collections::BTreeMap;

use serde::Serialize;
use tera::{Context, Tera};

use crate::Error;

/// The templates there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Template {
    /// The unit of kubelet.
    KubeletService,
    /// The drop-in that gives kubelet kubeadm's files.
    KubeletDropIn,
    /// The unit of containerd.
    ContainerdService,
    /// The node-local load balancer.
    Haproxy,
    /// The configuration of CoreDNS.
    Corefile,
}

impl Template {
    /// All templates.
    pub const ALL: [Self; 5] =
        [Self::KubeletService, Self::KubeletDropIn, Self::ContainerdService, Self::Haproxy, Self::Corefile];

    /// Path under `templates/`, by which a spec names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::KubeletService => "systemd/kubelet.service",
            Self::KubeletDropIn => "systemd/10-kubeadm.conf",
            Self::ContainerdService => "systemd/containerd.service",
            Self::Haproxy => "haproxy/haproxy.cfg",
            Self::Corefile => "coredns/Corefile",
        }
    }

    /// The template of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.name() == name)
    }

    /// The built-in text.
    pub fn builtin(self) -> &'static str {
        match self {
            Self::KubeletService => include_str!("../../../templates/systemd/kubelet.service"),
            Self::KubeletDropIn => include_str!("../../../templates/systemd/10-kubeadm.conf"),
            Self::ContainerdService => include_str!("../../../templates/systemd/containerd.service"),
            Self::Haproxy => include_str!("../../../templates/haproxy/haproxy.cfg"),
            Self::Corefile => include_str!("../../../templates/coredns/Corefile"),
        }
    }
}

/// The built-in templates and what replaces some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    replacements: BTreeMap<Template, String>,
}

impl Templates {
    /// The built-in templates.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Puts a text in the place of a template.
    #[must_use]
    pub fn with(mut self, template: Template, text: impl Into<String>) -> Self {
        self.replacements.insert(template, text.into());
        self
    }

    /// The text of a template.
    pub fn text(&self, template: Template) -> &str {
        self.replacements.get(&template).map_or(template.builtin(), String::as_str)
    }

    /// Fills a template.
    pub(crate) fn render(&self, template: Template, values: &impl Serialize) -> Result<String, Error> {
        let fail = |source| Error::Template { template: template.name(), source: Box::new(source) };
        let mut tera = Tera::default();
        // These are not web pages: a `<` in a path stays a `<`.
        tera.autoescape_on(Vec::<&str>::new());
        tera.add_raw_template(template.name(), self.text(template)).map_err(fail)?;
        let context = Context::from_serialize(values).map_err(fail)?;
        tera.render(template.name(), &context).map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use serde_json::json;

    use super::{Template, Templates};

    #[test]
    fn a_replacement_is_rendered_with_the_same_values_and_nothing_is_escaped() {
        let templates = Templates::builtin().with(Template::Haproxy, "x={{ x }}");
        assert_eq!(templates.render(Template::Haproxy, &json!({"x": "<&\"{{nodeIP}}"})).unwrap(), "x=<&\"{{nodeIP}}");
    }

    #[test]
    fn a_broken_replacement_is_named() {
        let templates = Templates::builtin().with(Template::Corefile, "a\n{{ nothing }}");
        let error = templates.render(Template::Corefile, &json!({})).unwrap_err();
        assert_eq!(error.to_string(), "template `coredns/Corefile` does not render");
        assert!(error.source().unwrap().to_string().contains("nothing"));
    }

    #[test]
    fn every_template_is_found_by_its_name() {
        for template in Template::ALL {
            assert_eq!(Template::from_name(template.name()), Some(template));
        }
        assert_eq!(Template::from_name("nothing"), None);
    }
}
