//! "Did you mean": the known word that is nearest to a mistyped one.

use crate::shape::quoted;

/// The word of `known` nearest to `word`, when it is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(word);
    let allowed = (wanted.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The question whether the nearest word was meant, where there is one.
pub(crate) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|meant| format!("did you mean `{meant}`?"))
}

/// The same question, or the words that there are, the first `most` of them.
pub(crate) fn one_of(word: &str, known: &[&str], most: usize) -> String {
    meant(word, known.iter().copied()).unwrap_or_else(|| format!("one of {}", quoted(known.iter().copied(), most)))
}

/// Case and separators are what people get wrong most.
fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["podCIDRs", "serviceCIDRs", "cni"];
        assert_eq!(nearest("podCIDR", known), Some("podCIDRs"));
        assert_eq!(nearest("pod_cidrs", known), Some("podCIDRs"));
        assert_eq!(nearest("cnii", known), Some("cni"));
        assert_eq!(nearest("volumes", known), None);
    }
}
