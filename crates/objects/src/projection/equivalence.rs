//! When two scalars mean the same although they are written differently.

use serde_json::Value;

use crate::quantity::quantity;

/// Fields below which strings and numbers are resource quantities.
const QUANTITIES: &[&str] = &[
    "averageValue",
    "capacity",
    "default",
    "defaultRequest",
    "divisor",
    "hard",
    "limits",
    "max",
    "maxLimitRequestRatio",
    "memory",
    "min",
    "podFixed",
    "requests",
    "sizeLimit",
    "storage",
];

/// Whether values below a field of this name are quantities.
pub(crate) fn holds_quantities(field: &str) -> bool {
    QUANTITIES.contains(&field)
}

/// Whether two scalars are equal, or are the same quantity where quantities are expected.
pub(crate) fn same(one: &Value, other: &Value, quantities: bool) -> bool {
    if one == other {
        return true;
    }
    if let (Value::Number(one), Value::Number(other)) = (one, other) {
        return one.as_f64() == other.as_f64();
    }
    quantities && matches!((quantity(one), quantity(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_compared_by_what_they_mean() {
        let equal = [
            (json!("1000m"), json!("1")),
            (json!(1), json!("1")),
            (json!("0.5"), json!("500m")),
            (json!("1Gi"), json!("1024Mi")),
            (json!("1.5Gi"), json!("1536Mi")),
            (json!("1e3"), json!("1k")),
            (json!("1E3"), json!("1k")),
            (json!("2E"), json!("2000P")),
            (json!("-1"), json!("-1000m")),
            (json!("0.1n"), json!("1n")),
        ];
        for (one, other) in equal {
            assert!(same(&one, &other, true), "{one} {other}");
            assert!(!same(&one, &other, false), "{one} {other}");
        }
        for (one, other) in [(json!("1"), json!("1m")), (json!("1G"), json!("1Gi")), (json!("x"), json!("y"))] {
            assert!(!same(&one, &other, true), "{one} {other}");
        }
    }

    #[test]
    fn whole_floats_equal_integers() {
        assert!(same(&json!(1.0), &json!(1), false));
        assert!(!same(&json!("1"), &json!(1), false));
    }
}
