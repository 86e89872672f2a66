//! Whether creations take the same time every time: ten in a row, each told with the wait that was its longest.

use anyhow::Result;

use super::Bench;
use super::create;
use super::sample::{Sample, median};

/// How many creations.
const CREATIONS: usize = 10;

/// The slowest creation of one control plane and two workers, as a multiple of the median.
pub(super) fn creations(bench: &Bench) -> Result<Sample> {
    bench.prepare_clusters()?;
    let (mut seconds, mut cpu_seconds) = (Vec::new(), 0.0);
    for number in 1..=CREATIONS {
        let took = create::kubewright(bench, 1, 2)?;
        println!("creation {number} of {CREATIONS}: {:.1} s; its longest waits: {}", took.seconds, took.longest);
        seconds.push(took.seconds);
        cpu_seconds += took.cpu_seconds;
    }
    let (middle, slowest) = (median(seconds.iter().copied()), seconds.iter().copied().fold(0.0, f64::max));
    let each = f64::from(u32::try_from(CREATIONS)?);
    Ok(Sample::new(slowest / middle, cpu_seconds / each).with("median {} s", middle).with("slowest {} s", slowest))
}

/// The longest waits that a creation told of, from its log: lines such as `✓ [3/9] create machine/a/b 1.2 s`.
pub(super) fn longest(log: &str) -> String {
    let mut waits: Vec<(f64, &str)> = log.lines().filter_map(wait).collect();
    waits.sort_by(|one, other| other.0.total_cmp(&one.0));
    waits.truncate(3);
    waits.iter().map(|(seconds, what)| format!("{what} {seconds:.1} s")).collect::<Vec<_>>().join(", ")
}

/// What a line says has ended, and after how many seconds. The run as a whole is no wait.
fn wait(line: &str) -> Option<(f64, &str)> {
    let line = line.trim().strip_prefix("✓ ")?;
    let what = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(line, |(_, what)| what);
    let (rest, unit) = what.rsplit_once(' ')?;
    let (what, number) = rest.rsplit_once(' ')?;
    let scale = match unit {
        "s" => 1.0,
        "ms" => 0.001,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * scale;
    (what != "run").then_some((seconds, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_waits_of_a_creation_are_told_and_the_whole_run_is_none() {
        let log = "  create node/w-1: waiting\n  ✓ [81/86] create node-bootstrap/worker-1 4.1 s\n  ✓ [1/86] create a 90 ms\n\
                   ✓ run 17.1 s\n✓ cluster DNS answers on every machine 14.4 s\n✓ nodes and system pods ready 357 ms\n";
        assert_eq!(
            longest(log),
            "cluster DNS answers on every machine 14.4 s, create node-bootstrap/worker-1 4.1 s, nodes and system pods ready 0.4 s"
        );
        assert_eq!(longest("nothing\n"), "");
    }
}
