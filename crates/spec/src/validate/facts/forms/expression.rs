//! Regular expressions as Go reads them (`regexp/syntax` with the flags of Perl): what it surely does not compile.

use std::iter::Peekable;
use std::str::Chars;

type Rest<'a> = Peekable<Chars<'a>>;

/// What the last part of an expression was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing that could be repeated: a beginning, or an alternative.
    Nothing,
    /// Something that can be repeated.
    Part,
    /// A repetition, which is not repeated again.
    Repeat,
}

/// Whether nothing in an expression is known to be refused.
pub(super) fn compiles(expression: &str) -> bool {
    // What stands between these is a text, whatever it looks like: it is not followed.
    if expression.contains("\\Q") {
        return true;
    }
    let mut rest = expression.chars().peekable();
    let (mut depth, mut last) = (0_u32, Last::Nothing);
    while let Some(c) = rest.next() {
        let next = match c {
            '\\' => escape(&mut rest).then_some(Last::Part),
            '[' => class(&mut rest).then_some(Last::Part),
            '(' => {
                depth += 1;
                group(&mut rest).then_some(Last::Nothing)
            }
            ')' => depth.checked_sub(1).map(|left| {
                depth = left;
                Last::Part
            }),
            '|' => Some(Last::Nothing),
            '*' | '+' | '?' => repetition(&mut rest, last),
            _ => Some(Last::Part),
        };
        match next {
            Some(next) => last = next,
            None => return false,
        }
    }
    depth == 0
}

/// A sign of repetition, which may be followed by `?`.
fn repetition(rest: &mut Rest<'_>, last: Last) -> Option<Last> {
    rest.next_if_eq(&'?');
    (last == Last::Part).then_some(Last::Repeat)
}

/// What stands after a backslash. Letters that are not looked at here may be names of classes.
fn escape(rest: &mut Rest<'_>) -> bool {
    match rest.next() {
        // The number of a character has two digits or more; with one it would be what a group has found.
        Some('1'..='7') => rest.peek().is_some_and(|c| matches!(c, '0'..='7')),
        Some(c) => !matches!(c, '8' | '9' | 'Z' | 'G' | 'K' | 'R' | 'X' | 'e' | 'g' | 'h' | 'k'),
        None => false,
    }
}

/// What stands after an opening bracket: a group may have a name or flags. Go has none that look ahead or behind.
fn group(rest: &mut Rest<'_>) -> bool {
    if rest.next_if_eq(&'?').is_none() {
        return true;
    }
    let is_name = |c: &char| matches!(c, 'P' | '<');
    if rest.next_if(is_name).is_some() {
        return rest.peek().is_some_and(|c| !matches!(c, '=' | '!'));
    }
    while rest.next_if(|c| matches!(c, 'i' | 'm' | 's' | 'U' | '-')).is_some() {}
    match rest.peek() {
        // Flags for what follows are a group by themselves, with nothing in it.
        Some(')') => true,
        Some(':') => rest.next().is_some(),
        _ => false,
    }
}

/// The characters of a class up to its end; ranges go upwards.
fn class(rest: &mut Rest<'_>) -> bool {
    rest.next_if_eq(&'^');
    let (mut is_first, mut low) = (true, None);
    while let Some(c) = rest.next() {
        match c {
            ']' if !is_first => return true,
            '\\' => {
                if !escape(rest) {
                    return false;
                }
                low = None;
            }
            '[' => low = if skip_name(rest) { None } else { Some('[') },
            '-' => {
                low = match (low, rest.peek()) {
                    (Some(low), Some(high)) if !matches!(high, ']' | '\\' | '[') => {
                        if low > *high {
                            return false;
                        }
                        rest.next();
                        None
                    }
                    _ => Some('-'),
                }
            }
            c => low = Some(c),
        }
        is_first = false;
    }
    false
}

/// Goes past the name of a class such as `[:alpha:]`, whose bracket was read; its characters are none of the class around it.
fn skip_name(rest: &mut Rest<'_>) -> bool {
    let after: String = rest.clone().collect();
    let Some(end) = after.strip_prefix(':').and_then(|name| name.find(":]")) else { return false };
    let length = after[1..=end].chars().count() + 2;
    rest.by_ref().take(length + 1).for_each(drop);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_those_that_go_compiles() {
        for good in [
            "",
            "//example\\.org(:|$)",
            "^https://[a-z0-9-]+\\.example\\.org$",
            "//a*?$",
            "//a{2}$",
            "//a{,5}$",
            "//(?i)a(?:b|c)(?P<d>e)(?<f>g)$",
            "//[]a]$",
            "//[^]a]$",
            "//[[:alpha:]-]$",
            "//[[:a]$",
            "//[[:]$",
            "//\\12$",
            "//(\\Q(\\E)$",
            "//[(]\\($",
            "//[+--]$",
            "//^*$",
            "//\\pN\\d\\_\\/$",
            "//\\Q**(\\E$",
            "(a)*|b+",
        ] {
            assert!(compiles(good), "{good}");
        }
        for bad in [
            "(",
            "//a$)(",
            "//a[$",
            "//[z-a]$",
            "//(?!x)$",
            "//(?=x)$",
            "//(?<!x)$",
            "//(?<=x)$",
            "//a**$",
            "//a+*$",
            "*",
            "a|*",
            "(*a)",
            "//a\\1$",
            "a\\",
            "(?x)a",
            "[[:alpha:",
        ] {
            assert!(!compiles(bad), "{bad}");
        }
    }
}
