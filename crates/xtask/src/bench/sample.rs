//! One measurement, medians of many, and the processor time that programs took.

use anyhow::{Context as _, Result};

/// What one run of one row gave.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// In the row's unit.
    pub(super) value: f64,
    /// Processor time of the programs that were run.
    pub(super) cpu_seconds: f64,
    /// What else was seen: words with `{}` for the value.
    pub(super) parts: Vec<(&'static str, f64)>,
}

impl Sample {
    /// A sample without parts.
    pub(super) fn new(value: f64, cpu_seconds: f64) -> Self {
        Self { value, cpu_seconds, parts: Vec::new() }
    }

    /// The same with one more part.
    #[must_use]
    pub(super) fn with(mut self, what: &'static str, value: f64) -> Self {
        self.parts.push((what, value));
        self
    }
}

/// The middle of all values; of an even number, the mean of the two in the middle.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

/// Processor time of all children that have ended, in seconds.
pub(super) fn children_cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    cpu_of(&stat, CHILDREN).context("/proc/self/stat is not as proc(5) says")
}

/// Processor time of a process that runs, with that of its children that have ended, in seconds.
pub(super) fn own_cpu(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let both = cpu_of(&stat, OWN).zip(cpu_of(&stat, CHILDREN)).map(|(own, children)| own + children);
    both.with_context(|| format!("{path} is not as proc(5) says"))
}

/// Where `utime` and `stime` are, counted from the field after the name.
const OWN: usize = 11;
/// Where `cutime` and `cstime` are.
const CHILDREN: usize = 13;

/// Two times of a stat line. They count in ticks, which are hundredths of a second wherever Linux runs.
fn cpu_of(stat: &str, first: usize) -> Option<f64> {
    // The name is in parentheses and may hold anything; after it comes the third field.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(first);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(f64::from(ticks()? + ticks()?) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert!((median([9.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 9.0]) - 3.0).abs() < 1e-9);
        assert!(median([]).is_nan());
    }

    #[test]
    fn processor_time_of_children_is_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 150 50 20";
        assert!((cpu_of(stat, CHILDREN).unwrap() - 2.0).abs() < 1e-9);
        assert!((cpu_of(stat, OWN).unwrap() - 0.23).abs() < 1e-9);
        assert_eq!(cpu_of("7 (a) S 1", CHILDREN), None);
    }
}
