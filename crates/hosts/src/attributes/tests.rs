//! Every kind of item, changed out of band: exactly its field differs.

use super::*;

fn inputs() -> Value {
    json!({
        "target": {"name": "w-1"},
        "lineage": "lineage-1",
        "config": {
            "group": {
                "packages": ["conntrack", "socat"],
                "kernelModules": ["br_netfilter", "overlay"],
                "sysctls": {"net.ipv4.ip_forward": "1"},
                "swapOff": true,
                "directories": {"/etc/kubernetes": {"mode": "0755"}},
                "files": {
                    "/etc/issue": {"content": {"text": "I am {{nodeName}}"}, "mode": "0644"},
                    "/usr/bin/kubelet": {"content": {"provided": {"asset": "kubelet@0"}}, "mode": "0755"},
                    "/usr/bin/runc":
                        {"content": {"uploaded": {"asset": "runc@0", "path": "/tmp/runc", "sha256": "00"}}, "mode": "0755"},
                },
                "units": {"kubelet.service": {"enabled": true, "start": "always"}},
            },
            "machine": {
                "nodeName": "w-1",
                "nodeIps": ["10.0.0.1"],
                "files": {"/etc/key": {"content": {"secret": "a2V5"}, "mode": "0600"}},
            },
        },
    })
}

const ITEMS: [&str; 12] = [
    "package/conntrack",
    "package/socat",
    "module/br_netfilter",
    "module/overlay",
    "sysctl/net.ipv4.ip_forward",
    "swap",
    "hostname",
    "directory//etc/kubernetes",
    "file//etc/issue",
    "file//usr/bin/kubelet",
    "file//usr/bin/runc",
    "unit/kubelet.service",
];

fn differs(fields: &[(&str, &str)]) -> ItemState {
    let fields = fields.iter().map(|(field, found)| ((*field).to_owned(), (*found).to_owned())).collect();
    ItemState::Differs { fields }
}

fn found(item: &str, state: ItemState) -> Found {
    let mut items: BTreeMap<String, ItemState> = ITEMS.iter().map(|&item| (item.to_owned(), ItemState::Same)).collect();
    items.insert("file//etc/key".to_owned(), ItemState::Same);
    items.insert(item.to_owned(), state);
    let facts = Facts { arch: "amd64".into(), ..Facts::default() };
    Found { items, exists: BTreeSet::new(), facts, member_serves: None }
}

fn question(inputs: &Value) -> ObserveQuery {
    ObserveQuery {
        config: serde_json::from_value(inputs["config"].clone()).unwrap(),
        waiting: BTreeMap::new(),
        unwanted: BTreeSet::new(),
    }
}

/// What a plan would say: path from → to, one line per field.
fn seen(item: &str, state: ItemState) -> Vec<String> {
    let inputs = inputs();
    let attributes = attributes(&inputs, None, &question(&inputs), &found(item, state)).unwrap();
    lines(&attributes, &inputs)
}

fn lines(attributes: &Value, inputs: &Value) -> Vec<String> {
    let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    plan::field_changes(&crate::schema::schemas()[0], attributes, inputs)
        .iter()
        .map(|change| format!("{}: {}", change.path[2..].join(" "), text(change.before.as_ref())))
        .collect()
}

#[test]
fn what_is_the_same_is_equal_json() {
    assert!(seen("swap", ItemState::Same).is_empty());
}

