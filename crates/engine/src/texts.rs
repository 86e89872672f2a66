//! Texts that stand for outputs, replaced before a handler sees them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use plan::Change;
use resource::{Observation, Recorded, Reference, text};
use serde_json::Value;

use crate::{ObserveContext, ObserveRequest, Output, UnresolvedReference};

/// The same request with texts in the place of what stands for them, or what there is to say without asking anybody.
///
/// Where what is wanted is not known before something else is made, what was made is looked for: that is what can be there.
pub(crate) fn request(
    mut request: ObserveRequest,
    context: &dyn ObserveContext,
) -> Result<ObserveRequest, Observation> {
    request.recorded = request.recorded.map(Recorded::as_made);
    if request.desired.as_mut().and_then(|desired| fill(desired, context)).is_none() {
        return Ok(request);
    }
    // Without a record, it rests on what was never made.
    let made = request.recorded.as_ref().ok_or(Observation::Absent)?;
    Ok(ObserveRequest { desired: Some(made.inputs.clone()), ..request })
}

/// A change with what it leads to, texts in the place of what stands for them.
pub(crate) fn filled<'a>(
    change: &'a Change,
    context: &dyn ObserveContext,
) -> Result<Cow<'a, Change>, UnresolvedReference> {
    if !change.after.as_ref().is_some_and(text::has_texts) {
        return Ok(Cow::Borrowed(change));
    }
    let mut change = change.clone();
    let missing = change.after.as_mut().and_then(|after| fill(after, context));
    missing.map_or(Ok(Cow::Owned(change)), |missing| Err(UnresolvedReference(missing)))
}

/// What stands for outputs in texts of inputs now, by reference.
pub(crate) fn texts(inputs: &Value, context: &dyn ObserveContext) -> BTreeMap<String, String> {
    let known = |reference: Reference| Some((reference.to_string(), known(&reference, context)?));
    text::find_in_texts(inputs).into_iter().filter_map(known).collect()
}

fn fill(value: &mut Value, context: &dyn ObserveContext) -> Option<Reference> {
    text::fill_texts(value, &|reference| known(reference, context))
}

/// A public output as text. A secret is never a part of one.
fn known(reference: &Reference, context: &dyn ObserveContext) -> Option<String> {
    match context.output(reference) {
        Ok(Output::Public(value)) => Some(text::of_output(&value)),
        Ok(Output::Secret(_)) | Err(_) => None,
    }
}
