//! The operators' order at the sockets: banned addresses are turned away, whom an act throws out is closed, acts are logged.

use glassline_hub::{AuditEvent, Disconnect, server_pair};
use glassline_wire::event::{AuditEntry, Event};
use glassline_wire::visible;
use tracing::{info, warn};

use crate::net::reactor::Reactor;
use crate::net::socket::Socket;

impl<L: Socket> Reactor<L> {
    /// Turns a connection away whose address is banned, now that there is a dialect to say it in. Returns whether it was.
    pub(crate) fn is_turned_away(&mut self, index: usize, is_event: bool) -> bool {
        let Some(connection) = self.connections.get(index) else { return true };
        let Err(refused) = self.hub.check_address(connection.peer.ip(), self.now) else { return false };
        let words = if is_event { Event::Error(refused.clone()).to_frame() } else { server_pair(&refused.text) };
        self.refuse(index, "banned", &refused.text, words);
        true
    }

    /// Closes whom operators have thrown out, and logs what they did.
    pub(crate) fn keep_order(&mut self) {
        while let Some(happening) = self.hub.take_audit_event() {
            match happening {
                AuditEvent::Act(act) => log_act(&act),
                AuditEvent::AheadOfHistory { room, seen, newest } => {
                    if let Some(history) = &mut self.history {
                        history.note_ahead(&room, seen, newest, self.now.monotonic_ms);
                    }
                }
                AuditEvent::WrongToken { connection, left } => {
                    self.counters.add("wrong_token");
                    if let Some(connection) = self.connections.get(connection) {
                        let name =
                            connection.member.map(|member| visible::one_line(self.hub.name(member)).into_owned());
                        warn!(peer = %connection.peer, name, attempts_left = left, "a wrong operator token");
                    }
                }
            }
        }
        while let Some(Disconnect { member, connection, reason, words }) = self.hub.take_disconnect() {
            // It may have left by itself meanwhile.
            if self.connections.get(connection).is_some_and(|connection| connection.member == Some(member)) {
                self.part(connection, reason, words);
            }
        }
    }
}

/// The audit log's line; names and reasons are quoted, so that nothing of them is obeyed by a terminal.
fn log_act(act: &AuditEntry) {
    let shown = |text: &Option<String>| text.as_deref().map(|text| visible::one_line(text).into_owned());
    let (by, who, text) = (visible::one_line(&act.by), shown(&act.who), shown(&act.text));
    let until = act.until.map(|until| until.to_string());
    info!(by = &*by, act = act.act.as_str(), who, until, text, "operator");
}
