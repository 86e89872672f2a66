//! How many machines of a group may be away at once while they are changed.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::format::Percentage;
use crate::format::amounts::parse_percentage;

/// How machines of a group are changed where that takes them away: booted again, or made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollingUpdate {
    /// How many of the group may be away at once: a number, or a percentage of the group such as `25%`, which is rounded down
    /// and stands for one machine at least. Control planes are always away one at a time.
    #[serde(default)]
    pub max_unavailable: MaxUnavailable,
}

/// How workers of all groups together are changed where that takes them away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterRollingUpdate {
    /// How many workers of all groups may be away at once: a number, or a percentage of all workers such as `10%`, which is rounded
    /// down and stands for one machine at least. Left out, only the groups' own limits hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<MaxUnavailable>,
}

/// A number of machines, or a share of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MaxUnavailable {
    /// So many.
    Count(u32),
    /// So many of a hundred, such as `25%`.
    Percentage(String),
}

impl Default for MaxUnavailable {
    fn default() -> Self {
        Self::Count(1)
    }
}

impl MaxUnavailable {
    /// How many of `count` machines it stands for: one at least, else nothing could ever be changed.
    pub fn of(&self, count: u32) -> u32 {
        let most = match self {
            Self::Count(most) => *most,
            Self::Percentage(text) => {
                let share = u64::from(count) * u64::from(parse_percentage(text).unwrap_or(0)) / 100;
                u32::try_from(share).unwrap_or(u32::MAX)
            }
        };
        most.max(1)
    }
}

impl JsonSchema for MaxUnavailable {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MaxUnavailable".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let percentage = Percentage::json_schema(generator);
        json_schema!({"type": ["integer", "string"], "minimum": 1, "format": percentage.get("format")})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_is_one_machine_at_least() {
        let share = |text: &str, count| MaxUnavailable::Percentage(text.to_owned()).of(count);
        assert_eq!([share("25%", 10), share("25%", 3), share("100%", 7), share("1%", 5000)], [2, 1, 7, 50]);
        assert_eq!([MaxUnavailable::Count(3).of(2), MaxUnavailable::default().of(9)], [3, 1]);
    }
}
