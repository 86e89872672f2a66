//! The S3 API server: one process for all tests that run at the same time.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use testkit::Moto;

/// The server that runs, or a new one. It is killed when the last test lets go of it.
pub(crate) fn get() -> Arc<Moto> {
    static RUNNING: Mutex<Weak<Moto>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(moto) = running.upgrade() {
        return moto;
    }
    let program = program();
    let moto = Moto::start(&program).unwrap_or_else(|error| {
        panic!(
            "these tests need an S3 server, and {program} does not start: {error}\n\
                `cargo xtask test` provides it; or: pip install 'moto[server,s3]', or set KUBEWRIGHT_MOTO"
        )
    });
    let moto = Arc::new(moto);
    *running = Arc::downgrade(&moto);
    moto
}

#[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says here where the server is")]
fn program() -> String {
    std::env::var("KUBEWRIGHT_MOTO").unwrap_or_else(|_| "moto_server".to_owned())
}
