//! How much memory Go's compilers may use, because what they save on collecting garbage is a quarter of their time.

use std::ffi::OsString;

use fs_err as fs;

/// With this much a compiler or linker hardly ever collects garbage; more would only be taken.
const PLENTY: u64 = 1 << 30;
/// With less than this the largest packages would collect all the time; Go's own way is better then.
const TOO_LITTLE: u64 = 512 << 20;

/// Variables that let Go's programs use the memory that this host has to spare.
pub(super) fn variables() -> Vec<(String, OsString)> {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, |processors| processors.get() as u64);
    limit(available(&meminfo), processors).map_or_else(Vec::new, |limit| {
        // Go collects garbage only when a process comes near the limit.
        vec![("GOGC".to_owned(), "off".into()), ("GOMEMLIMIT".to_owned(), format!("{limit}B").into())]
    })
}

/// Bytes for one of the programs, of which one runs on each processor; none where that is not enough.
fn limit(available: u64, processors: u64) -> Option<u64> {
    // A share for everything else that runs meanwhile.
    let share = available / (processors + 1);
    (share >= TOO_LITTLE).then_some(share.min(PLENTY))
}

/// Bytes that can be had without swapping; zero where Linux does not say.
fn available(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or_default().saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_shared_by_as_many_compilers_as_there_are_processors() {
        let gibibytes = |number: u64| number << 30;
        assert_eq!(limit(gibibytes(24), 2), Some(PLENTY));
        assert_eq!(limit(gibibytes(9) / 4, 2), Some(gibibytes(3) / 4));
        assert_eq!(limit(gibibytes(8), 16), None, "half a gibibyte each would not be left");
        assert_eq!(limit(0, 2), None);
    }

    #[test]
    fn linux_says_what_is_available() {
        assert_eq!(available("MemTotal:  100 kB\nMemAvailable:     42 kB\n"), 42 * 1024);
        assert_eq!(available("MemTotal:  100 kB\n"), 0);
    }
}
