//! What was measured as text: lines while it is measured, the table, and the document around it.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Row;
use super::sample::{Sample, median};
use crate::workspace::output;

/// What stays the same in the document, whatever is measured.
const ABOUT: &str = include_str!("about.md");

/// One run of one row.
pub(super) fn line(row: &Row, sample: &Sample) -> String {
    let parts = parts(std::slice::from_ref(sample));
    let parts = if parts.is_empty() { parts } else { format!(" ({parts})") };
    format!("{} {:.2} {}{parts}", row.name, sample.value, row.unit)
}

/// Medians of all rows.
pub(super) fn table(rows: &[&Row], samples: &[Vec<Sample>]) -> String {
    let mut text =
        "| row | what | measured | budget | | each run | CPU-seconds | in detail |\n|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for (row, samples) in rows.iter().zip(samples) {
        let Row { name, about, budget, unit, .. } = row;
        let measured = median(samples.iter().map(|sample| sample.value));
        let cpu = median(samples.iter().map(|sample| sample.cpu_seconds));
        let verdict = if measured <= *budget { "met" } else { "missed" };
        let (each, parts) = (each(samples), parts(samples));
        let _ = writeln!(
            text,
            "| {name} | {about} | {measured:.2} {unit} | {budget} {unit} | {verdict} | {each} | {cpu:.2} | {parts} |"
        );
    }
    text
}

/// What every run gave, in the order of the runs: the slowest one counts too.
fn each(samples: &[Sample]) -> String {
    samples.iter().map(|sample| format!("{:.2}", sample.value)).collect::<Vec<_>>().join(", ")
}

/// Medians of the parts. All samples of a row have the same ones in the same order.
fn parts(samples: &[Sample]) -> String {
    let first = samples.first().map(|sample| sample.parts.as_slice()).unwrap_or_default();
    let part = |(index, (what, _)): (usize, &(&str, f64))| {
        let values = samples.iter().filter_map(|sample| sample.parts.get(index)).map(|(_, value)| *value);
        what.replace("{}", &shown(median(values)))
    };
    first.iter().enumerate().map(part).collect::<Vec<_>>().join(", ")
}

/// Small values with two digits behind the point, others with one.
fn shown(value: f64) -> String {
    if value < 2.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

/// The whole document.
pub(super) fn document(table: &str, runs: usize) -> Result<String> {
    let date = output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let kernel = output(Command::new("uname").args(["-sr"]))?;
    let memory = std::fs::read_to_string("/proc/meminfo").context("cannot read /proc/meminfo")?;
    let kibibytes = memory.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or_default();
    let processors = std::fs::read_to_string("/proc/cpuinfo").context("cannot read /proc/cpuinfo")?;
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench --write` on {}. Medians of {runs} interleaved runs on {cores} cores{}, \
         {} GiB of memory, {}.\n\n{table}\n{ABOUT}",
        date.trim(),
        model(&processors).map(|model| format!(" ({model})")).unwrap_or_default(),
        kibibytes.div_ceil(1024 * 1024),
        kernel.trim(),
    ))
}

/// What the processor calls itself; some don't.
fn model(processors: &str) -> Option<&str> {
    let line = processors.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim()).filter(|name| !name.is_empty() && *name != "unknown")
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn row(budget: f64) -> Row {
        Row { name: "a", about: "b", budget, unit: "ms", measure: |_| bail!("not measured") }
    }

    #[test]
    fn a_table_tells_medians_and_whether_the_budget_is_met() {
        let samples = [1.0, 90.0, 2.0].map(|value| Sample::new(value, 0.5).with("half {}", value / 2.0)).to_vec();
        let text = table(&[&row(2.0), &row(1.9)], &[samples.clone(), samples]);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| a | b | 2.00 ms | 2 ms | met | 1.00, 90.00, 2.00 | 0.50 | half 1.00 |",
                "| a | b | 2.00 ms | 1.9 ms | missed | 1.00, 90.00, 2.00 | 0.50 | half 1.00 |"
            ]
        );
    }

    #[test]
    fn parts_stand_behind_the_value() {
        let sample = Sample::new(2.0, 0.5);
        assert_eq!(line(&row(1.0), &sample), "a 2.00 ms");
        assert_eq!(line(&row(1.0), &sample.with("x {}", 1.0).with("{} y", 2.0)), "a 2.00 ms (x 1.00, 2.0 y)");
    }

    #[test]
    fn a_processor_without_a_name_has_none() {
        assert_eq!(model("processor : 0\nmodel name\t: Some CPU\n"), Some("Some CPU"));
        assert_eq!(model("model name\t: unknown\n"), None);
    }
}
