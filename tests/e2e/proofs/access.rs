//! T-19: an account may do what its role says, and nothing else.

use std::process::Output;

use super::{field, field_becomes};
use crate::world::{World, both};

const ACCOUNT: &str = "--as=system:serviceaccount:default:pvviewer";

pub(super) fn all(world: &World) {
    questions_are_answered(world);
    a_token_is_good_for_so_much(world);
    a_pod_may_be_without_a_token(world);
}

/// `auth can-i`, for the account and for the one who asks.
fn questions_are_answered(world: &World) {
    let answer = |arguments: &[&str]| {
        let output = world.try_kubectl(&[&["auth", "can-i"], arguments].concat());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(answer(&["list", "persistentvolumes", ACCOUNT]), "yes");
    assert_eq!(answer(&["delete", "persistentvolumes", ACCOUNT]), "no");
    assert_eq!(answer(&["list", "pods", ACCOUNT]), "no");
    assert_eq!(answer(&["*", "*"]), "yes");
}

/// The same with the account's own token instead of a question.
fn a_token_is_good_for_so_much(world: &World) {
    let token = format!("--token={}", world.kubectl(&["create", "token", "pvviewer"]).trim());
    let server =
        world.kubectl(&["config", "view", "--minify", "-o", "jsonpath=--server={.clusters[0].cluster.server}"]);
    let asked = |kind: &str| -> Output {
        // Without the kubeconfig, whose certificate would speak for somebody else.
        let nobody = ["--kubeconfig=/dev/null", "--insecure-skip-tls-verify", &server, &token];
        world.try_kubectl(&[&["get", kind, "-o", "name"], &nobody[..]].concat())
    };
    let (volumes, pods) = (asked("persistentvolumes"), asked("pods"));
    assert!(volumes.status.success() && both(&volumes).contains("persistentvolume/pvc-"), "{}", both(&volumes));
    assert!(!pods.status.success() && both(&pods).contains("Forbidden"), "{}", both(&pods));
}

/// `serviceAccountName` with `automountServiceAccountToken: false`.
fn a_pod_may_be_without_a_token(world: &World) {
    field_becomes(world, &["pod", "pvviewer"], ".status.phase", |phase| phase == "Running");
    assert_eq!(field(world, &["pod", "pvviewer"], ".spec.serviceAccountName"), "pvviewer");
    let listed = world.kubectl(&["exec", "pvviewer", "--", "sh", "-c", "ls /var/run/secrets 2>&1 || true"]);
    assert!(listed.contains("No such file"), "{listed}");
}
