//! State of one connection in the tutorial dialect (T).

use super::current_room::CurrentRoom;
use crate::limits::NAME_BYTES_MAX;
use crate::prelude::*;
use crate::status::SlashExecutor;

/// Name of a server's own messages (T9).
pub(crate) const SERVER_NAME: &str = "*";
/// Time within which a server that sends notices has sent the first.
const FIRST_NOTICE_MS: u64 = 500;
/// If the server's first notice is a refusal, its close arrives with it, or this much later at the
/// most.
const CLOSE_AFTER_NOTICE_MS: u64 = 100;
/// A server with commands greets; a later `*` may be a member of a server that has none
/// and forbids no name.
const GREETING_MS: u64 = 3_000;

#[derive(Debug, Default)]
pub(crate) struct TutorialLink {
    /// First half of a pair whose second half has not arrived (T4).
    from: Option<String>,
    /// The server has greeted as `*`: it has commands, and it takes `//` for `/`.
    server_greeted: bool,
    /// Until then the first pair decides whether the server sends notices; `None`: that pair has
    /// arrived.
    greeting_until_ms: Option<u64>,
    has_member_pair: bool,
    last_notice: Option<String>,
    undecided_until_ms: Option<u64>,
    /// Until then the server may be about to refuse the name; `None`: it has not.
    on_trial_until_ms: Option<u64>,
    notice: Notice,
    has_sent: bool,
    current_room: CurrentRoom,
    /// Name that the server gave in its first notice, where it is not the one asked for.
    granted_name: Option<String>,
}

/// Last notice given about a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Notice {
    #[default]
    None,
    /// That nothing has answered yet.
    Silent,
    /// That it is established.
    Connected,
}

impl TutorialLink {
    pub(super) fn new(now_ms: u64) -> Self {
        Self {
            greeting_until_ms: Some(now_ms + GREETING_MS),
            undecided_until_ms: Some(now_ms + FIRST_NOTICE_MS),
            on_trial_until_ms: Some(now_ms + FIRST_NOTICE_MS),
            ..Self::default()
        }
    }

    pub(super) fn next_deadline_ms(&self) -> Option<u64> {
        [self.undecided_until_ms, self.on_trial_until_ms].into_iter().flatten().min()
    }

    /// Expires deadlines; returns whether the notice of a missing answer is due.
    pub(crate) fn keep_time(&mut self, now_ms: u64) -> bool {
        for until in [&mut self.undecided_until_ms, &mut self.on_trial_until_ms] {
            *until = until.filter(|&until_ms| now_ms < until_ms);
        }
        let is_silent = self.undecided_until_ms.is_none() && self.notice == Notice::None;
        if is_silent {
            self.notice = Notice::Silent;
        }
        is_silent
    }

    /// Returns whether the notice of an established connection is due, which it is once.
    pub(crate) fn take_connected_notice(&mut self) -> bool {
        core::mem::replace(&mut self.notice, Notice::Connected) != Notice::Connected
    }

    pub(crate) fn is_on_trial(&self) -> bool {
        self.on_trial_until_ms.is_some()
    }

    /// Returns whether a pair has arrived.
    pub(crate) fn has_received(&self) -> bool {
        self.greeting_until_ms.is_none()
    }

    pub(crate) fn has_sent(&self) -> bool {
        self.has_sent
    }

    pub(crate) fn note_sent(&mut self) {
        self.has_sent = true;
    }

    pub(crate) fn slash_executor(&self) -> SlashExecutor {
        if self.server_greeted {
            SlashExecutor::Server
        } else if self.undecided_until_ms.is_some() {
            SlashExecutor::Undecided
        } else {
            SlashExecutor::Nobody
        }
    }

    pub(crate) fn room(&self) -> Option<&str> {
        self.current_room.name()
    }

    /// Returns whether what is said now may come into such a room.
    pub(crate) fn may_be_in(&self, is_such: impl Fn(&str) -> bool) -> bool {
        self.current_room.may_be(is_such)
    }

    /// Records that a line is sent to the server as its command.
    pub(crate) fn note_command(&mut self, line: &str) {
        self.current_room.note_command(line);
    }

    /// Returns the last notice of the server, if nobody else sent anything.
    pub(super) fn only_notice(&self) -> Option<&str> {
        if self.has_member_pair { None } else { self.last_notice.as_deref() }
    }

    pub(crate) fn take_granted_name(&mut self) -> Option<String> {
        self.granted_name.take()
    }

    /// Processes a frame; returns the pair that it completes.
    pub(crate) fn receive(&mut self, payload: &[u8], now_ms: u64) -> Option<(String, String)> {
        let text = String::from_utf8_lossy(payload).into_owned();
        let Some(from) = self.from.take() else {
            let mut from = text;
            from.truncate(from.floor_char_boundary(NAME_BYTES_MAX));
            self.from = Some(from);
            return None;
        };
        self.undecided_until_ms = None;
        let is_greeting = self.greeting_until_ms.take().is_some_and(|until_ms| now_ms < until_ms);
        if from == SERVER_NAME {
            self.server_greeted |= is_greeting;
            self.granted_name = granted_name(&text).filter(|_| is_greeting).map(str::to_owned);
            self.current_room.note_notice(&text);
            self.last_notice = Some(text.clone());
            self.on_trial_until_ms =
                self.on_trial_until_ms.map(|until_ms| until_ms.min(now_ms + CLOSE_AFTER_NOTICE_MS));
        } else {
            self.has_member_pair = true;
            self.on_trial_until_ms = None;
        }
        Some((from, text))
    }
}

/// Returns the name in `root is taken; you are root-2; /nick changes it` (T10). Another server may
/// word it otherwise; then it is not known.
fn granted_name(notice: &str) -> Option<&str> {
    let (_, name) = notice.strip_suffix("; /nick changes it")?.rsplit_once("; you are ")?;
    (!name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_whitespace)).then_some(name)
}
