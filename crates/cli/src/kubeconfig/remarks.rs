//! Remarks in a kubeconfig that is written anew: they stay with the lines that they stand before.

/// A text with the remarks of the one that it replaces. What stands before no line that is still there comes first of all.
///
/// Only lines that are nothing but a remark count. Whether they really are remarks is for the caller to find out, with
/// [`without`]: a text of several lines may look like that too.
pub(super) fn keep(before: &str, after: &str) -> String {
    let lines: Vec<&str> = after.lines().collect();
    let mut above: Vec<Vec<&str>> = vec![Vec::new(); lines.len() + 1];
    // Lines before which the remarks stand, and the first one of them that is still to come.
    let old: Vec<&str> = before.lines().filter(|line| !line.trim().is_empty() && !is_remark(line)).collect();
    let mut next = 0;
    for line in before.lines().filter(|line| !line.trim().is_empty()) {
        if is_remark(line) {
            above[if next < old.len() { place(&old, next, &lines) } else { lines.len() }].push(line);
        } else {
            next += 1;
        }
    }
    let last = above.pop().unwrap_or_default();
    let written = above.into_iter().zip(lines).flat_map(|(remarks, line)| remarks.into_iter().chain([line]));
    written.chain(last).flat_map(|line| [line, "\n"]).collect()
}

/// The text without them.
pub(super) fn without(text: &str) -> String {
    text.lines().filter(|line| !is_remark(line)).flat_map(|line| [line, "\n"]).collect()
}

fn is_remark(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The line of `lines` that is `old[at]`: with most of the lines that follow it. Where that is not certain, as many lines are
/// alike, the first line of all.
fn place(old: &[&str], at: usize, lines: &[&str]) -> usize {
    let alike = |from: usize| {
        let pairs = lines[from..].iter().zip(&old[at..]);
        pairs.take_while(|(line, wanted)| content(line) == content(wanted)).count()
    };
    let is_the_only_one = |lines: &[&str]| lines.iter().filter(|line| content(line) == content(old[at])).count() == 1;
    let enough = if is_the_only_one(old) && is_the_only_one(lines) { 1 } else { 2 };
    let found = (0..lines.len()).map(|from| (alike(from), from)).filter(|(alike, _)| *alike >= enough);
    // Of those that are equally good, the first one.
    found.max_by_key(|(alike, from)| (*alike, std::cmp::Reverse(*from))).map_or(0, |(_, from)| from)
}

/// A line as it is in every layout: lists may be indented or not.
fn content(line: &str) -> &str {
    line.trim_start().trim_start_matches("- ").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "\
# my contexts
apiVersion: v1
clusters:
- cluster:
    server: https://one
  name: one
# the one at work
- cluster:
    # by VPN only
    server: https://two
  name: two
kind: Config
# the end
";

    #[test]
    fn what_is_written_again_is_what_it_was() {
        assert_eq!(keep(MINE, &without(MINE)), MINE);
    }

    #[test]
    fn remarks_stay_with_their_lines_when_others_come_and_go() {
        let added =
            without(MINE).replace("kind: Config", "- cluster:\n    server: https://three\n  name: three\nkind: Config");
        assert_eq!(without(&keep(MINE, &added)), added);
        assert_eq!(
            keep(MINE, &added),
            MINE.replace("kind: Config", "- cluster:\n    server: https://three\n  name: three\nkind: Config")
        );
        let gone = without(MINE).replace("- cluster:\n    server: https://one\n  name: one\n", "");
        assert_eq!(keep(MINE, &gone), MINE.replace("- cluster:\n    server: https://one\n  name: one\n", ""));
    }

    #[test]
    fn another_layout_keeps_them_too() {
        let indented = "clusters:\n  # mine\n  - name: one\n    cluster: {}\n";
        assert_eq!(
            keep(indented, "clusters:\n- name: one\n  cluster: {}\n"),
            "clusters:\n  # mine\n- name: one\n  cluster: {}\n"
        );
    }

    #[test]
    fn a_remark_whose_line_is_gone_is_not_put_to_another_one() {
        let gone = without(MINE).replace("- cluster:\n    server: https://two\n  name: two\n", "");
        let kept = keep(MINE, &gone);
        assert!(kept.starts_with("# my contexts\n# the one at work\n    # by VPN only\napiVersion: v1\n"), "{kept}");
    }

    #[test]
    fn where_nothing_was_there_is_nothing_to_keep() {
        assert_eq!(keep("", "kind: Config\n"), "kind: Config\n");
    }
}
