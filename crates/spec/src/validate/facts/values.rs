//! Values of flags as Go reads them.

use crate::format::amounts::{parse_go_duration, parse_quantity};

/// A value that does not have its type.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Wrong {
    /// What the program wants.
    pub(in super::super) wanted: &'static str,
    /// What to write.
    pub(in super::super) help: String,
}

/// Every spelling of a truth value that Go reads.
const TRUE: [&str; 6] = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE: [&str; 6] = ["0", "f", "F", "false", "FALSE", "False"];

/// The truth value of a text.
pub(in super::super) fn parse_bool(text: &str) -> Option<bool> {
    if TRUE.contains(&text) { Some(true) } else { FALSE.contains(&text).then_some(false) }
}

/// Flags whose pairs may lack the sign and the value (`ConfigurationMap`), though their type is called like that of others.
const OPEN_PAIRS: [&str; 2] = ["node-labels", "runtime-config"];
/// Flags that are one pair, with commas in it (`NewMapStringStringNoSplit`).
const ONE_PAIR: [&str; 2] = ["cpu-manager-policy-options", "oidc-required-claim"];

/// Whether the flag `name` of a type takes a value. Types whose texts have no common form take everything.
pub(in super::super) fn check(name: &str, type_name: &str, value: &str) -> Result<(), Wrong> {
    let wrong = |wanted, help: String| Err(Wrong { wanted, help });
    match type_name {
        "bool" if parse_bool(value).is_none() => wrong("a truth value", boolean_help(value)),
        "int" | "int64" => integer(value, i64::MIN.into(), i64::MAX.into()),
        "int32" => integer(value, i32::MIN.into(), i32::MAX.into()),
        "uint" | "uint64" => unsigned(value, u64::MAX.into()),
        "uint32" => unsigned(value, u32::MAX.into()),
        "Level" if !is_level(value) => wrong("a level", "such as `4`, in digits alone".into()),
        "pattern=N,..." => {
            let all = value.split(',').filter(|pair| !pair.is_empty());
            let is_pattern = |(pattern, level): (&str, &str)| !pattern.is_empty() && is_level(level);
            let mut all = all.map(|pair| pair.split_once('=').is_some_and(is_pattern));
            if all.all(|is_good| is_good) { Ok(()) } else { wrong("patterns with levels", "such as `gc*=4`".into()) }
        }
        "float32" | "float64" => match parse_fraction(value) {
            None => wrong("a number", "such as `0.5`".into()),
            Some(number) if is_too_large(number, type_name, value) => {
                wrong("a number", format!("it is too large for a {type_name}"))
            }
            Some(_) => Ok(()),
        },
        "duration" if !is_duration(value) => wrong("a duration", duration_help(value)),
        // Nothing stands for what the component does by itself.
        "ip" if !value.is_empty() && value.trim().parse::<std::net::IpAddr>().is_err() => {
            wrong("an IP address", "such as `10.0.0.1`".into())
        }
        "quantity" if parse_quantity(value).is_none() => wrong("a quantity", "such as `100Mi`".into()),
        "int32Slice" | "intSlice" => {
            value.split(',').try_for_each(|one| integer(one, i32::MIN.into(), i32::MAX.into()))
        }
        "mapStringBool" => pairs(value, |text| parse_bool(text.trim()).is_some()),
        "mapStringString" if OPEN_PAIRS.contains(&name) => Ok(()),
        "mapStringString" if ONE_PAIR.contains(&name) && value.contains('=') => Ok(()),
        "mapStringString" => pairs(value, |_| true),
        "stringSlice" if string_slice(value).is_none() => {
            wrong("a list", "such as `a,b`, with quotes around whole entries alone".into())
        }
        "stringToString" if string_pairs(value).is_none() => {
            wrong("pairs", "such as `a=x`, or `\"a=x\",\"b=y\"`".into())
        }
        "namedCertKey" if !is_certificate_and_key(value) => {
            wrong("a certificate and its key", "such as `/etc/a.crt,/etc/a.key:example.org`".into())
        }
        "version" if !value.starts_with('v') && value != "raw" && parse_bool(value).is_none() => {
            wrong("a truth value", boolean_help(value))
        }
        _ => Ok(()),
    }
}

