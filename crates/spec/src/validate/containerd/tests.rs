//! Tests: registries, logins and additions that would be in vain or keep containerd from starting.

use super::super::tests::{CONTROL_PLANE, about, cluster, complaints, loaded};

fn containerd(text: &str) -> Vec<String> {
    about(&format!("  containerd:\n    {text}\n"))
}

fn additions(text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(|line| format!("      {line}")).collect();
    containerd(&format!("additions: |\n{}", lines.join("\n")))
}

const REFUSED: &str = "spec::containerd cluster.yaml:9 spec.containerd.additions";

#[test]
fn additions_that_are_no_toml_are_refused_with_their_line() {
    for text in
        ["[plugins.\"io.containerd.cri.v1.runtime\"\n  x = 1", "[a]\nx = 1\n[a]\ny = 2", "a = 1\na = 2", "a: 1", "x = "]
    {
        assert_eq!(additions(text), [REFUSED], "{text}");
    }
    let text = cluster("  containerd:\n    additions: |\n      version = 3\n      [a\n      x = 1\n");
    let found = loaded(&text, &[("cp", CONTROL_PLANE)]);
    assert_eq!(found.diagnostics[0].help.as_deref(), Some("look at its line 2: `[a`"));
}

#[test]
fn additions_are_of_version_3_and_leave_alone_what_the_cluster_rests_on() {
    for text in [
        "plugins = 1",
        "[plugins]\ncri = true",
        "[plugins.\"io.containerd.cri.v1.images\".registry.mirrors.\"docker.io\"]\nendpoint = [\"https://m\"]",
        "[plugins.\"io.containerd.cri.v1.images\".registry]\nconfig_path = \"/x\"",
        "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\nSystemdCgroup = true",
        "[plugins.\"io.containerd.grpc.v1.cri\".containerd]\nsnapshotter = \"native\"",
        "disabled_plugins = [\"cri\"]",
        "disabled_plugins = [\"io.containerd.cri.v1.runtime\"]",
        "[grpc]\naddress = \"/run/other.sock\"",
        "root = \"/data\"",
    ] {
        assert_eq!(additions(text), [REFUSED], "{text}");
    }
    for text in ["version = 2", "version = 4", "version = \"3\""] {
        assert_eq!(additions(text), [REFUSED.replace("spec::containerd", "spec::containerd-version")], "{text}");
    }
    for text in [
        "version = 3\n[plugins.\"io.containerd.cri.v1.runtime\"]\nmax_container_log_line_size = 32768",
        "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.nvidia]\nruntime_type = \"io.containerd.runc.v2\"",
        "disabled_plugins = [\"io.containerd.snapshotter.v1.zfs\"]\n[debug]\nlevel = \"debug\"",
    ] {
        assert_eq!(additions(text), [""; 0], "{text}");
    }
}

#[test]
fn passwords_in_additions_are_found_however_they_are_written() {
    let credentials = "spec::credentials cluster.yaml:9 spec.containerd.additions".to_owned();
    for text in [
        "[x]\npassword = \"y\"",
        "x = {\"password\" = \"y\"}",
        "[x.header]\nAuthorization = [\"Basic y\"]",
        "x.y.auth = \"z\"",
    ] {
        assert!(additions(text).contains(&credentials), "{text}");
    }
}

#[test]
fn a_mirror_is_named_once() {
    for twice in [
        "[https://a.example, https://a.example]",
        "[https://a.example, https://b.example, https://a.example:443/]",
        "[http://a.example:80/x, http://a.example/x/]",
    ] {
        let found = containerd(&format!("mirrors: {{docker.io: {twice}}}"));
        assert_eq!(found.len(), 1, "{twice}: {found:?}");
        assert!(
            found[0].starts_with("spec::mirror cluster.yaml:8 spec.containerd.mirrors[\"docker.io\"]["),
            "{found:?}"
        );
    }
    assert_eq!(
        containerd("mirrors: {docker.io: [https://a.example/x, http://a.example/x, https://a.example]}"),
        [""; 0]
    );
    assert_eq!(containerd("mirrors: {docker.io: ['https://a.example/x?y']}").len(), 1);
}

#[test]
fn a_login_that_is_never_shown_is_said_with_where_it_belongs() {
    let logins = |mirrors: &str, login: &str| {
        let login = format!("registryCredentials: {{'{login}': {{username: a, passwordFile: b}}}}");
        let text = cluster(&format!("  containerd:\n    mirrors: {mirrors}\n    {login}\n"));
        loaded(&text, &[("cp", CONTROL_PLANE)])
    };
    for (mirrors, login) in [
        ("{docker.io: [https://mirror.example.org]}", "mirror.example.org"),
        ("{docker.io: [https://mirror.example.org/v2/cache]}", "mirror.example.org:443"),
        ("{'*': [https://mirror.example.org:5000]}", "mirror.example.org:5000"),
        ("{}", "index.docker.io"),
    ] {
        let found = logins(mirrors, login);
        let field = format!("spec::credentials cluster.yaml:9 spec.containerd.registryCredentials[\"{login}\"]");
        assert_eq!(complaints(&found.diagnostics), [field], "{mirrors}");
        assert!(found.effective.is_some(), "it is only said");
    }
    let help = logins("{docker.io: [https://mirror.example.org]}", "mirror.example.org").diagnostics[0].help.clone();
    assert!(help.unwrap().contains("write it under `docker.io`"));
    assert_eq!(logins("{docker.io: [https://mirror.example.org]}", "docker.io").diagnostics, []);
    assert_eq!(logins("{docker.io: [https://mirror.example.org]}", "ghcr.io").diagnostics, []);
}

