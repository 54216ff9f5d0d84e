//! Effects of the hub beyond its output: log events, and members that an act disconnects.

use glassline_hub::{Disconnect, LogEvent};
use glassline_wire::event::{AuditEntry, ErrorCode};
use glassline_wire::visible;
use tracing::{info, warn};

use crate::close_reason::CloseReason;
use crate::metrics::Counted;
use crate::net::reactor::Reactor;
use crate::net::transport::Socket;

impl<S: Socket> Reactor<S> {
    /// Logs the hub's events, and closes the connections that operators ended.
    pub(super) fn apply_hub_effects(&mut self) {
        while let Some(event) = self.hub.take_log_event() {
            match event {
                LogEvent::Act(act) => log_act(&act),
                LogEvent::ClientAheadOfHistory { room, seen, newest } => {
                    if let Some(history) = &mut self.history {
                        history.note_ahead(&room, seen, newest, self.now.monotonic_ms);
                    }
                }
                LogEvent::WrongToken { connection, left } => {
                    self.counters.add(Counted::WrongToken);
                    let key = self.connections.key_at(connection);
                    if let Some(connection) = key.and_then(|key| self.connections.get(key)) {
                        let name =
                            connection.member().map(|member| visible::one_line(self.hub.name(member)).into_owned());
                        warn!(peer = %connection.peer(), name, attempts_left = left, "a wrong operator token");
                    }
                }
            }
        }
        while let Some(Disconnect { member, connection, code, output }) = self.hub.take_disconnect() {
            // It may have left already.
            let Some(key) = self.connections.key_at(connection) else { continue };
            if self.connections.get(key).is_some_and(|connection| connection.member() == Some(member)) {
                let reason = if code == ErrorCode::Banned { CloseReason::Banned } else { CloseReason::Kicked };
                self.drain(key, reason, &output);
            }
        }
    }
}

/// Writes the audit log's line; names and reasons are quoted, so that a terminal interprets nothing
/// in them.
fn log_act(act: &AuditEntry) {
    let shown = |text: &Option<String>| text.as_deref().map(|text| visible::one_line(text).into_owned());
    let (by, who, text) = (visible::one_line(&act.by), shown(&act.who), shown(&act.text));
    let until = act.until.map(|until| until.to_string());
    info!(by = &*by, act = <&str>::from(act.act), who, until, text, "operator");
}
