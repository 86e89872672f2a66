//! When two scalars mean the same although they are written differently.

use serde_json::Value;

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

/// A quantity in billionths, which is the finest the API server keeps.
fn quantity(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (mantissa, suffix) = text.split_at(split);
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let scaled = digits.checked_mul(billionths(suffix)?)?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    // What is finer than a billionth is rounded up.
    let value = scaled.checked_add(divisor - 1)? / divisor;
    Some(if negative { -value } else { value })
}

fn billionths(suffix: &str) -> Option<i128> {
    let ten = |exponent: u32| 10_i128.checked_pow(exponent);
    let two = |exponent: u32| 1_000_000_000_i128.checked_mul(2_i128.checked_pow(exponent)?);
    match suffix {
        "n" => ten(0),
        "u" => ten(3),
        "m" => ten(6),
        "" => ten(9),
        "k" => ten(12),
        "M" => ten(15),
        "G" => ten(18),
        "T" => ten(21),
        "P" => ten(24),
        "E" => ten(27),
        "Ki" => two(10),
        "Mi" => two(20),
        "Gi" => two(30),
        "Ti" => two(40),
        "Pi" => two(50),
        "Ei" => two(60),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            ten(u32::try_from(exponent.checked_add(9)?).ok()?)
        }
    }
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
