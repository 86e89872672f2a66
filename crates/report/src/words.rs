//! Numbers, durations and sizes as words.

use std::time::Duration;

/// `1 machine`, `2 machines`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A duration for people: `340 ms`, `12.3 s`, `4 min 05 s`.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    if millis < 1000 {
        format!("{millis} ms")
    } else if seconds < 60 {
        format!("{}.{} s", seconds, (millis % 1000) / 100)
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// A size for people, in binary units.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_plural() {
        assert_eq!((count(1, "machine"), count(0, "machine")), ("1 machine".into(), "0 machines".into()));
    }

    #[test]
    fn durations_are_as_fine_as_they_matter() {
        let texts = [340, 12_340, 245_000].map(|millis| duration(Duration::from_millis(millis)));
        assert_eq!(texts, ["340 ms", "12.3 s", "4 min 05 s"]);
    }

    #[test]
    fn sizes_use_binary_units() {
        assert_eq!([12, 1536, 5 << 30].map(size), ["12 B", "1.5 KiB", "5.0 GiB"]);
    }
}