#[test]
fn docker_hub_is_known_by_one_name() {
    assert_eq!(
        containerd("mirrors: {index.docker.io: [https://a.example]}"),
        ["spec::registry cluster.yaml:8 spec.containerd.mirrors[\"index.docker.io\"]"]
    );
}

#[test]
fn certificates_of_registries_decode() {
    let prose =
        "-----BEGIN CERTIFICATE-----\n        this is prose and not base64 !!!\n        -----END CERTIFICATE-----";
    let found = containerd(&format!("extraCAs:\n      registry.example.org: |\n        {prose}"));
    assert_eq!(found, ["spec::invalid-value cluster.yaml:10 spec.containerd.extraCAs[\"registry.example.org\"]"]);
}

#[test]
fn values_with_which_containerd_is_of_no_use_are_refused() {
    let runtime = |text: &str| format!("[plugins.'io.containerd.cri.v1.runtime']\n{text}");
    let images = |text: &str| format!("[plugins.'io.containerd.cri.v1.images']\n{text}");
    for text in [
        "[timeouts]\n'io.containerd.timeout.shim.cleanup' = '6'".to_owned(),
        "[debug]\nlevel = 'loud'".to_owned(),
        "required_plugins = ['io.containerd.nope.v1.nope']".to_owned(),
        "[plugins.'io.containerd.metadata.v1.bolt']\ncontent_sharing_policy = 'all'".to_owned(),
        "[proxy_plugins.x]\ntype = 'nope'\naddress = '/run/x.sock'".to_owned(),
        runtime("drain_exec_sync_io_timeout = '10'"),
        runtime("[plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'nope'"),
        images("snapshotter = 'nope'"),
        images("image_pull_progress_timeout = '5 minutes'"),
    ] {
        assert_eq!(additions(&text), [REFUSED], "{text}");
    }
    for text in [
        "[debug]\nlevel = 'Info'\n[timeouts]\nx = '6s'".to_owned(),
        "required_plugins = ['io.containerd.cri.v1.runtime']".to_owned(),
        "[proxy_plugins.x]\ntype = 'snapshot'\naddress = '/a'\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'x'"
            .to_owned(),
        runtime(
            "[plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'a'\n\
             [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.a]\nruntime_type = 'io.containerd.runc.v2'",
        ),
        images("snapshotter = 'native'"),
    ] {
        assert_eq!(additions(&text), [""; 0], "{text}");
    }
}

#[test]
fn a_byte_order_mark_before_additions_is_no_fault() {
    let marked = |text: &str| containerd(&format!("additions: \"\\uFEFF{text}\""));
    assert_eq!(marked("[debug]\\nlevel = 'debug'"), [""; 0]);
    assert_eq!(marked("a: 1").len(), 1);
}

#[test]
fn metrics_have_a_port_and_the_pause_image_is_kubewrights() {
    for text in ["[metrics]\naddress = 'nohost'", "[plugins.'io.containerd.server.v1.metrics']\naddress = '10.0.0.1'"] {
        assert_eq!(additions(text), [REFUSED], "{text}");
    }
    for text in ["[metrics]\naddress = ':1338'", "[metrics]\naddress = '[::1]:1338'", "[metrics]\naddress = ''"] {
        assert_eq!(additions(text), [""; 0], "{text}");
    }
    let text = "version = 3\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = 'x'";
    assert_eq!(additions(text), [REFUSED]);
    let lines = text.replace('\n', "\n      ");
    let found =
        loaded(&cluster(&format!("  containerd:\n    additions: |\n      {lines}\n")), &[("cp", CONTROL_PLANE)]);
    assert!(found.effective.is_some(), "it is only warned of");
}

#[test]
fn a_proxy_or_mirror_on_every_machine_itself_is_said() {
    let proxy = |url: &str, more: &str| about(&format!("  containerd:\n    proxy: {{https: \"{url}\"}}\n{more}"));
    let place = "spec::proxy cluster.yaml:8 spec.containerd.proxy.https";
    for url in ["http://localhost:3128", "http://127.0.0.1:3128", "http://[::1]:3128", "http://0.0.0.0:3128/"] {
        assert_eq!(proxy(url, ""), [place], "{url}");
    }
    assert_eq!(proxy("http://proxy.example.org:3128", ""), [""; 0]);
    let is_taken = |more: &str| {
        let spec = format!("  containerd: {{proxy: {{http: 'http://localhost:3128'}}}}\n{more}");
        loaded(&cluster(&spec), &[("cp", CONTROL_PLANE)]).effective.is_some()
    };
    // One that a hook starts may be there.
    assert_eq!([is_taken(""), is_taken("  hooks: [{name: proxy, command: [/usr/sbin/squid]}]\n")], [false, true]);
    let mirror = |text: &str| containerd(&format!("mirrors: {{{text}}}"));
    assert_eq!(mirror("\"*\": [\"http://localhost:5000\"]").len(), 1);
    assert_eq!(mirror("\"localhost:5000\": [\"http://localhost:5000\"]"), [""; 0]);
}
