//! One control plane and two workers of the minor before the default one, or of the one in `KUBEWRIGHT_OLDER`.

use crate::world::World;
use crate::{checks, traffic};

pub(crate) fn story(world: &mut World) {
    let minor = std::env::var("KUBEWRIGHT_OLDER").unwrap_or_else(|_| "1.35".to_owned());
    let release = catalog::release(&minor).unwrap_or_else(|| panic!("{minor} is not supported"));
    world.kubewright(&["create", "cluster", "older", "--kubernetes-version", &minor, "--yes"]);
    checks::nodes_and_system(world, release.kubernetes, &["control-plane-1", "worker-1", "worker-2"]);
    checks::nothing_to_do(world, "older");
    traffic::start_web_of(world, release.agnhost);
    traffic::pods_talk(world, "older");
    traffic::stop_web(world);
    checks::nothing_to_do(world, "older");
}