fn integer(text: &str, least: i128, most: i128) -> Result<(), Wrong> {
    match parse_integer(text) {
        Some(number) if (least..=most).contains(&number) => Ok(()),
        Some(_) => Err(Wrong { wanted: "a whole number", help: format!("write a number from {least} to {most}") }),
        None => Err(Wrong { wanted: "a whole number", help: "such as `100`, without unit or fraction".to_owned() }),
    }
}

/// Go reads no sign here.
fn unsigned(text: &str, most: i128) -> Result<(), Wrong> {
    match text.strip_prefix(['-', '+']) {
        Some(_) => Err(Wrong { wanted: "a whole number", help: "write it without a sign".to_owned() }),
        None => integer(text, 0, most),
    }
}

/// How much is logged: digits alone.
fn is_level(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit()) && text.parse::<i32>().is_ok()
}

/// A whole number with the prefixes and underscores that Go allows (`strconv.ParseInt` with base 0).
pub(super) fn parse_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixes = [("0x", 16), ("0b", 2), ("0o", 8)];
    let prefixed = prefixes.into_iter().find_map(|(prefix, base)| Some((lower.strip_prefix(prefix)?, base)));
    let (body, base) = match prefixed {
        Some(found) => found,
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (lower.as_str(), 10),
    };
    // Underscores stand between digits, or between a prefix and a digit.
    let tidy = !body.ends_with('_') && !body.contains("__") && (base != 10 || !body.starts_with('_'));
    let plain = body.replace('_', "");
    let number = plain.chars().all(|c| c.is_digit(base)).then(|| i128::from_str_radix(&plain, base).ok())??;
    tidy.then_some(if negative { -number } else { number })
}

/// A fraction as Go reads it (`strconv.ParseFloat`).
pub(super) fn parse_fraction(text: &str) -> Option<f64> {
    let text = without_underscores(text)?;
    let (sign, bare) = match text.strip_prefix('-') {
        Some(bare) => (-1.0, bare),
        None => (1.0, text.strip_prefix('+').unwrap_or(&text)),
    };
    let Some(hex) = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")) else { return text.parse().ok() };
    let (digits, exponent) = hex.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let number = u32::from_str_radix(&format!("{whole}{part}"), 16).ok()?;
    let shift = exponent.checked_sub(i32::try_from(part.len()).ok()?.checked_mul(4)?)?;
    Some(sign * f64::from(number) * 2_f64.powi(shift))
}

/// A number without the underscores between its digits, and between the prefix of a base and a digit; nothing where one
/// stands elsewhere (`strconv.underscoreOK`).
fn without_underscores(text: &str) -> Option<String> {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text).to_ascii_lowercase();
    let (mut before, number, is_hex) = match bare.strip_prefix("0x") {
        Some(number) => ('0', number, true),
        None => (' ', bare.as_str(), false),
    };
    for c in number.chars().chain([' ']) {
        let is_digit = |c: char| c.is_ascii_digit() || is_hex && c.is_ascii_hexdigit();
        if (c == '_' && !is_digit(before)) || (before == '_' && !is_digit(c)) {
            return None;
        }
        before = c;
    }
    Some(text.replace('_', ""))
}

/// Whether a number that is not meant to be infinite is beyond its type, which Go refuses.
fn is_too_large(number: f64, type_name: &str, text: &str) -> bool {
    #[allow(clippy::cast_possible_truncation)] // what is too large becomes infinite, and that is what is asked
    let is_infinite = if type_name == "float32" { (number as f32).is_infinite() } else { number.is_infinite() };
    is_infinite && !text.to_ascii_lowercase().contains("inf")
}

