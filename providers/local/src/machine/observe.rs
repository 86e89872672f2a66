//! Looks at a machine and shows it in the shape of its inputs.

use std::collections::BTreeMap;

use resource::Observation;
use serde_json::{Value, json};

use super::record::{self, Record};
use super::{Home, boot_files, process};
use crate::LocalError;
use crate::cgroup::{self, Limits};

/// Fields whose contents are keys, with their files.
const KEYS: [(&str, &str); 3] = [
    ("hostKey", boot_files::HOST_KEY),
    ("hostKeyPublic", boot_files::HOST_KEY_PUBLIC),
    ("authorizedKey", boot_files::AUTHORIZED_KEYS),
];

/// What is wanted of a machine, as far as looking at it needs to know.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Desired inputs, references unresolved; recorded ones where it is no longer wanted.
    pub inputs: Value,
    /// Our own record knows it.
    pub recorded: bool,
    /// It is to go.
    pub unwanted: bool,
    /// Texts of the key fields that could be resolved.
    pub keys: Keys,
}

/// Keyed digest of a secret content, hex.
pub(crate) type DigestSecret = Box<dyn Fn(&[u8]) -> String + Send + Sync>;

/// Texts of the key fields by field name, with a function that digests another content for showing.
#[derive(Default)]
pub(crate) struct Keys {
    /// Text by field name. May be secret, so there is no `Debug`.
    pub texts: BTreeMap<String, String>,
    /// Keyed digest of a secret content, hex.
    pub digest_secret: Option<DigestSecret>,
}

/// Looks at one machine.
pub(crate) fn observe(home: &Home, wanted: &Wanted, layout: &cgroup::Layout) -> Observation {
    match home.directory().try_exists() {
        Ok(true) => {}
        Ok(false) => return Observation::Absent,
        Err(error) => return Observation::unknown(error.to_string()),
    }
    let record = match record::read(home) {
        Ok(Some(record)) => record,
        // Its making was interrupted at its very beginning, or somebody else put it there.
        Ok(None) if wanted.recorded || !home.has_data() => Record::new("", &Value::Null),
        Ok(None) => return Observation::unknown(unmarked(home)),
        // Whose it is our own record says, and nothing else is needed to take it away.
        Err(LocalError::Unreadable { .. }) if wanted.recorded && wanted.unwanted => Record::new("", &Value::Null),
        Err(LocalError::Unreadable { what, source }) => return Observation::unknown(damaged(&what, &source)),
        Err(error) => return Observation::unknown(error.to_string()),
    };
    match foreign(&record.inputs, wanted) {
        Some(Foreign::Other(lineage)) => {
            return Observation::unknown(format!("it belongs to another cluster of this name (lineage {lineage})"));
        }
        Some(Foreign::Unmarked) if home.has_data() => return Observation::unknown(unmarked(home)),
        _ => {}
    }
    let running = match process::find(home) {
        Ok(supervisor) => supervisor.is_some(),
        Err(error) => return Observation::unknown(error.to_string()),
    };
    let found = Found {
        running,
        limits: running.then(|| cgroup::limits(layout, &home.owner, &home.name)),
        files: read_files(home),
    };
    Observation::present(attributes(wanted, &record.inputs, &found))
}

/// Whose a machine is, when it is not the wanted one.
#[derive(Debug, PartialEq, Eq)]
enum Foreign {
    /// It was made for another state's cluster of the same name.
    Other(String),
    /// It names no state, as those do that release 0.1 made, and our record does not know it.
    Unmarked,
}

fn foreign(made: &Value, wanted: &Wanted) -> Option<Foreign> {
    let lineage = |inputs: &Value| inputs.get("lineage").and_then(Value::as_str).map(str::to_owned);
    let ours = lineage(&wanted.inputs)?;
    match lineage(made) {
        Some(made) => (made != ours).then_some(Foreign::Other(made)),
        None => (!wanted.recorded).then_some(Foreign::Unmarked),
    }
}

fn damaged(what: &str, source: &serde_json::Error) -> String {
    format!("cannot understand {what} ({source}), and only that says what the machine was made from; deleting it helps")
}

