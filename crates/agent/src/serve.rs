//! One request in, replies out.

use std::io::{Read, Write};

use machine::{Reply, Request};

use crate::apply::{self, Apply};
use crate::facts;
use crate::failure::{Failure, Outcome};
use crate::observe::{self, Observe};
use crate::replies::Replies;
use crate::reset;
use crate::run;
use crate::system::System;

/// Says hello, reads the request, answers it. Whether the last reply was anything but `Failed`.
pub(crate) fn serve(system: &System, input: &mut dyn Read, output: &mut dyn Write) -> bool {
    let mut replies = Replies::new(output);
    replies.hello();
    let outcome = read(input).and_then(|request| answer(system, request, &mut replies));
    let good = outcome.is_ok();
    replies.send(&outcome.unwrap_or_else(Failure::into_reply));
    good
}

fn read(input: &mut dyn Read) -> Outcome<Request> {
    let mut text = Vec::new();
    input.read_to_end(&mut text).map_err(|error| Failure::new("request", error))?;
    // Not the error itself: it may quote a value, and values may be secret.
    serde_json::from_slice(&text).map_err(|error| {
        let why =
            format!("it can't be read ({:?} at line {}, column {})", error.classify(), error.line(), error.column());
        Failure::new("request", why).hint("kubewright and the agent on the machine are of different versions")
    })
}

fn answer(system: &System, request: Request, replies: &mut Replies<'_>) -> Outcome<Reply> {
    match request {
        Request::Facts => return Ok(Reply::Facts { facts: facts::gather(system) }),
        Request::Observe { config, digest_key, deep, probe } => {
            return observe::observe(system, Observe { config: *config, digest_key, deep, probe });
        }
        Request::Apply { config, digest_key, epoch, lineage, etcd_recorded } => {
            apply::apply(system, Apply { config: *config, digest_key, epoch, lineage, etcd_recorded }, replies)?;
        }
        Request::Run { steps, epoch } => run::run(system, &steps, epoch, replies)?,
        Request::Reset { epoch } => reset::reset(system, epoch, replies)?,
    }
    Ok(Reply::Done { changed: replies.count() })
}