/// A duration as Go reads it (`time.ParseDuration`).
pub(in super::super) fn is_duration(text: &str) -> bool {
    const UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let counted = number.chars().any(|c| c.is_ascii_digit()) && number.matches('.').count() <= 1;
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if !counted || !UNITS.contains(&unit) {
            return false;
        }
        rest = after;
    }
    // Go counts nanoseconds in 64 bits: 292 years.
    parse_go_duration(text).is_some_and(|seconds| seconds.abs() < 9_223_372_036.854_776)
}

/// The only version whose hidden metrics a component of a minor can show.
pub(in super::super) fn minor_before(minor: u32) -> String {
    format!("1.{}", minor.saturating_sub(1))
}

/// What to write for a duration.
pub(in super::super) fn duration_help(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if bare { format!("write `{text}s` for seconds") } else { "such as `30s`, `1m30s` or `2h`".to_owned() }
}

/// What to write for a truth value.
pub(in super::super) fn boolean_help(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "enabled" | "true" => "write `true`".to_owned(),
        "no" | "off" | "n" | "disabled" | "false" => "write `false`".to_owned(),
        _ => "write `true` or `false`".to_owned(),
    }
}

/// `a=1,b=2`; an empty text has no pairs.
fn pairs(text: &str, value: impl Fn(&str) -> bool) -> Result<(), Wrong> {
    let mut all = text.split(',').filter(|pair| !pair.is_empty());
    if all.all(|pair| pair.split_once('=').is_some_and(|(_, text)| value(text))) {
        return Ok(());
    }
    Err(Wrong { wanted: "pairs", help: "such as `a=x,b=y`".to_owned() })
}

/// Pairs as pflag reads them (`stringToString`): a single one as it stands, several as a line of CSV; never none.
pub(super) fn string_pairs(text: &str) -> Option<Vec<(String, String)>> {
    let entries = match text.matches('=').count() {
        0 => return None,
        1 => vec![text.trim_matches('"').to_owned()],
        _ => csv(text)?,
    };
    entries.iter().map(|entry| entry.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))).collect()
}

/// The entries of a list as pflag reads it (`stringSlice`): one line of CSV, and none of an empty text.
pub(super) fn string_slice(text: &str) -> Option<Vec<String>> {
    if text.is_empty() { Some(Vec::new()) } else { csv(text) }
}

/// The fields of one line of CSV; a field may stand in quotes, with those inside of it doubled.
fn csv(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let end = closing_quote(quoted)?;
            (quoted[..end].replace("\"\"", "\""), &quoted[end + 1..])
        } else {
            let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            if field.contains('"') {
                return None;
            }
            (field.to_owned(), after)
        };
        fields.push(field);
        if after.is_empty() {
            return Some(fields);
        }
        rest = after.strip_prefix(',')?;
    }
}

