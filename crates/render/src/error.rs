//! Why a document could not be made.

/// Why a document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A template (the built-in one or a replacement) does not parse or asks for a value that is not there.
    #[error("template `{template}` does not render")]
    Template {
        /// Name of the template.
        template: &'static str,
        /// File, line and column, as Tera says them.
        source: Box<tera::Error>,
    },
    /// A document could not be written as YAML.
    #[error("`{document}` cannot be written as YAML")]
    Yaml {
        /// Name of the document.
        document: String,
        /// Why.
        source: serde_yaml::Error,
    },
    /// A document could not be written as JSON.
    #[error("`{document}` cannot be written as JSON")]
    Json {
        /// Name of the document.
        document: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A document could not be written as TOML.
    #[error("`{document}` cannot be written as TOML")]
    Toml {
        /// Name of the document.
        document: String,
        /// Why.
        source: Box<toml::ser::Error>,
    },
}
