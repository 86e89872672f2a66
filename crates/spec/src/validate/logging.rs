//! How components log, as `LoggingConfiguration` of kubelet and kube-proxy says it (`logsapi.Validate`).

use serde_json::Value;

use super::facts::fields::whole;
use crate::format::amounts::{parse_go_duration, parse_quantity};
use crate::suggest;

/// What is wrong with one field.
pub(super) struct Wrong {
    /// Its path below the configuration, with a dot before it.
    pub(super) field: String,
    pub(super) why: String,
    pub(super) help: String,
}

/// Whether a feature gate is on, which is the second where nobody says anything.
type Gates<'a> = &'a dyn Fn(&str, bool) -> bool;

/// The feature gate of logs in JSON, which is on by itself.
const BETA: &str = "LoggingBetaOptions";
/// The feature gate of buffers, which is off by itself.
const ALPHA: &str = "LoggingAlphaOptions";
const FORMATS: [&str; 2] = ["json", "text"];

/// What a component would not start with, where `is_on` says which feature gates are on.
pub(super) fn check(logging: &Value, is_on: Gates<'_>) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> =
        [format(logging, is_on), pace(logging), level("", logging)].into_iter().flatten().collect();
    wrong.extend(patterns(logging));
    wrong.extend(FORMATS.into_iter().filter(|kind| buffers(logging, kind) && !is_on(ALPHA, false)).map(|kind| Wrong {
        field: format!(".options.{kind}.infoBufferSize"),
        why: format!("`infoBufferSize` needs the feature gate `{ALPHA}`"),
        help: format!("switch the feature gate `{ALPHA}` on, or remove it"),
    }));
    wrong
}

fn kind(logging: &Value) -> &str {
    logging.get("format").and_then(Value::as_str).filter(|format| !format.is_empty()).unwrap_or("text")
}

fn format(logging: &Value, is_on: Gates<'_>) -> Option<Wrong> {
    let kind = kind(logging);
    let (why, help) = if !FORMATS.contains(&kind) {
        let help = suggest::meant(kind, FORMATS).unwrap_or_else(|| "write `text` or `json`".to_owned());
        (format!("there are no logs in the format `{kind}`"), help)
    } else if kind == "json" && !is_on(BETA, true) {
        (format!("logs in JSON need the feature gate `{BETA}`"), format!("switch `{BETA}` on, or write `text`"))
    } else {
        return None;
    };
    Some(Wrong { field: ".format".to_owned(), why, help })
}

/// 0 is the default.
fn pace(logging: &Value) -> Option<Wrong> {
    let value = logging.get("flushFrequency")?;
    let time = value.as_str().and_then(parse_go_duration).or_else(|| value.as_f64())?;
    let wrong = Wrong {
        field: ".flushFrequency".to_owned(),
        why: "logs can't be written at times before now".to_owned(),
        help: "such as `5s`".to_owned(),
    };
    (time < 0.0).then_some(wrong)
}

fn level(place: &str, of: &Value) -> Option<Wrong> {
    let level = whole(of.get("verbosity")?).filter(|level| *level > i32::MAX.into())?;
    let (field, why) = (format!("{place}.verbosity"), format!("{level} is too large for a level"));
    Some(Wrong { field, why, help: "write 10 or less".to_owned() })
}

fn patterns(logging: &Value) -> Vec<Wrong> {
    let all = logging.get("vmodule").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut wrong = Vec::new();
    if !all.is_empty() && kind(logging) != "text" {
        wrong.push(Wrong {
            field: ".vmodule".to_owned(),
            why: "only logs in text have levels by file".to_owned(),
            help: "remove it, or write `format: text`".to_owned(),
        });
    }
    for (index, one) in all.iter().enumerate() {
        let place = format!(".vmodule[{index}]");
        let pattern = one.get("filePattern").and_then(Value::as_str).unwrap_or_default();
        if pattern.is_empty() || pattern.contains(['=', ',']) {
            wrong.push(Wrong {
                field: place.clone(),
                why: format!("`{pattern}` is no pattern of file names"),
                help: "such as `filePattern: gc*`".to_owned(),
            });
        }
        wrong.extend(level(&place, one));
    }
    wrong
}

/// Whether logs of a format wait in a buffer. What is said of streams, the flags of a component's own command line undo.
fn buffers(logging: &Value, kind: &str) -> bool {
    let size = logging.get("options").and_then(|options| options.get(kind)?.get("infoBufferSize"));
    let size = size.and_then(|size| size.as_f64().or_else(|| parse_quantity(size.as_str()?)));
    size.is_some_and(|size| size != 0.0)
}
