//! Texts that stand for outputs, replaced before a handler sees them.

use plan::Change;
use resource::{Observation, Reference, text};
use serde_json::Value;

use crate::{ObserveContext, ObserveRequest, Output, UnresolvedReference};

/// The same request with texts in the place of what stands for them, or what there is to say without asking anybody.
///
/// Where what is wanted is not known before something else is made, what was made is looked for: that is what can be there.
pub(crate) fn request(
    mut request: ObserveRequest,
    context: &dyn ObserveContext,
) -> Result<ObserveRequest, Observation> {
    let of_recorded = request.recorded.as_mut().map(|recorded| fill(&mut recorded.inputs, context));
    if request.desired.as_mut().and_then(|desired| fill(desired, context)).is_none() {
        return Ok(request);
    }
    match (&request.recorded, of_recorded.flatten()) {
        // It rests on what was never made.
        (None, _) => Err(Observation::Absent),
        (Some(_), Some(missing)) => Err(Observation::unknown(UnresolvedReference(missing).to_string())),
        (Some(recorded), None) => Ok(ObserveRequest { desired: Some(recorded.inputs.clone()), ..request }),
    }
}

/// The same change with texts in the place of what stands for them.
pub(crate) fn change(change: &Change, context: &dyn ObserveContext) -> Result<Change, UnresolvedReference> {
    let mut change = change.clone();
    if let Some(before) = &mut change.before {
        // What was made from an output that is gone is not needed to make it anew.
        fill(before, context);
    }
    let missing = change.after.as_mut().and_then(|after| fill(after, context));
    missing.map_or(Ok(change), |missing| Err(UnresolvedReference(missing)))
}

/// Fills what is known. A secret is never a part of a text.
fn fill(value: &mut Value, context: &dyn ObserveContext) -> Option<Reference> {
    text::fill_texts(value, &|reference| match context.output(reference) {
        Ok(Output::Public(Value::String(text))) => Some(text),
        Ok(Output::Public(value)) => Some(value.to_string()),
        Ok(Output::Secret(_)) | Err(_) => None,
    })
}
