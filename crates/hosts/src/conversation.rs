//! What an agent printed, read line by line: noise, the hello, what it is doing, its answer.

use engine::Exit;
use machine::wire::PROTOCOL;
use machine::{Hello, Reply};

use crate::AgentError;

/// A conversation so far.
#[derive(Default)]
pub(crate) struct Conversation {
    hello: Option<u32>,
    answer: Option<Reply>,
}

impl Conversation {
    /// Takes the next line; gives what the agent says about its work.
    pub(crate) fn line(&mut self, line: &str) -> Option<Reply> {
        if self.hello.is_none() {
            // Login banners and the like stand before it.
            self.hello = serde_json::from_str::<Hello>(line).ok().map(|hello| hello.kubewright_agent);
            return None;
        }
        // A line that is none of ours comes from a program that the agent ran.
        let reply = serde_json::from_str::<Reply>(line).ok()?;
        if matches!(reply, Reply::Progress { .. } | Reply::Changed { .. }) {
            return Some(reply);
        }
        if !matches!(self.answer, Some(Reply::Failed { .. })) {
            self.answer = Some(reply);
        }
        None
    }

    /// The answer, now that the program has ended.
    pub(crate) fn answer(self, machine: &str, exit: Exit) -> Result<Reply, AgentError> {
        let machine = machine.to_owned();
        match (self.hello, self.answer) {
            (Some(theirs), _) if theirs != PROTOCOL => Err(AgentError::Protocol { machine, theirs, ours: PROTOCOL }),
            (_, Some(Reply::Failed { item, why, hint, output })) => {
                Err(AgentError::Failed { machine, item, why, hint, output })
            }
            (_, Some(answer)) => Ok(answer),
            // What a shell says when a program is not there, or is not one.
            (None, None) if matches!(exit.status, 126 | 127) => Err(AgentError::NotThere { machine }),
            (_, None) if exit.status == -1 => Err(AgentError::Lost { machine }),
            (_, None) => Err(AgentError::Ended { machine, status: exit.status, stderr: exit.stderr }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(lines: &[&str], status: i32) -> (Vec<Reply>, Result<Reply, AgentError>) {
        let mut conversation = Conversation::default();
        let notes = lines.iter().filter_map(|line| conversation.line(line)).collect();
        (notes, conversation.answer("w", Exit { status, stderr: vec!["last words".into()] }))
    }

    const HELLO: &str = r#"{"kubewrightAgent":1}"#;
    const DONE: &str = r#"{"reply":"done","changed":2}"#;

    #[test]
    fn noise_before_the_hello_is_ignored_even_if_it_looks_like_an_answer() {
        let (notes, answer) = hear(&["Welcome to Debian", DONE, HELLO, r#"{"reply":"progress","note":"x"}"#, DONE], 0);
        assert_eq!(notes, [Reply::Progress { note: "x".into() }]);
        assert_eq!(answer.unwrap(), Reply::Done { changed: 2 });
        assert!(matches!(hear(&[DONE], 0).1, Err(AgentError::Ended { .. })));
    }

    #[test]
    fn a_failure_is_not_overwritten_by_what_comes_after_it() {
        let failed = r#"{"reply":"failed","item":"file//x","why":"disk full","hint":null,"output":[]}"#;
        let (_, answer) = hear(&[HELLO, failed, DONE], 1);
        assert!(matches!(answer, Err(AgentError::Failed { item, .. }) if item == "file//x"));
    }

    #[test]
    fn the_end_without_an_answer_is_told_apart() {
        assert!(matches!(hear(&[], 127).1, Err(AgentError::NotThere { .. })));
        assert!(matches!(hear(&[HELLO], 127).1, Err(AgentError::Ended { status: 127, .. })));
        assert!(matches!(hear(&[HELLO], -1).1, Err(AgentError::Lost { .. })));
        assert!(matches!(hear(&[HELLO], 101).1, Err(AgentError::Ended { stderr, .. }) if stderr == ["last words"]));
    }

    #[test]
    fn an_agent_of_another_protocol_is_refused() {
        let (_, answer) = hear(&[r#"{"kubewrightAgent":9}"#, DONE], 0);
        assert!(matches!(answer, Err(AgentError::Protocol { theirs: 9, ours: 1, .. })));
    }
}
