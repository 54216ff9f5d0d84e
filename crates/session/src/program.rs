//! Requests of a program that drives a session: each is answered.

use alloc::collections::VecDeque;

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Rejection};

use crate::prelude::*;

/// Prefix of the `ref`s of the session's own requests, so that no program may take one.
pub const OWN_REF_PREFIX: &str = "glassline-";
/// Requests under way that are answered in place of the server if the link is lost: the latest.
const PENDING_MAX: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Program {
    /// `ref`s of requests, other than messages, that the server has not answered.
    pending: VecDeque<String>,
    /// The server has sent it a `bye`.
    has_bye: bool,
}

impl Program {
    pub(crate) fn note_request(&mut self, reference: Option<&String>) {
        let Some(reference) = reference else { return };
        if self.pending.len() == PENDING_MAX {
            self.pending.pop_front();
        }
        self.pending.push_back(reference.clone());
    }

    pub(crate) fn note_event(&mut self, event: &Event, reference: Option<&str>) {
        let Some(reference) = reference.filter(|_| !matches!(event, Event::Message(_) | Event::Direct(_))) else {
            return;
        };
        self.has_bye |= matches!(event, Event::Bye(_));
        if let Some(at) = self.pending.iter().position(|waiting| waiting == reference) {
            self.pending.remove(at);
        }
    }

    pub(crate) fn has_bye(&self) -> bool {
        self.has_bye
    }

    /// Takes the requests that the server will not answer on this link; returns the answers.
    pub(crate) fn reject_pending(&mut self) -> Vec<Envelope<Rejection>> {
        let text = "the link ended before the answer came; ask again once there is another `welcome`";
        let pending = core::mem::take(&mut self.pending).into_iter();
        pending.map(|reference| Envelope::new(Rejection::new(ErrorCode::Busy, text), Some(reference))).collect()
    }
}
