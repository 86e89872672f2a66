//! Kubeconfigs that several clusters and several makers share.

use super::*;
use crate::kubeconfig::Credential;
use resource::Secret;

fn entry(authority: &str) -> Entry {
    Entry {
        cluster: "demo".into(),
        user: "demo-admin".into(),
        server: "https://10.77.0.51:6443".into(),
        trust: Trust::Embedded(authority.into()),
        credential: Credential::Embedded { certificate: "CERT".into(), key: Secret::new("KEY") },
    }
}

fn names() -> Names {
    Names { context: "demo".into(), cluster: "demo".into(), user: "demo-admin".into() }
}

fn ours(trust: &Trust) -> bool {
    matches!(trust, Trust::Embedded(pem) if pem == "OURS")
}

fn parse(text: &str) -> Kubeconfig {
    Kubeconfig::from_yaml(text).unwrap()
}

const FOREIGN: &str = "\
apiVersion: v1
clusters:
- cluster:
    insecure-skip-tls-verify: true
    server: https://other
  name: other
contexts:
- context:
    cluster: other
    namespace: web
    user: me
  name: other
current-context: other
kind: Config
users:
- name: me
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: aws
preferences:
  colors: true
";

#[test]
fn everything_that_others_wrote_stays() {
    let mut all = parse(FOREIGN);
    all.put(&entry("OURS"), "demo");
    let text = all.to_yaml().unwrap();
    for line in ["insecure-skip-tls-verify: true", "namespace: web", "command: aws", "colors: true"] {
        assert!(text.reveal().contains(line), "{line} was lost");
    }
    assert_eq!(all.current_context(), "other");
    all.take_out(&names(), all.own(&names(), &ours));
    assert_eq!(all, parse(FOREIGN));
}

#[test]
fn what_is_put_in_again_replaces_credentials_and_keeps_the_namespace() {
    let mut all = parse("");
    all.put(&entry("OURS"), "demo");
    let text =
        all.to_yaml().unwrap().reveal().replace("    user: demo-admin", "    user: demo-admin\n    namespace: web");
    let text = text.replace("    server: https", "    proxy-url: http://proxy\n    server: https");
    let mut all = parse(&text);
    all.put(&Entry { server: "https://new:6443".into(), ..entry("OURS") }, "demo");
    let text = all.to_yaml().unwrap();
    for line in ["namespace: web", "proxy-url: http://proxy", "server: https://new:6443"] {
        assert!(text.reveal().contains(line), "{line} is not in {}", text.reveal());
    }
    assert_eq!((all.clusters.len(), all.contexts.len(), all.users.len()), (1, 1, 1));
}

#[test]
fn entries_of_the_name_with_another_authority_are_foreign_and_stay() {
    let mut theirs = parse("");
    theirs.put(&entry("THEIRS"), "demo");
    let found = theirs.foreign(&names(), &ours);
    let server = "https://10.77.0.51:6443".to_owned();
    assert_eq!(
        found,
        [
            Foreign::Cluster { name: "demo".into(), server },
            Foreign::Context { name: "demo".into(), cluster: "demo".into() },
            Foreign::User { name: "demo-admin".into() },
        ]
    );
    assert!(theirs.own(&names(), &ours).is_empty());
    assert!(theirs.foreign(&names(), &|trust| *trust == Trust::Embedded("THEIRS".into())).is_empty());
}

#[test]
fn a_cluster_without_an_authority_is_nobodys_that_we_know() {
    let theirs = parse("clusters: [{name: demo, cluster: {server: 'https://x', insecure-skip-tls-verify: true}}]");
    assert_eq!(theirs.foreign(&names(), &ours).len(), 1);
    assert!(theirs.own(&names(), &ours).is_empty());
}

#[test]
fn a_context_of_the_name_that_leads_elsewhere_is_foreign() {
    let mut all = parse(FOREIGN);
    all.put(&entry("OURS"), "other-name");
    let text = all.to_yaml().unwrap().reveal().replacen("  name: other\n- context", "  name: demo\n- context", 1);
    let all = parse(&text);
    assert_eq!(
        all.foreign(&names(), &ours),
        [Foreign::Context { name: "demo".into(), cluster: "other".into() }],
        "{text}"
    );
    let own = all.own(&names(), &ours);
    assert!(!own.context && !own.cluster && !own.user, "the context other-name uses them: {own:?}");
}

#[test]
fn what_another_context_uses_stays_when_ours_is_taken_out() {
    let mut all = parse("");
    all.put(&entry("OURS"), "demo");
    all.put(&entry("OURS"), "second");
    all.use_context("demo");
    all.take_out(&names(), all.own(&names(), &ours));
    assert_eq!((all.clusters.len(), all.contexts.len(), all.users.len()), (1, 1, 1));
    assert_eq!(all.current_context(), "");
}

#[test]
fn a_user_that_somebody_set_in_our_context_is_not_taken_out() {
    let mut all = parse("users: [{name: me, user: {token: t}}]");
    all.put(&entry("OURS"), "demo");
    all.contexts[0].context.user = "me".into();
    all.take_out(&names(), all.own(&names(), &ours));
    let left: Vec<&str> = all.users.iter().map(|item| item.name.as_str()).collect();
    assert_eq!((left, all.contexts.len()), (vec!["me"], 0));
}

#[test]
fn lists_that_are_null_are_empty() {
    let text = "clusters: null\ncontexts: null\nusers: null\ncurrent-context: null\n";
    assert_eq!(parse(text), Kubeconfig::empty());
    parse("clusters: [{name: a, cluster: null}]\ncontexts: [{name: a, context: null}]\nusers: [{name: a, user: null}]");
}

#[test]
fn of_several_files_the_first_counts() {
    let mut second = parse(FOREIGN);
    second.put(&entry("OURS"), "demo");
    let joined = Kubeconfig::joined([parse("clusters: [{name: demo, cluster: {server: first}}]"), second]);
    assert_eq!(joined.cluster("demo").unwrap().server, "first");
    assert_eq!((joined.contexts.len(), joined.current_context()), (2, "other"));
}

#[test]
fn an_authoritys_file_is_looked_for_beside_the_kubeconfig() {
    let text = "clusters: [{name: demo, cluster: {certificate-authority: pki/ca.crt}}]";
    let read = parse(text).read_in(Path::new("/home/me/.kube"));
    assert!(read.is_own("demo", &|trust| *trust == Trust::File("/home/me/.kube/pki/ca.crt".into())));
}