#[test]
fn what_is_missing_has_no_key() {
    let cases = [
        ("package/socat", r#"packages: ["conntrack"]"#),
        ("module/overlay", r#"kernelModules: ["br_netfilter"]"#),
        ("sysctl/net.ipv4.ip_forward", "sysctls net.ipv4.ip_forward: nothing"),
        ("directory//etc/kubernetes", "directories /etc/kubernetes: nothing"),
        ("file//etc/issue", "files /etc/issue: nothing"),
        ("file//usr/bin/kubelet", "files /usr/bin/kubelet: nothing"),
        ("file//etc/key", "files /etc/key: nothing"),
        ("unit/kubelet.service", "units kubelet.service: nothing"),
    ];
    for (item, line) in cases {
        assert_eq!(seen(item, ItemState::Missing), [line]);
    }
}

#[test]
fn every_field_that_differs_shows_what_was_found() {
    let cases = [
        ("package/socat", ("version", "1.0"), r#"packages: ["conntrack","socat (version: 1.0)"]"#),
        ("module/overlay", ("boot", "not set"), r#"kernelModules: ["br_netfilter","overlay (boot: not set)"]"#),
        ("sysctl/net.ipv4.ip_forward", ("value", "0"), r#"sysctls net.ipv4.ip_forward: "0""#),
        ("sysctl/net.ipv4.ip_forward", ("boot", "0"), r#"sysctls net.ipv4.ip_forward: "1 (next boot: 0)""#),
        ("swap", ("value", "on"), "swapOff: false"),
        ("hostname", ("value", "debian"), r#"nodeName: "debian""#),
        ("directory//etc/kubernetes", ("mode", "0700"), r#"directories /etc/kubernetes mode: "0700""#),
        ("directory//etc/kubernetes", ("owner", "7:0"), r#"directories /etc/kubernetes owner: "7:0""#),
        ("file//etc/issue", ("content", "sha256:ab"), r#"files /etc/issue content text: "sha256:ab""#),
        ("file//etc/issue", ("mode", "0600"), r#"files /etc/issue mode: "0600""#),
        ("file//usr/bin/kubelet", ("type", "symlink"), r#"files /usr/bin/kubelet type: "symlink""#),
        ("file//usr/bin/runc", ("content", "sha256:ab"), r#"files /usr/bin/runc content uploaded sha256: "ab""#),
        ("file//etc/key", ("content", "hmac:ab"), r#"files /etc/key content secret: "hmac:ab""#),
        ("unit/kubelet.service", ("enabled", "disabled"), r#"units kubelet.service enabled: "disabled""#),
        ("unit/kubelet.service", ("running", "inactive"), r#"units kubelet.service start: "inactive""#),
    ];
    for (item, field, line) in cases {
        assert_eq!(seen(item, differs(&[field])), [line], "{item}");
    }
}

#[test]
fn an_item_that_could_not_be_looked_at_makes_all_of_it_unknown() {
    let inputs = inputs();
    let found = found("file//etc/key", ItemState::Unknown { why: "EIO".into() });
    let why = attributes(&inputs, None, &question(&inputs), &found).unwrap_err();
    assert_eq!(why, "file//etc/key could not be looked at: EIO");
}

#[test]
fn an_item_that_the_agent_forgot_is_not_taken_for_the_same() {
    let inputs = inputs();
    let mut found = found("swap", ItemState::Same);
    found.items.remove("unit/kubelet.service");
    let why = attributes(&inputs, None, &question(&inputs), &found).unwrap_err();
    assert_eq!(why, "its agent says nothing about unit/kubelet.service");
}

#[test]
fn a_file_that_waits_for_its_content_differs_unless_it_is_written_only_once() {
    let reference = resource::Reference::new(resource::ResourceId::new("certificate", "w-1/x"), "key");
    let look = |create_only: bool, exists: bool| {
        let mut inputs = inputs();
        let file = json!({"content": {"secret": reference}, "mode": "0600", "createOnly": create_only});
        inputs["config"]["machine"]["files"]["/etc/new.key"] = file;
        let mut question = question(&self::inputs());
        question.waiting.insert("/etc/new.key".into(), reference.clone());
        let mut found = found("swap", ItemState::Same);
        found.exists.extend(exists.then(|| "/etc/new.key".to_owned()));
        lines(&attributes(&inputs, None, &question, &found).unwrap(), &inputs)
    };
    assert_eq!(look(false, true), [r#"files /etc/new.key content secret: "hmac:unknown""#]);
    assert_eq!(look(false, false), ["files /etc/new.key: nothing"]);
    assert!(look(true, true).is_empty());
    assert_eq!(look(true, false), ["files /etc/new.key: nothing"]);
}

#[test]
fn a_recorded_text_is_recognised_with_its_holes_filled() {
    let (recorded, mut desired) = (inputs(), inputs());
    desired["config"]["group"]["files"]["/etc/issue"]["content"]["text"] = json!("Go away");
    let digest = machine::digest::public(b"I am w-1");
    let found = found("file//etc/issue", differs(&[("content", &digest)]));
    let attributes = attributes(&desired, Some(&recorded), &question(&desired), &found).unwrap();
    assert_eq!(attributes, recorded);
}

#[test]
fn a_text_that_was_changed_is_shown_with_the_lines_that_are_there() {
    let mut inputs = inputs();
    inputs["config"]["group"]["files"]["/etc/issue"]["content"]["text"] = json!("I am {{nodeName}}\nkeep out\n");
    let found = found("file//etc/issue", differs(&[("content", "sha256:ab"), ("text", "I am w-1\ncome in\n")]));
    let seen = lines(&attributes(&inputs, None, &question(&inputs), &found).unwrap(), &inputs);
    assert_eq!(seen, [r#"files /etc/issue content text: "I am {{nodeName}}\ncome in\n""#]);
}

#[test]
fn what_is_no_longer_wanted_stands_there_as_recorded() {
    let (mut recorded, desired) = (inputs(), inputs());
    recorded["config"]["group"]["sysctls"]["vm.swappiness"] = json!("1");
    recorded["config"]["group"]["units"]["old.service"] = json!({"enabled": true, "start": "always"});
    recorded["config"]["machine"]["files"]["/etc/old"] = json!({"content": {"text": ""}, "mode": "0644"});
    recorded["config"]["machine"]["files"]["/etc/gone"] = json!({"content": {"text": ""}, "mode": "0644"});
    let mut question = question(&desired);
    question.unwanted = BTreeSet::from(["/etc/old".to_owned(), "/etc/gone".to_owned()]);
    let mut found = found("swap", ItemState::Same);
    found.exists.insert("/etc/old".to_owned());
    let seen = lines(&attributes(&desired, Some(&recorded), &question, &found).unwrap(), &desired);
    assert_eq!(
        seen,
        [
            r#"sysctls vm.swappiness: "1""#,
            r#"units old.service: {"enabled":true,"start":"always"}"#,
            r#"files /etc/old: {"content":{"text":""},"mode":"0644"}"#,
        ]
    );
}

#[test]
fn what_is_wanted_and_missing_is_not_filled_from_the_record() {
    let inputs = inputs();
    let found = found("unit/kubelet.service", ItemState::Missing);
    let attributes = attributes(&inputs, Some(&inputs), &question(&inputs), &found).unwrap();
    assert_eq!(lines(&attributes, &inputs), ["units kubelet.service: nothing"]);
}

#[test]
fn a_unit_that_is_no_longer_to_be_enabled_was_not_changed_from_outside() {
    let mut unit = json!({"enabled": false, "start": "never"});
    set_unit(&mut unit, &BTreeMap::from([("enabled".to_owned(), "enabled".to_owned())]));
    assert_eq!(unit, json!({"enabled": true, "start": "never"}));
}