fn unmarked(home: &Home) -> String {
    format!("somebody's data is in {}, and it does not say whose", home.directory().display())
}

/// The other state that a machine was made for; `None` where it is of this lineage, or says nothing.
pub(crate) fn other_lineage(home: &Home, lineage: &str) -> Option<String> {
    let record = record::read(home).ok()??;
    let made = record.inputs.get("lineage")?.as_str()?;
    (made != lineage).then(|| made.to_owned())
}

/// The public host key that a machine was last given.
pub(crate) fn host_key(home: &Home) -> Option<String> {
    let text = fs_err::read_to_string(home.upper().join(boot_files::HOST_KEY_PUBLIC)).ok()?;
    Some(text.trim().to_owned())
}

fn read_files(home: &Home) -> BTreeMap<&'static str, String> {
    let upper = home.upper();
    let paths =
        KEYS.iter().map(|(_, file)| *file).chain([boot_files::HOSTNAME, boot_files::NETWORK, boot_files::RESOLVERS]);
    paths.filter_map(|file| Some((file, fs_err::read_to_string(upper.join(file)).ok()?))).collect()
}

/// What was found of a machine.
struct Found {
    running: bool,
    /// Limits of a running machine.
    limits: Option<Limits>,
    /// Contents of files, by path.
    files: BTreeMap<&'static str, String>,
}

/// The machine in the shape of its inputs: as it was made, with everything that can be looked at as it is now.
fn attributes(wanted: &Wanted, made: &Value, found: &Found) -> Value {
    let mut shown = made.as_object().cloned().unwrap_or_default();
    let file = |path: &str| found.files.get(path).map(String::as_str);
    set(&mut shown, "hostname", file(boot_files::HOSTNAME).map(|name| json!(name.trim())));
    let network = file(boot_files::NETWORK).map(read_network).unwrap_or_default();
    for field in ["address", "prefixLength", "gateway"] {
        set(&mut shown, field, network.get(field).cloned());
    }
    // Who does not name any leaves them to the host.
    if wanted.inputs.get("resolvers").is_some() {
        set(&mut shown, "resolvers", file(boot_files::RESOLVERS).map(|text| json!(read_resolvers(text))));
    }
    for (field, path) in KEYS {
        set(&mut shown, field, file(path).map(|content| key(field, content, wanted, made)));
    }
    if let Some(limits) = found.limits {
        limit(&mut shown, "memory", limits.memory, |wanted| wanted / PAGE * PAGE);
        limit(&mut shown, "milliCpus", limits.milli_cpus, |wanted| wanted);
    }
    // Who does not ask whether it runs is told only that it doesn't.
    if !found.running || wanted.inputs.get("running").is_some() {
        shown.insert("running".into(), json!(found.running));
    } else {
        shown.remove("running");
    }
    Value::Object(shown)
}

/// Limits of memory are whole pages.
const PAGE: u64 = 4096;

fn set(shown: &mut serde_json::Map<String, Value>, field: &str, value: Option<Value>) {
    match value {
        Some(value) => shown.insert(field.to_owned(), value),
        None => shown.remove(field),
    };
}

/// Shows a limit as it is in force, as it was asked for where both mean the same.
fn limit(shown: &mut serde_json::Map<String, Value>, field: &str, now: Option<u64>, rounded: fn(u64) -> u64) {
    let made = shown.get(field).and_then(Value::as_u64);
    if made.map(rounded) != now {
        set(shown, field, now.map(|now| json!(now)));
    }
}

/// A key that is the wanted one shows as what was wanted (a reference), another one as its digest.
fn key(field: &str, content: &str, wanted: &Wanted, made: &Value) -> Value {
    let asked = wanted.inputs.get(field).or_else(|| made.get(field)).cloned().unwrap_or_default();
    match wanted.keys.texts.get(field) {
        Some(text) if boot_files::line(text) != content => match (&wanted.keys.digest_secret, field) {
            (Some(digest), "hostKey") => json!(format!("hmac:{}", digest(content.as_bytes()))),
            (None, "hostKey") => json!("hmac:"),
            _ => json!(format!("sha256:{}", resource::Digest::of_bytes(content.as_bytes()))),
        },
        // A reference that cannot be resolved yet is judged by the one that the machine was made with.
        None => made.get(field).cloned().unwrap_or_default(),
        Some(_) => asked,
    }
}

