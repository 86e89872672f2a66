//! Boots the machines that kubewright would boot, and nothing on them: where `cargo xtask bench` lets kubeadm work.
//!
//! `yardstick DIR CLUSTER CONTROL_PLANES WORKERS` boots them in parallel with the local provider itself, from the
//! same image and image store, writes into DIR what the script needs, prints `ready`, and takes everything away again when
//! its standard input ends. So nothing is left even when whoever started it is killed.

mod files;
mod machines;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assets::AssetCache;
use provider_local::LocalProvider;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [directory, cluster, control_planes, workers] = arguments[..] else {
        panic!("yardstick DIR CLUSTER CONTROL_PLANES WORKERS");
    };
    let counts = [control_planes, workers].map(|count| count.parse().expect("a number of machines"));
    let cache = AssetCache::open(cache());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(cache, Path::new(directory), cluster, counts));
}

/// Where kubewright keeps assets.
fn cache() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME")).join(".cache");
    base.unwrap_or_else(home).join("kubewright")
}

async fn run(cache: AssetCache, directory: &Path, cluster: &str, counts: [u32; 2]) {
    let local = LocalProvider::new(directory.join("state/machines"), Arc::new(cache));
    let (resolved, desired) = machines::wanted(&local, cluster, counts).await;
    files::write(directory, &resolved, &desired);
    let site = machines::site(local).await;
    let booted = machines::boot(&site, &desired).await;
    if booted {
        files::write_key(directory, &site).await;
        println!("ready");
        let _ = std::io::stdin().read(&mut [0]); // Any end of it will do.
    }
    machines::take_away(&site).await;
    assert!(booted, "the machines do not boot");
}
