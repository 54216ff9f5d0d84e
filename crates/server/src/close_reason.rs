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
    HeaderEmpty,
    HeaderNotDecimal,
    HeaderTooLong,
    HelloRefused,
    HttpNotSpoken,
    NameRefused,
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
    Kicked,
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
}

impl CloseReason {
    /// Returns whether the connection was refused, or closed because of its input.
    pub(crate) fn is_refusal(self) -> bool {
        (self as usize) < Self::Bye as usize
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
        let expected = "banned crowded_out event_dialect_on_pure_server header_empty header_not_decimal header_too_long \
                        hello_refused http_not_spoken name_refused no_hello no_name_in_time noise_not_spoken not_watched \
                        tls_not_spoken too_many_from_address too_much_before_welcome unknown_opening bye closed \
                        closed_at_door closed_inside_frame framed_goodbye kicked quit raw_goodbye reads_nothing \
                        reads_too_little reset server_closing session_failed silent taken_over";
        assert_eq!(texts.join(" "), expected);
        assert!(CloseReason::UnknownOpening.is_refusal() && !CloseReason::Bye.is_refusal());
    }
}
