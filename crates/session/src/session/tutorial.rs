//! Session in the tutorial dialect (T).

use glassline_wire::event::{Direct, Event, Message, Notice};
use glassline_wire::frame::DIRECT_SUFFIX;
use glassline_wire::request::{Ask, LOBBY, Request};

use super::{Session, brief};
use crate::connection::{SERVER_NAME, TutorialLink};
use crate::prelude::*;
use crate::status::SlashExecutor;
use crate::update::Update;
impl Session {
    pub(super) fn keep_tutorial_time(&mut self, now_ms: u64) {
        if !self.connection.tutorial_mut().is_some_and(|link| link.keep_time(now_ms)) {
            return;
        }
        // A silent server may be a tutorial server, or no chat server.
        if self.connection.first_bytes().foreign().is_some() {
            self.end_at_foreign();
            return;
        }
        let (address, me) = (&self.config.address, brief(self.identity.name()));
        self.notice(format!(
            "nothing has answered yet at {address}; what you say is sent as {me}, in the tutorial dialect"
        ));
    }

    /// Reports that the connection is established, once the server has answered as a chat.
    fn report_connected(&mut self) {
        if self.connection.tutorial_mut().is_some_and(TutorialLink::take_connected_notice) {
            let (address, me) = (&self.config.address, brief(self.identity.name()));
            self.notice(format!("connected to {address} as {me}, in the tutorial dialect"));
        }
    }

    pub(super) fn receive_tutorial_frame(&mut self, payload: &[u8], now_ms: u64) {
        let retries_events = self.connection.awaits_greeting() && self.connection.is_up();
        let Some(link) = self.connection.tutorial_mut() else { return };
        let is_first = !link.has_received();
        let Some((from, text)) = link.receive(payload, now_ms) else { return };
        if is_first && from == SERVER_NAME && retries_events {
            let has_sent = link.has_sent();
            self.return_to_events(has_sent, now_ms);
            return;
        }
        if let Some(name) = link.take_granted_name() {
            self.identity.rename(&name);
        }
        let has_direct = self.slash_executor() == SlashExecutor::Server && self.program.is_none();
        // A program gets what was sent.
        let writer = from.strip_suffix(DIRECT_SUFFIX).filter(|_| has_direct);
        let event = match writer {
            _ if from == SERVER_NAME => Event::Notice(Notice { text }),
            Some(writer) if !writer.is_empty() => Event::Direct(Direct {
                from: writer.to_owned(),
                to: self.identity.name().to_owned(),
                at: None,
                text,
                id: None,
            }),
            _ => Event::Message(message(from, text)),
        };
        self.report_connected();
        self.show(Update::Received(event));
    }

    /// Writes what waits in the outbox, as far as the window allows. What is written counts as
    /// sent: nothing more can be known.
    pub(super) fn send_texts(&mut self) {
        while self.connection.has_window() && !self.is_next_undecided() {
            self.close_next();
            let Some(request) = self.delivery.take_next() else { return };
            let Request { content: Ask::Send(send), reference } = request else { continue };
            let escapes = self.slash_executor() == SlashExecutor::Server;
            let wire_text = match (send.action, send.text.starts_with('/')) {
                (true, _) => format!("/me {}", send.text),
                (false, true) if escapes => format!("/{}", send.text),
                (false, _) => send.text.clone(),
            };
            self.connection.put_frame(wire_text.as_bytes());
            if let Some(link) = self.connection.tutorial_mut() {
                link.note_sent();
            }
            let event = Message {
                action: send.action,
                id: Some(send.id),
                sealed: None,
                ..message(self.identity.name().to_owned(), send.text)
            };
            self.show_answer(Update::Sent { event: Event::Message(event), acknowledged: false }, reference);
        }
    }

    /// Returns whether the next text may or may not need a second slash: that is known in a moment.
    fn is_next_undecided(&self) -> bool {
        self.slash_executor() == SlashExecutor::Undecided
            && self.delivery.texts().next().is_some_and(|(_, text)| text.starts_with('/'))
    }
}

/// Returns a message as the tutorial dialect knows it: without number, time or id.
fn message(from: String, text: String) -> Message {
    Message { room: LOBBY.to_owned(), seq: None, at: None, from, text, action: false, id: None, sealed: None }
}
