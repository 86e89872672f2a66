//! Container images of addons, loaded into machines that were born without them.

use catalog::Image;
use resource::{Desired, ResourceId};
use serde_json::json;

use crate::builder::Builder;
use crate::ids;
use crate::machine_config::target;
use crate::{ModelError, Resolved};

/// Loads `image` into every machine, for pods may come to any of them; gives what those pods wait for.
pub(crate) fn load(
    resolved: &Resolved,
    builder: &mut Builder<'_>,
    image: Image,
) -> Result<Vec<ResourceId>, ModelError> {
    let mut loads = Vec::new();
    for machine in &resolved.machines {
        let inputs = json!({
            "target": target(machine),
            "image": resolved.image(image),
            "asset": resolved.asset(image.asset())?,
        });
        let id = ids::image(&machine.name, image);
        let desired = Desired::new(id.clone(), inputs)
            .contained_in(machine.resource.clone())
            .after(ids::machine_config(&machine.name));
        builder.add(desired);
        loads.push(id);
    }
    Ok(loads)
}
