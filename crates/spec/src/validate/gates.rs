//! Whether feature gates are on, as the components decide it (`featuregate.unsafeSetFromMap`).

use catalog::Stage;

/// Gates that stand for all of a stage which nobody names.
pub(super) const WIDE: [&str; 2] = ["AllAlpha", "AllBeta"];

/// Whether a gate is on: as it is given, else as all gates of its stage are given, else as `default` says.
pub(super) fn is_on(given: impl Fn(&str) -> Option<bool>, (name, stage): (&str, Option<Stage>), default: bool) -> bool {
    let of_stage = || given(wide(stage?)?);
    given(name).or_else(of_stage).unwrap_or(default)
}

/// The gate for all of a stage.
fn wide(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Alpha => Some(WIDE[0]),
        Stage::Beta => Some(WIDE[1]),
        Stage::Ga | Stage::Deprecated => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_that_nobody_names_are_as_all_of_their_stage() {
        for (given, stage, wanted) in [
            (&[][..], Stage::Alpha, false),
            (&[("AllAlpha", true)], Stage::Alpha, true),
            (&[("AllAlpha", true)], Stage::Beta, false),
            (&[("AllAlpha", true)], Stage::Ga, false),
            (&[("AllBeta", true)], Stage::Beta, true),
            (&[("AllBeta", true), ("X", false)], Stage::Beta, false),
            (&[("AllAlpha", false), ("X", true)], Stage::Alpha, true),
        ] {
            let find = |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, on)| *on);
            assert_eq!(is_on(find, ("X", Some(stage)), false), wanted, "{given:?} {stage:?}");
        }
        assert!(is_on(|_| None, ("X", None), true));
    }
}
