//! Page of messages that fits one `history` event.

use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, History, Message};
use glassline_wire::limits::{EVENT_BYTES_MAX, PAGE_MESSAGES_MAX, REF_BYTES_MAX};

/// Bytes of JSON that one byte of a string takes at most.
const ESCAPED_BYTES_MAX: usize = 6;

/// Counter of the messages that still fit.
#[derive(Clone)]
pub(super) struct PageBuilder {
    messages_left: usize,
    bytes_left: usize,
    empty: bool,
}

impl PageBuilder {
    /// Begins a page of `room` with at most `limit` messages.
    pub(super) fn new(room: &str, limit: Option<u64>) -> Self {
        // The longest `ref`: one letter per byte, plus the worst case of escaping.
        let history = Event::History(History { room: room.to_string(), messages: Vec::new(), more: true });
        let envelope = Envelope::new(history, Some("r".repeat(REF_BYTES_MAX)));
        let envelope_bytes = envelope.to_json().len() + (ESCAPED_BYTES_MAX - 1) * REF_BYTES_MAX;
        Self { messages_left: limit_of(limit), bytes_left: EVENT_BYTES_MAX.saturating_sub(envelope_bytes), empty: true }
    }

    /// Begins a page of at most `limit` messages, whatever their size.
    pub(super) fn unbounded_bytes(limit: Option<u64>) -> Self {
        Self { messages_left: limit_of(limit), bytes_left: usize::MAX, empty: true }
    }

    /// Returns whether not even a short message fits.
    pub(super) fn is_full(&self) -> bool {
        self.messages_left == 0
    }

    /// Returns whether the message fits, even if it is the first.
    pub(super) fn fits(&self, message: &Message) -> bool {
        bytes_of(message) <= self.bytes_left
    }

    /// Adds a message. Returns false if it does not fit; the first one always does.
    pub(super) fn try_push(&mut self, message: &Message) -> bool {
        let bytes = bytes_of(message);
        if self.messages_left == 0 || (bytes > self.bytes_left && !self.empty) {
            return false;
        }
        self.messages_left -= 1;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.empty = false;
        true
    }
}

/// Returns the bytes of a message in a list, with its comma. Serialising to memory cannot fail.
fn bytes_of(message: &Message) -> usize {
    serde_json::to_vec(message).map_or(0, |json| json.len()) + 1
}

pub(super) fn limit_of(limit: Option<u64>) -> usize {
    limit.map_or(PAGE_MESSAGES_MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX).clamp(1, PAGE_MESSAGES_MAX))
}

#[cfg(test)]
mod tests {
    use glassline_wire::timestamp::Timestamp;

    use super::*;

    /// The longest there may be: every byte of text becomes six.
    fn worst(seq: u64) -> Message {
        Message {
            room: "\"".repeat(64),
            seq: Some(seq),
            at: Some(Timestamp::MAX),
            from: "\"".repeat(64),
            text: "\0".repeat(16 * 1024),
            action: true,
            id: Some(glassline_wire::message_id::MessageId(u128::MAX)),
            sealed: None,
        }
    }

    #[test]
    fn whatever_is_taken_fits_an_event_with_the_worst_ref() {
        for text_bytes in [0, 1, 100, 471, 1_000, 5_000, 16_384] {
            let mut builder = PageBuilder::new(&worst(1).room, None);
            let mut messages = Vec::new();
            for seq in 1_u64.. {
                let mut message = worst(seq);
                message.text.truncate(text_bytes);
                if !builder.try_push(&message) {
                    break;
                }
                messages.push(message);
            }
            let count = messages.len();
            let event = Event::History(History { room: worst(1).room, messages, more: true });
            let bytes = Envelope::new(event, Some("\0".repeat(REF_BYTES_MAX))).to_json().len();
            assert!((1..=PAGE_MESSAGES_MAX).contains(&count), "{count}");
            assert!(bytes <= EVENT_BYTES_MAX, "{count} messages of {text_bytes} bytes: {bytes}");
            assert!(count == PAGE_MESSAGES_MAX || bytes + 6 * text_bytes + 400 > EVENT_BYTES_MAX, "{count}: wasteful");
        }
    }
}