fn read_resolvers(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("nameserver ")).collect()
}

fn read_network(text: &str) -> BTreeMap<&'static str, Value> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        match line.split_once('=') {
            Some(("ADDRESS", value)) => {
                let (address, prefix) = value.split_once('/').unwrap_or((value, ""));
                found.insert("address", json!(address));
                if let Ok(prefix) = prefix.parse::<u8>() {
                    found.insert("prefixLength", json!(prefix));
                }
            }
            Some(("GATEWAY", value)) => {
                found.insert("gateway", json!(value));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::machine;
    use super::*;

    fn wanted() -> Wanted {
        let mut inputs = machine().unresolved;
        let mut texts = BTreeMap::new();
        for (field, _) in KEYS {
            texts.insert(field.to_owned(), format!("text of {field}"));
            inputs[field] = json!({"$ref": format!("ssh-key/cp-1#{field}")});
        }
        let keys = Keys { texts, digest_secret: Some(Box::new(|_| "d".into())) };
        Wanted { inputs, recorded: true, unwanted: false, keys }
    }

    fn found() -> Found {
        let mut files = BTreeMap::from([
            (boot_files::HOSTNAME, "cp-1\n".to_owned()),
            (boot_files::NETWORK, "ADDRESS=10.88.0.11/24\nGATEWAY=10.88.0.1\n".to_owned()),
        ]);
        for (field, file) in KEYS {
            files.insert(file, format!("text of {field}\n"));
        }
        Found { running: true, limits: Some(Limits::default()), files }
    }

    #[test]
    fn a_machine_as_desired_shows_equal_json() {
        let wanted = wanted();
        assert_eq!(attributes(&wanted, &wanted.inputs, &found()), wanted.inputs);
    }

    #[test]
    fn a_machine_that_does_not_run_differs_in_that_alone() {
        let wanted = wanted();
        let mut expected = wanted.inputs.clone();
        expected["running"] = json!(false);
        let found = Found { running: false, limits: None, ..found() };
        assert_eq!(attributes(&wanted, &wanted.inputs, &found), expected);
    }

    #[test]
    fn other_contents_show_as_digests_and_secret_ones_keyed() {
        let wanted = wanted();
        let mut found = found();
        found.files.insert(boot_files::HOST_KEY, "other".into());
        found.files.insert(boot_files::AUTHORIZED_KEYS, "other".into());
        found.files.remove(boot_files::HOST_KEY_PUBLIC);
        let shown = attributes(&wanted, &wanted.inputs, &found);
        assert_eq!(shown["hostKey"], "hmac:d");
        assert!(shown["authorizedKey"].as_str().unwrap().starts_with("sha256:"));
        assert_eq!(shown.get("hostKeyPublic"), None);
        assert!(!shown.to_string().contains("other"));
    }

    #[test]
    fn hostname_address_and_limits_show_as_they_are() {
        let mut wanted = wanted();
        wanted.inputs["memory"] = json!(1_000_000_001u64);
        let mut found = found();
        found.files.insert(boot_files::HOSTNAME, "other\n".into());
        found.files.insert(boot_files::NETWORK, "ADDRESS=10.88.0.12/24\n".into());
        found.limits = Some(Limits { memory: Some(512 << 20), milli_cpus: Some(500) });
        let shown = attributes(&wanted, &wanted.inputs, &found);
        assert_eq!((&shown["hostname"], &shown["address"]), (&json!("other"), &json!("10.88.0.12")));
        assert_eq!(shown.get("gateway"), None);
        assert_eq!((&shown["memory"], &shown["milliCpus"]), (&json!(512 << 20), &json!(500)));
        found.limits = Some(Limits { memory: Some(1_000_000_001 / PAGE * PAGE), milli_cpus: None });
        assert_eq!(attributes(&wanted, &wanted.inputs, &found)["memory"], json!(1_000_000_001u64));
    }

    #[test]
    fn resolvers_show_as_they_are_to_whom_asks_for_some() {
        let mut wanted = wanted();
        let mut found = found();
        found.files.insert(boot_files::RESOLVERS, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n".into());
        assert_eq!(attributes(&wanted, &wanted.inputs, &found), wanted.inputs);
        wanted.inputs["resolvers"] = json!(["192.0.2.1"]);
        let shown = attributes(&wanted, &wanted.inputs, &found);
        assert_eq!(shown["resolvers"], json!(["192.0.2.1", "192.0.2.2"]));
    }

    #[test]
    fn a_machine_of_another_lineage_is_not_taken_for_the_wanted_one() {
        let of = |lineage: &str| json!({"lineage": lineage});
        let wanted = |lineage: &str, recorded| Wanted { inputs: of(lineage), recorded, ..Wanted::default() };
        assert_eq!(foreign(&of("1"), &wanted("2", true)), Some(Foreign::Other("1".to_owned())));
        assert_eq!(foreign(&of("1"), &wanted("1", false)), None);
        assert_eq!(foreign(&json!({}), &wanted("1", true)), None, "release 0.1 made it, and it is recorded");
        assert_eq!(foreign(&json!({}), &wanted("1", false)), Some(Foreign::Unmarked));
    }

    fn home(root: &std::path::Path) -> Home {
        let home = Home::new(root, "dev", "cp-1");
        home.make().unwrap();
        home
    }

    fn observed(home: &Home, recorded: bool) -> Observation {
        let wanted = Wanted { inputs: json!({"lineage": "1"}), recorded, ..Wanted::default() };
        observe(home, &wanted, &cgroup::Layout::of_host().unwrap())
    }

    #[test]
    fn data_that_does_not_say_whose_it_is_is_ours_only_where_we_recorded_it() {
        let root = tempfile::tempdir().unwrap();
        let home = home(root.path());
        assert!(matches!(observed(&home, false), Observation::Present { .. }), "it was only begun");
        fs_err::create_dir_all(root.path().join("dev/cp-1/etcd/member/wal")).unwrap();
        let Observation::Unknown { why: reason, .. } = observed(&home, false) else { panic!("it is taken for ours") };
        assert!(reason.contains("somebody's data"), "{reason}");
        assert!(matches!(observed(&home, true), Observation::Present { .. }));
        record::begin(&home, "image", &Value::Null).unwrap();
        assert!(matches!(observed(&home, false), Observation::Unknown { .. }), "release 0.1 made it for somebody");
        record::begin(&home, "image", &json!("1")).unwrap();
        assert!(matches!(observed(&home, false), Observation::Present { .. }), "we began it");
    }

    #[test]
    fn a_recorded_machine_whose_record_is_damaged_can_be_deleted_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let home = home(root.path());
        let observed = |recorded, unwanted| {
            let wanted = Wanted { inputs: json!({"lineage": "1"}), recorded, unwanted, ..Wanted::default() };
            observe(&home, &wanted, &cgroup::Layout::of_host().unwrap())
        };
        for damage in ["", "{\"image\": \"ro", "\0\0\0"] {
            fs_err::write(home.record(), damage).unwrap();
            assert!(matches!(observed(true, true), Observation::Present { .. }), "{damage:?}");
            for (recorded, unwanted) in [(true, false), (false, true)] {
                let Observation::Unknown { why } = observed(recorded, unwanted) else { panic!("it is taken for ours") };
                assert!(why.contains("machine.json"), "{why}");
            }
        }
    }

    #[test]
    fn the_state_that_a_machine_was_made_for_is_found() {
        let root = tempfile::tempdir().unwrap();
        let home = home(root.path());
        assert_eq!(other_lineage(&home, "1"), None);
        record::begin(&home, "image", &json!("2")).unwrap();
        assert_eq!(other_lineage(&home, "1").as_deref(), Some("2"));
        assert_eq!(other_lineage(&home, "2"), None);
    }

    #[test]
    fn half_a_machine_is_present_and_differs() {
        let shown =
            attributes(&wanted(), &Value::Null, &Found { running: false, limits: None, files: BTreeMap::new() });
        assert_eq!(shown, json!({"running": false}));
    }
}
