//! Closed list of the reasons for which a connection ends, for logs and counters.

use glassline_wire::frame::HeaderError;
use strum::{IntoStaticStr, VariantArray};

/// Reason for which a connection ends; its text in logs and metrics is the variant in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub(crate) enum CloseReason {
    // Refused at login, or closed because of its input. `is_refusal` relies on the order.
    Banned,
    /// Evicted for a new connection while unregistered.
    CrowdedOut,
    EventDialectOnPureServer,
    /// The handshake of a link cannot be completed: the peer breaks its rules, or refuses the
    /// server.
    HandshakeFailed,
    HeaderEmpty,
    HeaderNotDecimal,
    HeaderTooLong,
    HelloRefused,
    HttpNotSpoken,
    /// A request for the page that is not served; its answer states why.
    HttpRefused,
    /// The server takes connections over another link only.
    LinkRequired,
    NameRefused,
    /// A secure link was opened inside another one.
    NestedLink,
    NoHello,
    NoNameInTime,
    NoiseNotSpoken,
    NotWatched,
    TlsNotSpoken,
    TooManyFromAddress,
    TooMuchBeforeWelcome,
    UnknownOpening,
    // Ended in another way.
    Bye,
    Closed,
    ClosedAtDoor,
    ClosedInsideFrame,
    FramedGoodbye,
    /// Its requests for the page were answered.
    HttpDone,
    Kicked,
    /// Bytes of its link were changed on the way, or are none of that link.
    LinkBroken,
    Quit,
    RawGoodbye,
    ReadsNothing,
    /// Did not read while too much was queued for all members.
    ReadsTooLittle,
    /// Cut off by the peer or the network.
    Reset,
    ServerClosing,
    SessionFailed,
    Silent,
    TakenOver,
    /// The stream ended without the end that its link announces.
    Truncated,
}

impl CloseReason {
    /// Returns whether the connection was refused, or closed because of its input.
    pub(crate) fn is_refusal(self) -> bool {
        (self as usize) < Self::Bye as usize
    }

    /// Returns whether a connection can end for this reason while its link is in its handshake.
    pub(crate) fn can_end_handshake(self) -> bool {
        use CloseReason::{
            ClosedAtDoor, CrowdedOut, HandshakeFailed, NoNameInTime, ReadsNothing, Reset, ServerClosing, SessionFailed,
        };
        matches!(
            self,
            ClosedAtDoor
                | CrowdedOut
                | HandshakeFailed
                | NoNameInTime
                | ReadsNothing
                | Reset
                | ServerClosing
                | SessionFailed
        )
    }
}

impl From<&HeaderError> for CloseReason {
    fn from(error: &HeaderError) -> Self {
        match error {
            HeaderError::Empty => Self::HeaderEmpty,
            HeaderError::NotDecimal { .. } => Self::HeaderNotDecimal,
            HeaderError::TooLong { .. } => Self::HeaderTooLong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_that_logs_and_dashboards_know() {
        let texts: Vec<&str> = CloseReason::VARIANTS.iter().map(CloseReason::into_str).collect();
        let expected = "banned crowded_out event_dialect_on_pure_server handshake_failed header_empty header_not_decimal \
                        header_too_long hello_refused http_not_spoken http_refused link_required name_refused nested_link no_hello \
                        no_name_in_time noise_not_spoken not_watched tls_not_spoken too_many_from_address \
                        too_much_before_welcome unknown_opening bye closed closed_at_door closed_inside_frame \
                        framed_goodbye http_done kicked link_broken quit raw_goodbye reads_nothing reads_too_little reset \
                        server_closing session_failed silent taken_over truncated";
        assert_eq!(texts.join(" "), expected);
        assert!(CloseReason::UnknownOpening.is_refusal() && !CloseReason::Bye.is_refusal());
    }
}