/// Where a quoted field ends: at the first quote that is not doubled.
fn closing_quote(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find('"')?;
        if !text[at + 1..].starts_with('"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// `certificate,key` or `certificate,key:name,name`.
fn is_certificate_and_key(text: &str) -> bool {
    let (files, names) = text.split_once(':').map_or((text, None), |(files, names)| (files, Some(names)));
    files.matches(',').count() == 1 && names.is_none_or(|names| !names.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_takes(type_name: &str, good: &[&str], bad: &[&str]) {
        for value in good {
            assert_eq!(check("", type_name, value), Ok(()), "{type_name} {value:?}");
        }
        for value in bad {
            assert!(check("", type_name, value).is_err(), "{type_name} takes {value:?}");
        }
    }

    #[test]
    fn truth_values_have_the_twelve_spellings_of_go() {
        assert_takes("bool", &[&TRUE[..], &FALSE[..]].concat(), &["", "yes", "no", "tRUE", "fALSE", "2", " true"]);
        assert_eq!((parse_bool("F"), parse_bool("True"), parse_bool("off")), (Some(false), Some(true), None));
        assert_eq!(boolean_help("No"), "write `false`");
    }

    #[test]
    fn whole_numbers_may_have_a_base_and_underscores_after_it() {
        let good = ["0", "600", "-1", "+7", "0x1F", "0b11", "0o17", "017", "0x_1f", "0_7", "1_000"];
        assert_takes("int", &good, &["", "600.0", "1e3", "six", "0x", "09", "_1", "1__0", "0x1_", "10s", "-", " 1"]);
        assert_takes("int32", &["2147483647"], &["2147483648"]);
        assert_takes("uint", &["0", "0x10", "1_0"], &["-1", "+1"]);
        assert_takes("Level", &["0", "10"], &["", "0x1", "+1", "-1", "2147483648"]);
        assert_takes("pattern=N,...", &["", "a=1", "a*=2,b=3"], &["a", "a=x", "a=1,b", "=3", "a=1=2"]);
        assert_takes("int64", &["9223372036854775807"], &["9223372036854775808"]);
    }

    #[test]
    fn fractions_may_be_written_in_powers_of_two() {
        let good = ["0.5", "1", "-2e-2", "0x1p-2", "0x1.8p1", "inf", "1_0", "0x_1p-2", "1_2.5_0e+1_2", "1e39"];
        let bad = ["", "half", "50%", "1,5", "0x1", "_1", "1_", "1__0", "1_.5", "++1", "1e400"];
        assert_takes("float64", &good, &bad);
        assert_takes("float32", &["20", "1e38", "+Inf"], &["1e39", "1e400", "-1e400"]);
        assert_eq!((parse_fraction("0x1p-2"), parse_fraction("-0x1.8p1")), (Some(0.25), Some(-3.0)));
    }

    #[test]
    fn an_address_may_be_left_to_the_component() {
        assert_takes("ip", &["", "0.0.0.0", " ::1 "], &[" ", "localhost", "1.2.3"]);
    }

    #[test]
    fn lists_are_lines_of_csv() {
        assert_takes("stringSlice", &["", "a", "a,b", "\"a,b\",c", "a,"], &["\"a", "\"a\"b", "a\"b\""]);
        assert_eq!(string_slice("\"a\",b"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(string_slice(""), Some(Vec::new()));
    }

    #[test]
    fn durations_have_a_unit() {
        let good = ["0", "1s", "1.5h", "-2m", "1h2m3s", "100ms", ".5s", "1.s", "3µs"];
        assert_takes("duration", &good, &["", "10", "1d", "s", "1 s", "1m30", ".s", "1.2.3s", "2562048h"]);
        assert_eq!(duration_help("10"), "write `10s` for seconds");
    }

    #[test]
    fn pairs_have_a_sign_between_them() {
        assert_takes("mapStringBool", &["", "a=true,b=F"], &["a", "a=no", "a:true"]);
        assert_takes("mapStringString", &["", "a=b", "a=b=c,d="], &["a", "a=b,c"]);
        for (name, value) in [("runtime-config", "batch/v1"), ("oidc-required-claim", "aud=a,b"), ("x", "a=b")] {
            assert_eq!(check(name, "mapStringString", value), Ok(()), "{name}");
        }
        assert!(check("oidc-required-claim", "mapStringString", "aud").is_err());
        let quoted = "\"a,b=c,d\",\"e,f=\"\"g\"\"\"";
        assert_takes(
            "stringToString",
            &["a,b=c,d", "a=b=c", "a=b,c=d", quoted],
            &["", "a", "a,b=c,d,e,f=g", "\"a=b,c=d"],
        );
        let both = [("a,b".to_owned(), "c,d".to_owned()), ("e,f".to_owned(), "\"g\"".to_owned())];
        assert_eq!(string_pairs(quoted), Some(both.to_vec()));
    }

    #[test]
    fn a_certificate_comes_with_its_key() {
        let good = ["/a.crt,/a.key", "/a.crt, /a.key:example.org,*.example.org"];
        assert_takes("namedCertKey", &good, &["", "/a.crt", "/a.crt,/a.key,b", "/a.crt,/a.key:"]);
    }

    #[test]
    fn a_version_is_asked_for_or_named() {
        assert_takes("version", &["true", "raw", "F", "v1.36.3-mine"], &["", "yes", "1.36.3"]);
    }
}
