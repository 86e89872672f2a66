//! How far a transfer is, how fast, and how long it will still take.

use std::time::{Duration, Instant};

use super::TransferError;
use crate::Task;

/// How often progress is said.
const EVERY: Duration = Duration::from_millis(250);

/// One attempt to transfer a file.
pub(super) struct Progress<'a> {
    task: &'a Task,
    host: String,
    from: u64,
    done: u64,
    size: Option<u64>,
    began: Instant,
    said: Option<Instant>,
}

impl<'a> Progress<'a> {
    /// An attempt that begins behind `from` bytes of `size`.
    pub(super) fn new(task: &'a Task, address: &str, from: u64, size: Option<u64>) -> Self {
        let host = host(address).to_owned();
        Self { task, host, from, done: from, size, began: Instant::now(), said: None }
    }

    /// More bytes have come.
    pub(super) fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        if self.said.is_none_or(|said| said.elapsed() >= EVERY) {
            self.said = Some(Instant::now());
            let speed = speed(self.done - self.from, self.began.elapsed());
            let left = self.size.map(|size| size.saturating_sub(self.done));
            self.task.progress(self.done, self.size, describe(&self.host, speed, left));
        }
    }

    /// Nothing more comes: is it all?
    pub(super) fn check_end(&self) -> Result<(), TransferError> {
        match self.size {
            Some(size) if self.done < size => {
                let why = format!("the connection ended after {} of {size} bytes", self.done);
                Err(TransferError::Temporary { why, after: None })
            }
            Some(size) if self.done > size => Err(TransferError::Changed),
            _ => Ok(()),
        }
    }
}

/// The host of an address, with or without a scheme.
pub(crate) fn host(address: &str) -> &str {
    let plain = address.split_once("://").map_or(address, |(_, rest)| rest);
    plain.split('/').next().unwrap_or(plain)
}

/// Bytes per second; `None` before there is anything to tell.
fn speed(bytes: u64, time: Duration) -> Option<u64> {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    (millis >= 200).then(|| bytes.saturating_mul(1000) / millis).filter(|speed| *speed > 0)
}

fn describe(host: &str, speed: Option<u64>, left: Option<u64>) -> String {
    let Some(speed) = speed else { return format!("downloading from {host}") };
    let rate = format!("{}.{} MB/s", speed / 1_000_000, speed / 100_000 % 10);
    match left {
        Some(left) => format!("downloading from {host}, {rate}, {} s left", left.div_ceil(speed)),
        None => format!("downloading from {host}, {rate}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_told_once_they_are_known() {
        assert_eq!(describe("dl.k8s.io", None, Some(9)), "downloading from dl.k8s.io");
        let speed = speed(2_500_000, Duration::from_secs(1));
        assert_eq!(describe("dl.k8s.io", speed, Some(5_000_001)), "downloading from dl.k8s.io, 2.5 MB/s, 3 s left");
        assert_eq!(describe("dl.k8s.io", speed, None), "downloading from dl.k8s.io, 2.5 MB/s");
    }

    #[test]
    fn an_address_is_cut_down_to_its_host() {
        assert_eq!(host("https://dl.k8s.io/release"), "dl.k8s.io");
        assert_eq!(host("registry.k8s.io/pause:3"), "registry.k8s.io");
    }
}
