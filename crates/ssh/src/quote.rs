//! Shell commands: quoted, run as root, and marked with the number of their process group.

/// Begins the line that says a program's process group.
const MARK: &str = "kubewright-process:";

/// `text` as one word of a shell command.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `command` so that it runs as root when `user` logs in.
pub(crate) fn as_root(user: &str, command: &str) -> String {
    if user == "root" { command.to_owned() } else { format!("sudo -n -- sh -c {}", quote(command)) }
}

/// `command` so that its first line of output says its process group; run by `sh`, whatever the login shell is.
///
/// OpenSSH refuses to pass signals on where root logs in ("session signalling requires privilege separation"), so
/// whoever wants to end a program must know its number. sshd makes every program the leader of a group.
pub(crate) fn marked(user: &str, command: &str) -> String {
    format!("exec sh -c {}", quote(&format!("echo {MARK}$$; {}", as_root(user, command))))
}

/// The process group, where `line` says one.
pub(crate) fn process_group(line: &str) -> Option<u32> {
    line.strip_prefix(MARK)?.parse().ok()
}

/// Sends `signal` (such as `TERM`) to a process group.
pub(crate) fn kill(user: &str, signal: &str, group: u32) -> String {
    as_root(user, &format!("kill -s {signal} -- -{group}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_is_one_word_whatever_is_in_it() {
        assert_eq!(quote("it's $HOME; rm"), r"'it'\''s $HOME; rm'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn only_other_users_need_sudo() {
        assert_eq!(as_root("root", "id -u"), "id -u");
        assert_eq!(as_root("admin", "id -u"), "sudo -n -- sh -c 'id -u'");
    }

    #[test]
    fn a_mark_says_the_process_group_and_other_lines_do_not() {
        assert_eq!(marked("root", "id"), "exec sh -c 'echo kubewright-process:$$; id'");
        assert_eq!(process_group("kubewright-process:4711"), Some(4711));
        assert_eq!(process_group("kubewright-process:"), None);
        assert_eq!(process_group("Welcome"), None);
        assert_eq!(kill("root", "TERM", 4711), "kill -s TERM -- -4711");
    }
}
