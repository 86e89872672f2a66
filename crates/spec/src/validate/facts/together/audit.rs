//! Extra flags about the log of requests, and about a service that is told of them: looked at where there is such a thing
//! (`AuditOptions.Validate`).

use super::super::values;
use super::{Clash, Setting, number};

/// Who is told of requests, and its defaults.
struct Backend {
    name: &'static str,
    /// Waits for several requests, and tells of them at once.
    batches: bool,
    /// Limits how many batches there are in a second.
    throttles: bool,
    batch: i128,
}

const LOG: Backend = Backend { name: "log", batches: false, throttles: false, batch: 1 };
const SERVICE: Backend = Backend { name: "webhook", batches: true, throttles: true, batch: 400 };

const MODES: [&str; 3] = ["batch", "blocking", "blocking-strict"];

pub(super) fn check(setting: &Setting<'_>) -> Vec<Clash> {
    let is_given = setting.arguments.get("audit-webhook-config-file").is_some_and(|file| !file.is_empty());
    let told = [(LOG, setting.audits), (SERVICE, is_given)];
    told.into_iter().filter(|(_, is_told)| *is_told).flat_map(|(backend, _)| backend.check(setting)).collect()
}

impl Backend {
    fn check(&self, setting: &Setting<'_>) -> Vec<Clash> {
        let mut clashes = self.words(setting);
        let flag = |of: &str| format!("audit-{}-{of}", self.name);
        let mode = setting.arguments.get(&flag("mode")).map(String::as_str);
        if mode.map_or(self.batches, |mode| mode == "batch") {
            clashes.extend(self.sizes(setting));
        }
        let of = |name: &str, default| number(setting.arguments, &flag(name), default);
        let (event, batch) = (of("truncate-max-event-size", 100 << 10), of("truncate-max-batch-size", 10 << 20));
        let at = |names: [&str; 2]| {
            let given = names.into_iter().map(flag).find(|flag| setting.arguments.contains_key(flag));
            given.unwrap_or_else(|| flag(names[0]))
        };
        if event <= 0 {
            let message = format!("events of {event} bytes hold nothing");
            clashes.push(Clash::new(flag("truncate-max-event-size"), message, "write 1 or more"));
        } else if batch < event {
            let message = format!("a batch of {batch} bytes does not hold an event of {event}");
            let flag = at(["truncate-max-batch-size", "truncate-max-event-size"]);
            clashes.push(Clash::new(flag, message, "make the batch as large as an event, or larger"));
        }
        clashes
    }

    /// Flags that take one of some words.
    fn words(&self, setting: &Setting<'_>) -> Vec<Clash> {
        let formats: &[&str] = if self.name == "log" { &["legacy", "json"] } else { &[] };
        let words = [
            ("mode", &MODES[..], "one of `batch`, `blocking`, `blocking-strict`"),
            ("version", &["audit.k8s.io/v1"], "write `audit.k8s.io/v1`, or remove it"),
            ("format", formats, "write `json` or `legacy`"),
        ];
        let wrong = |(of, words, help): (&str, &[&str], &'static str)| {
            let flag = format!("audit-{}-{of}", self.name);
            let value = setting.arguments.get(&flag).filter(|value| !words.contains(&value.as_str()))?;
            let message = format!("kube-apiserver does not start with `{flag}: {value}`");
            Some(Clash::new(flag, message, help))
        };
        words.into_iter().filter(|(_, words, _)| !words.is_empty()).filter_map(wrong).collect()
    }

    /// Sizes, which are looked at only where there are batches.
    fn sizes(&self, setting: &Setting<'_>) -> Option<Clash> {
        let flag = |of: &str| format!("audit-{}-batch-{of}", self.name);
        let enables = setting.arguments.get(&flag("throttle-enable")).and_then(|value| values::parse_bool(value));
        let rate = setting.arguments.get(&flag("throttle-qps")).and_then(|value| values::parse_fraction(value));
        // The log's own limits are 0.
        let (rate, burst) = if self.throttles { (rate.unwrap_or(10.0), 15) } else { (rate.unwrap_or(0.0), 0) };
        let is_throttled = enables.unwrap_or(self.throttles);
        let of = |name: &str, default| number(setting.arguments, &flag(name), default);
        let wrong = [
            ("buffer-size", of("buffer-size", 10_000) <= 0),
            ("max-size", of("max-size", self.batch) <= 0),
            ("throttle-qps", is_throttled && rate <= 0.0),
            ("throttle-burst", is_throttled && of("throttle-burst", burst) <= 0),
        ];
        let (of, _) = wrong.into_iter().find(|(_, is_wrong)| *is_wrong)?;
        let given = [of, "throttle-enable"].map(flag).into_iter().find(|flag| setting.arguments.contains_key(flag))?;
        let message = format!("kube-apiserver does not start with `{}` at 0 or less where it batches", flag(of));
        let help = if given == flag(of) {
            "write 1 or more".to_owned()
        } else {
            format!("set `{}` and `{}`, or remove it", flag("throttle-qps"), flag("throttle-burst"))
        };
        Some(Clash::new(given, message, help))
    }
}
