//! Errors: what is wrong with bucket, rights, way or address, in plain words, with what to do.

use engine::{StateStore as _, StoreError};
use state_s3::S3Store;
use testkit::Hitch;
use testkit::conformance::lock_info;

use crate::site::{Site, options};

fn said(error: StoreError) -> String {
    match error {
        StoreError::Unusable { what, source } => format!("cannot {what}: {source}"),
        other => panic!("{other:?}"),
    }
}

fn denied() -> Hitch {
    Hitch::Refuse(403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_named_with_the_command_that_makes_it() {
    let site = Site::new().await;
    let url = site.url().replace(&site.bucket, "no-such-bucket");
    let store = S3Store::with_options(url.parse().unwrap(), options());
    let failures = [
        store.head("demo").await.map(drop).unwrap_err(),
        store.swap_head("demo", None, b"1").await.map(drop).unwrap_err(),
        store.clusters().await.map(drop).unwrap_err(),
        store.lock("demo", lock_info("me")).await.map(drop).unwrap_err(),
        store.remove("demo").await.unwrap_err(),
    ];
    for failure in failures {
        let said = said(failure);
        assert!(said.contains("there is no bucket `no-such-bucket`"), "{said}");
        assert!(said.contains("`aws s3 mb s3://no-such-bucket`"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_names_the_permission() {
    let site = Site::new().await;
    let store = site.open();
    let everything = format!("on arn:aws:s3:::{}/team/*", site.bucket);
    site.proxy.hitch("PUT", "head.json", denied());
    let put = said(store.swap_head("demo", None, b"1").await.unwrap_err());
    assert!(put.contains(&format!("need s3:PutObject {everything}")), "{put}");
    site.proxy.hitch("GET", "head.json", denied());
    let get = said(store.head("demo").await.unwrap_err());
    assert!(get.contains(&format!("need s3:GetObject and s3:ListBucket {everything}")), "{get}");
    site.proxy.hitch("GET", "list-type", denied());
    let list = said(store.clusters().await.unwrap_err());
    assert!(list.ends_with(&format!("need s3:ListBucket on arn:aws:s3:::{}", site.bucket)), "{list}");
    site.proxy.hitch("DELETE", "head.json", denied());
    let delete = said(store.remove("demo").await.unwrap_err());
    assert!(delete.contains(&format!("need s3:DeleteObject {everything}")), "{delete}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_not_accepted_are_not_a_missing_right() {
    let site = Site::new().await;
    let body = "<Error><Code>InvalidAccessKeyId</Code><Message>no</Message></Error>";
    site.proxy.hitch("GET", "head.json", Hitch::Refuse(403, body.to_owned()));
    let said = said(site.open().head("demo").await.unwrap_err());
    assert!(said.contains("does not accept the AWS credentials in use (InvalidAccessKeyId)"), "{said}");
    assert!(!said.contains("a-secret"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let url = format!("s3://b?endpoint=http://127.0.0.1:{port}");
    let store = S3Store::with_options(url.parse().unwrap(), options());
    let said = said(store.head("demo").await.unwrap_err());
    assert!(said.contains(&format!("http://127.0.0.1:{port} cannot be reached")), "{said}");
    assert!(said.contains("refused"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_something_else_is_not_taken_for_s3() {
    let site = Site::new().await;
    for body in ["<html>Welcome</html>", "hello", ""] {
        site.proxy.hitch("PUT", "head.json", Hitch::Refuse(400, body.to_owned()));
        let said = said(site.open().swap_head("demo", None, b"1").await.unwrap_err());
        assert!(said.contains("answered"), "{said}");
    }
}
