//! Amounts: quantities, durations, ranges of ports, digests.

use super::Unfit;

/// An amount of a resource as Kubernetes writes it, such as `100m` or `2Gi`.
pub(crate) fn quantity(text: &str) -> Result<(), Unfit> {
    if parse_quantity(text).is_some() {
        return Ok(());
    }
    let unfit = Unfit::new("it is not a number with a suffix");
    let bare = text.strip_suffix("iB").map(|n| format!("{n}i")).or_else(|| text.strip_suffix('B').map(str::to_owned));
    Err(match bare {
        Some(bare) if parse_quantity(&bare).is_some() => unfit.help(format!("write `{bare}`")),
        _ => unfit.help("such as `100m` of a processor, `512Mi` or `2Gi` of memory"),
    })
}

/// The amount that a quantity stands for: bytes, processors, pieces.
pub(crate) fn parse_quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 16] = [
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("m", 0.001),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("", 1.0),
    ];
    SUFFIXES.iter().find_map(|(suffix, factor)| Some(decimal(text.strip_suffix(suffix)?)? * factor)).or_else(|| {
        let (number, exponent) = text.split_once(['e', 'E'])?;
        let exponent: i32 = exponent.parse().ok()?;
        Some(decimal(number)? * 10_f64.powi(exponent))
    })
}

/// Digits, with a point among them or not.
fn decimal(number: &str) -> Option<f64> {
    let digits = number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '.')
        && !number.ends_with('.');
    digits.then(|| number.parse().ok())?
}

/// Bytes that a quantity of memory or disk stands for; `None` where it is no quantity.
pub fn bytes(text: &str) -> Option<u64> {
    let bytes = parse_quantity(text)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates, and quantities have no sign here
    Some(bytes.ceil() as u64)
}

/// A duration as Go writes it, such as `1m30s`.
pub(crate) fn duration(text: &str) -> Result<(), Unfit> {
    if parse_duration(text).is_some() {
        return Ok(());
    }
    let unfit = Unfit::new("it is not a number with a unit");
    Err(if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
        unfit.help(format!("write `{text}s` for seconds"))
    } else {
        unfit.help("such as `30s`, `1m30s` or `2h`")
    })
}

/// Seconds that a duration stands for.
pub(crate) fn parse_duration(text: &str) -> Option<f64> {
    sum_of_parts(text, &[("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)])
}

fn sum_of_parts(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest.get(..end)?.parse().ok()?;
        rest = rest.get(end..)?;
        let (unit, factor) = units.iter().find(|(unit, _)| rest.starts_with(unit))?;
        rest = rest.get(unit.len()..)?;
        seconds += number * factor;
    }
    (!text.is_empty()).then_some(seconds)
}

/// A share such as `25%`, from one to all.
pub(crate) fn percentage(text: &str) -> Result<(), Unfit> {
    if parse_percentage(text).is_some() {
        return Ok(());
    }
    let unfit = Unfit::new("it is not a whole number from 1 to 100 with a percent sign");
    Err(unfit.instead(text, &format!("{}%", text.trim().trim_end_matches('%').trim()), percentage))
}

/// So many of a hundred.
pub(crate) fn parse_percentage(text: &str) -> Option<u32> {
    let digits = text.strip_suffix('%')?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|share| is_plain && (1..=100).contains(share))
}

/// A range of ports, such as `30000-32767`.
pub(crate) fn port_range(text: &str) -> Result<(), Unfit> {
    parse_port_range(text)
        .map(drop)
        .ok_or_else(|| Unfit::new("it is not of the form FIRST-LAST, from 1 to 65535").help("such as `30000-32767`"))
}

/// First and last port of a range.
pub(crate) fn parse_port_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-')?;
    let port = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
    let (first, last) = (port(first)?, port(last)?);
    (first > 0 && first <= last).then_some((first, last))
}

/// A SHA-256 digest: 64 hex digits in lower case.
pub(crate) fn sha256(text: &str) -> Result<(), Unfit> {
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if text.len() == 64 && hex {
        return Ok(());
    }
    Err(Unfit::new("it is not 64 hex digits in lower case").help("`sha256sum FILE` prints it"))
}

/// Seconds that a duration stands for as Go reads it: with a sign, and units down to nanoseconds.
pub(crate) fn parse_go_duration(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("\u{b5}s", 1e-6),
        ("\u{3bc}s", 1e-6),
        ("ms", 0.001),
        ("h", 3600.0),
        ("m", 60.0),
        ("s", 1.0),
    ];
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    if bare == "0" {
        return Some(0.0);
    }
    sum_of_parts(bare, &UNITS).map(|seconds| sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::assert_format;

    #[test]
    fn quantities_are_kubernetes_quantities() {
        assert_format(
            quantity,
            &["1", "0.5", "100m", "2Gi", "512Mi", "1e3", "2E", "1500u"],
            &["", "2GB", "2 Gi", "Gi", "-1", "1.", ".5", "1mm"],
        );
        assert_eq!(quantity("2GiB").unwrap_err().help.as_deref(), Some("write `2Gi`"));
        assert_eq!(bytes("2Ki"), Some(2048));
        assert_eq!(bytes("x"), None);
        assert_eq!(["3", "3000m", "3e0", "3E0", "3000000u", "3000000000n"].map(parse_quantity), [Some(3.0); 6]);
    }

    #[test]
    fn durations_need_units() {
        assert_format(duration, &["30s", "1m30s", "2h", "1.5h", "100ms"], &["", "30", "s", "1m30", "1d", "..s"]);
        assert_eq!(duration("30").unwrap_err().help.as_deref(), Some("write `30s` for seconds"));
        assert_eq!(parse_duration("1m30s"), Some(90.0));
        assert_eq!(parse_duration("-1s"), None);
        assert_eq!(["0", "-1m", "1ms", "5x"].map(parse_go_duration), [Some(0.0), Some(-60.0), Some(0.001), None]);
    }

    #[test]
    fn ranges_of_ports_go_upwards() {
        assert_format(port_range, &["30000-32767", "80-80"], &["", "30000", "32767-30000", "0-1", "1-65536", "+1-2"]);
    }

    #[test]
    fn digests_are_lower_case_hex() {
        assert_format(sha256, &[&"0f".repeat(32)], &["", "0f", &"0F".repeat(32), &"xy".repeat(32)]);
    }
}
