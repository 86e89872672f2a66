//! `cargo xtask bench`: budgets and what is measured against them, medians of interleaved runs.

mod rows;
mod sample;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use self::sample::Sample;
use crate::workspace::{cargo, output, root, target};

/// One budget.
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is measured.
    pub(crate) about: &'static str,
    /// The most that may be measured, in `unit`.
    budget: f64,
    unit: &'static str,
    measure: fn(&Bench) -> Result<Sample>,
}

/// All of them.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "get-clusters",
        about: "`get clusters` of an empty store",
        budget: 50.0,
        unit: "ms",
        measure: rows::get_clusters,
    },
    Row { name: "binary", about: "size of the released program", budget: 60.0, unit: "MB", measure: rows::binary_size },
];

/// How to measure.
pub(crate) struct Wish {
    /// Rows to measure; none stands for all.
    pub(crate) only: Vec<String>,
    /// How often each.
    pub(crate) runs: usize,
    /// Put the table into the documents.
    pub(crate) write: bool,
}

/// What is measured.
struct Bench {
    /// The program as it is released.
    program: PathBuf,
}

/// Measures, and prints the table. A missed budget is told, and is no error.
pub(crate) fn run(wish: &Wish) -> Result<()> {
    if let Some(unknown) = wish.only.iter().find(|name| !ROWS.iter().any(|row| row.name == **name)) {
        bail!("there is no row {unknown}; see: cargo xtask bench --list");
    }
    if wish.runs == 0 {
        bail!("--runs must be at least 1");
    }
    let is_partial = ROWS.iter().any(|row| !is_wanted(row, &wish.only));
    if wish.write && is_partial {
        bail!("--write needs all rows: the table would lose the others");
    }
    cargo(&["build", "--release", "--quiet", "-p", "cli"])?;
    let bench = Bench { program: target().join("release/kubewright") };
    let rows: Vec<&Row> = ROWS.iter().filter(|row| is_wanted(row, &wish.only)).collect();
    let mut samples: Vec<Vec<Sample>> = rows.iter().map(|_| Vec::new()).collect();
    // Interleaved: what else the machine does then falls on all rows alike.
    for number in 1..=wish.runs {
        for (row, samples) in rows.iter().zip(&mut samples) {
            let sample = (row.measure)(&bench).with_context(|| format!("row {}", row.name))?;
            println!("run {number} of {}: {} {:.1} {}", wish.runs, row.name, sample.value, row.unit);
            samples.push(sample);
        }
    }
    let text = table(&rows, &samples);
    println!("\n{text}");
    if wish.write {
        let path = root().join("docs/benchmarks.md");
        std::fs::write(&path, document(&text, wish.runs)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn is_wanted(row: &Row, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|name| name == row.name)
}

fn table(rows: &[&Row], samples: &[Vec<Sample>]) -> String {
    let mut text = "| row | what | measured | budget | | CPU-seconds |\n|---|---|---|---|---|---|\n".to_owned();
    for (row, samples) in rows.iter().zip(samples) {
        let Row { name, about, budget, unit, .. } = row;
        let measured = sample::median(samples.iter().map(|sample| sample.value));
        let cpu = sample::median(samples.iter().map(|sample| sample.cpu_seconds));
        let verdict = if measured <= *budget { "met" } else { "missed" };
        let _ = writeln!(text, "| {name} | {about} | {measured:.1} {unit} | {budget} {unit} | {verdict} | {cpu:.2} |");
    }
    text
}

fn document(table: &str, runs: usize) -> Result<String> {
    let date = output(std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let kibibytes = memory.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench --write` on {}, on {cores} cores and {} GiB of memory. Medians of {runs} \
         interleaved runs.\n\n{table}",
        date.trim(),
        kibibytes / 1024 / 1024
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_medians_and_whether_the_budget_is_met() {
        let row = |budget| Row { name: "a", about: "b", budget, unit: "ms", measure: |_| bail!("not measured") };
        let samples = [1.0, 90.0, 2.0].map(|value| Sample { value, cpu_seconds: 0.5 }).to_vec();
        let text = table(&[&row(2.0), &row(1.9)], &[samples.clone(), samples]);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines, ["| a | b | 2.0 ms | 2 ms | met | 0.50 |", "| a | b | 2.0 ms | 1.9 ms | missed | 0.50 |"]);
    }
}
