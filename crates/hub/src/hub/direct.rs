//! Direct messages: to one member, and back to the sender as the acknowledgement.

use alloc::format;
use alloc::string::ToString;

use glassline_wire::event::{Away, Direct, ErrorCode, Event, Rejection};
use glassline_wire::message_id::MessageId;
use glassline_wire::visible;

use crate::Now;
use crate::dialect::Dialect;
use crate::hub::{Hub, Reply, ReplyResult};
use crate::id::MemberId;
use crate::member::Member;
use crate::text::{check_message_length, check_no_token};

impl Hub {
    /// Checks that the member named `to` now is the one that has written to this member, as a reply
    /// requires.
    ///
    /// # Errors
    /// No member has the name, or it may be another client's.
    pub fn check_reply(&self, id: MemberId, to: &str) -> Result<(), Rejection> {
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

    /// Returns the member that wrote to this one last, on its present connection.
    pub(super) fn latest_direct_sender(&self, id: MemberId) -> Option<&Member> {
        let (sender, token) = self.members.get(id)?.latest_direct_sender()?;
        self.members.get(sender).or_else(|| self.members.values().find(|member| member.token() == token))
    }

    /// Sends a text to one person.
    ///
    /// # Errors
    /// Unknown name, the text is empty or too long, the recipient has stopped reading, or the member
    /// may not send messages.
    pub fn send_direct(
        &mut self,
        sender: MemberId,
        to: &str,
        text: &str,
        id: Option<MessageId>,
        now: Now,
    ) -> ReplyResult {
        check_message_length(text)?;
        let (recipient, to) = self.find(to)?;
        // To an operator everybody may write.
        if !to.is_operator() {
            self.check_speech(sender, now)?;
        }
        check_no_token(text)?;
        let (Some(to), Some(from)) = (self.members.get(recipient), self.members.get(sender)) else {
            return Ok(Reply::Nothing);
        };
        if self.send_queue_is_full(to) {
            let text = format!("{} is not reading just now; try again later", to.name());
            return Err(Rejection::new(ErrorCode::Busy, text));
        }
        let (from_name, to_name) = (from.name().to_string(), to.name().to_string());
        let (sender_is_event, sender_token) = (from.dialect() == Dialect::Event, from.token());
        // A member that is away knows it.
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
