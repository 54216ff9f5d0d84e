//! `/reply`: bound to a person when it is begun, shown above the line, and asked about if somebody
//! else comes between.

use super::{Staleness, Terminal};
use crate::commands::is_reply;
use crate::format::reply::{DirectPeer, Reply, ReplyError};
use crate::format::safe::name;
use crate::format::{Span, StyledLine, TextRole};
use crate::session::Session;
use crate::session::update::Update;

impl Terminal {
    /// Binds a reply that has begun to whoever wrote last, and forgets one that is none any more.
    pub(super) fn bind_reply(&mut self) {
        if !is_reply(self.editor.text()) {
            self.reply = None;
        } else if self.reply.is_none() {
            self.reply = Some(Reply::to(self.pane.formatter().reply_peer()));
        }
    }

    /// Takes in what became of the people whom replies are for.
    pub(super) fn follow_people(&mut self, update: &Update) {
        self.pane.follow_people(update);
        if let Some(reply) = &mut self.reply {
            reply.follow(update);
            self.staleness = self.staleness.max(Staleness::Stale);
        }
    }

    /// The row above the line that says whom the reply in it answers.
    pub(super) fn reply_target(&self) -> Option<StyledLine> {
        let reply = self.reply.as_ref().filter(|_| self.editor.text().contains(char::is_whitespace))?;
        let to = reply.address().map_or_else(|| "nobody yet".into(), name);
        let concern = reply.concern(self.pane.formatter().reply_peer());
        let (role, text) = match concern {
            None => (TextRole::Faint, format!("reply to {to}")),
            Some(concern) => (TextRole::Mention, format!("reply to {to}: {concern}")),
        };
        Some(StyledLine { body: vec![Span::new(role, text)], ..StyledLine::default() })
    }

    /// Sends a reply to whom it was begun for; false if it stays in the line, because the user is
    /// asked first.
    pub(super) fn send_reply(&mut self, text: String, session: &mut Session, now_ms: u64) -> bool {
        let latest = self.pane.formatter().reply_peer();
        match self.reply.get_or_insert_with(|| Reply::to(latest)).decide(latest) {
            Ok(target) => return self.order(target.command(text), session, now_ms),
            Err(ReplyError::NoRecipient(words)) => self.print_notice(&[words]),
            Err(ReplyError::Confirm(_)) => {
                let to = self.reply.as_ref().and_then(Reply::address).or(latest.map(DirectPeer::name));
                let to = name(to.unwrap_or_default()).into_owned();
                self.hint = Some(format!("not sent yet: Enter again sends it to {to}, Ctrl-C drops it"));
                return false;
            }
        }
        true
    }
}
