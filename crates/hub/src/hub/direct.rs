//! Direct messages: to one person, and back to the sender as the acknowledgement.

use alloc::{
    format,
    string::{String, ToString},
};

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Away, Direct, ErrorCode, Event, Rejection};
use glassline_wire::message_id::MessageId;
use glassline_wire::visible;

use super::chat::hold_to_text_limit;
use crate::dialect::Dialect;
use crate::encode::pair;
use crate::hub::Hub;
use crate::id::MemberId;
use crate::member::Member;
use crate::moderation::check_text;
use crate::now::Now;

/// Direct message: its recipient and text, and the id and `ref` by which its sender knows it.
#[derive(Debug, Clone)]
pub(crate) struct DirectMessage<'a> {
    pub(crate) to: &'a str,
    pub(crate) text: &'a str,
    pub(crate) id: Option<MessageId>,
    pub(crate) reference: Option<String>,
}

impl Hub {
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
        reference: Option<String>,
        now: Now,
    ) -> Result<(), Rejection> {
        self.deliver(sender, &DirectMessage { to, text, id, reference }, now)
    }

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

    pub(crate) fn deliver(
        &mut self,
        sender: MemberId,
        direct_message: &DirectMessage<'_>,
        now: Now,
    ) -> Result<(), Rejection> {
        hold_to_text_limit(direct_message.text)?;
        let (recipient, _) = self.find(direct_message.to)?;
        self.check_direct_message(sender, recipient, now)?;
        check_text(direct_message.text)?;
        let Some(to) = self.members.get(recipient) else { return Ok(()) };
        let Some(from) = self.members.get(sender) else { return Ok(()) };
        if self.outbox_is_full(to) {
            let text = format!("{} is not reading just now; try again later", to.name());
            return Err(Rejection::new(ErrorCode::Busy, text));
        }
        let (from_name, to_name, recipient_dialect) = (from.name().to_string(), to.name().to_string(), to.dialect());
        let (sender_is_event, sender_token) = (from.dialect() == Dialect::Event, from.token());
        // Whoever is away knows it.
        let away = to.away().map(str::to_string).filter(|_| recipient != sender);
        let text = visible::relayed(direct_message.text).into_owned();
        let direct =
            Direct { from: from_name.clone(), to: to_name.clone(), at: Some(now.at), text, id: direct_message.id };
        let bytes = match recipient_dialect {
            // No name can hold an arrow, so nobody can pass a public text off as this.
            Dialect::Tutorial => pair(&format!("{from_name}→you"), &direct.text),
            Dialect::Event => Event::Direct(direct.clone()).to_frame(),
        };
        if recipient != sender || !sender_is_event {
            self.push_own(recipient, bytes);
        }
        if let Some(member) = self.members.get_mut(recipient) {
            member.note_direct_sender(sender, sender_token, &from_name);
        }
        if sender_is_event {
            self.tell(sender, Envelope::new(Event::Direct(direct), direct_message.reference.clone()));
        }
        if let Some(text) = away {
            self.tell_away(sender, &to_name, &text, direct_message.reference.clone());
        }
        Ok(())
    }

    /// Tells the sender of a direct message, in its own dialect, that the other side is away.
    fn tell_away(&mut self, sender: MemberId, name: &str, text: &str, reference: Option<String>) {
        match self.members.get(sender).map(Member::dialect) {
            Some(Dialect::Tutorial) => self.notify(sender, &format!("{name} is away: {text}")),
            Some(Dialect::Event) => {
                let away = Event::Away(Away { name: name.to_string(), text: Some(text.to_string()) });
                self.tell(sender, Envelope::new(away, reference));
            }
            None => {}
        }
    }
}
