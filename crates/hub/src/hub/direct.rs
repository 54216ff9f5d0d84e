//! Direct messages: to one person, and back to the sender as the acknowledgement.

use alloc::{format, string::ToString};

use glassline_wire::event::{Away, Direct, ErrorCode, Event, Rejection};
use glassline_wire::message_id::MessageId;
use glassline_wire::visible;

use super::chat::hold_to_text_limit;
use crate::dialect::Dialect;
use crate::hub::{Hub, Reply};
use crate::id::MemberId;
use crate::member::Member;
use crate::moderation::check_text;
use crate::now::Now;

impl Hub {
    /// Checks that whoever has the name `to` now is the one who has written to this member, as a
    /// reply requires.
    ///
    /// # Errors
    /// Nobody has the name, or it may be that of somebody else.
    pub fn check_writer(&self, id: MemberId, to: &str) -> Result<(), Rejection> {
        let (_, recipient) = self.find(to)?;
        let name = recipient.name();
        if self.members.get(id).is_some_and(|member| member.replies_to(recipient.token(), name)) {
            return Ok(());
        }
        let text = format!(
            "{name} has not written to you on this connection, or somebody else has under this name, so this may be \
             somebody else than whom you answer; /msg {name} TEXT writes to whoever has the name"
        );
        Err(Rejection::new(ErrorCode::UnknownName, text))
    }

    /// Returns whoever wrote to this member last, on whatever connection it is now.
    pub(crate) fn latest_writer(&self, id: MemberId) -> Option<&Member> {
        let (sender, token) = self.members.get(id)?.latest_direct_sender()?;
        self.members.get(sender).or_else(|| self.members.values().find(|member| member.token() == token))
    }

    /// Sends a text to one person.
    ///
    /// # Errors
    /// Nobody has the name, the text is empty or too long, the other side has stopped reading, or the member may not
    /// speak.
    pub fn send_direct(
        &mut self,
        sender: MemberId,
        to: &str,
        text: &str,
        id: Option<MessageId>,
        now: Now,
    ) -> Result<Reply, Rejection> {
        hold_to_text_limit(text)?;
        let (recipient, _) = self.find(to)?;
        self.check_direct_message(sender, recipient, now)?;
        check_text(text)?;
        let (Some(to), Some(from)) = (self.members.get(recipient), self.members.get(sender)) else {
            return Ok(Reply::Nothing);
        };
        if self.outbox_is_full(to) {
            let text = format!("{} is not reading just now; try again later", to.name());
            return Err(Rejection::new(ErrorCode::Busy, text));
        }
        let (from_name, to_name) = (from.name().to_string(), to.name().to_string());
        let (sender_is_event, sender_token) = (from.dialect() == Dialect::Event, from.token());
        // Whoever is away knows it.
        let away = to.away().map(str::to_string).filter(|_| recipient != sender);
        let direct = Event::Direct(Direct {
            from: from_name.clone(),
            to: to_name.clone(),
            at: Some(now.at),
            text: visible::relayed(text).into_owned(),
            id,
        });
        if let Some(member) = self.members.get_mut(recipient) {
            member.note_direct_sender(sender, sender_token, &from_name);
        }
        if recipient != sender || !sender_is_event {
            self.send(recipient, direct.clone());
        }
        let acknowledgement = sender_is_event.then_some(direct);
        let away = away.map(|text| Event::Away(Away { name: to_name, text: Some(text) }));
        Ok(Reply::Events(acknowledgement.into_iter().chain(away).collect()))
    }
}
