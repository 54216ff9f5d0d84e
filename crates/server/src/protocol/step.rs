//! Outcome of a session taking bytes in, for its connection.

use glassline_hub::MemberId;
use glassline_wire::link::LinkKind;

use crate::close_reason::CloseReason;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It continues; all input was taken.
    Continue,
    /// It continues later: the rest of the input waits.
    Pause(Pause),
    /// A secure link begins with these bytes; its protocol is sniffed inside.
    StartLink { link: LinkKind, opening: Vec<u8> },
    /// A WebSocket begins: `response` ends HTTP, `first_bytes` came behind the request.
    StartWebSocket { response: Vec<u8>, first_bytes: Vec<u8> },
    /// It ends: its queued output is still sent, then this output. `detail` is for the log.
    Close { reason: CloseReason, detail: String, output: Vec<u8> },
}

impl Step {
    /// Returns the end of a connection about which there is no more to say, such as one that left in
    /// order (T6).
    pub(crate) fn leave(reason: CloseReason, output: Vec<u8>) -> Self {
        Self::Close { reason, detail: String::new(), output }
    }

    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Close { .. })
    }
}

/// Cause for which a session takes nothing more in for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The flood limit delays it for so many milliseconds.
    Flood { resume_after_ms: u64 },
    /// It must read some of what is queued for it first.
    SendQueue,
    /// The members of its room must be written to first: the next turn resumes it.
    FanOut,
    /// The holder of the name it claims is probed.
    Takeover { holder: MemberId },
    /// The history has to store its message, or to answer its query.
    History,
}
