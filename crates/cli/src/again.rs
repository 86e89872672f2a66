//! Commands that the program suggests, as they must be typed where it was told a store.

/// The text with the store given to the command at its end, when that was given as an option: without it, the command would
/// look elsewhere.
pub(crate) fn with_state(text: &str, state: Option<&str>) -> String {
    let ends_with_command = text.trim_start().starts_with("kubewright ") || text.contains(": kubewright ");
    let names_stores = text.contains("--state") || text.contains("kubewright state copy") || text.contains("assets ");
    match state {
        Some(state) if ends_with_command && !names_stores => format!("{text} --state '{state}'"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_suggested_with_the_store_that_was_given() {
        let state = Some("s3://b");
        assert_eq!(
            with_state("to go on: kubewright update cluster a", state),
            "to go on: kubewright update cluster a --state 's3://b'"
        );
        assert_eq!(with_state("  kubewright ssh a b", state), "  kubewright ssh a b --state 's3://b'");
        for text in
            ["use a newer kubewright", "run: kubewright get clusters --state x", "build it: kubewright assets pull"]
        {
            assert_eq!(with_state(text, state), text);
        }
        assert_eq!(with_state("see: kubewright get clusters", None), "see: kubewright get clusters");
    }
}
