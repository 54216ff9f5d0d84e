//! The unit that rules apply to: a frame, or both frames of a pair of the tutorial dialect.

use crate::frame::{Dialect, Direction, Frame, FrameKind};
use crate::meaning::Meaning;

/// Structure of a unit's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A header and JSON.
    Event,
    /// One frame that is a name.
    Name,
    /// One frame that is a text.
    Text,
    /// A frame that is a name, and one that is a text.
    Pair,
    /// A header and bytes that cannot be read.
    Payload,
    /// A TLS record.
    Record,
    /// No frame.
    Bytes,
}

/// A frame, or a pair as one frame: the bytes of both, with the number of the second.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) frame: Frame,
    pub(super) meaning: Meaning,
    pub(super) form: Form,
    pub(super) first_number: u64,
    /// Memory of its meaning, in bytes: JSON as a tree takes up to eighty times its text.
    meaning_bytes: usize,
}

impl Unit {
    pub(super) fn new(frame: Frame, meaning: Meaning) -> Self {
        let form = match (frame.kind, frame.dialect, meaning.kind.as_str()) {
            (FrameKind::Payload, _, "") => Form::Payload,
            (FrameKind::Payload, Dialect::Event, _) => Form::Event,
            (FrameKind::Payload, _, "name") => Form::Name,
            (FrameKind::Payload, ..) => Form::Text,
            (FrameKind::Record(_), ..) => Form::Record,
            (
                FrameKind::Http | FrameKind::Control(_) | FrameKind::Opening | FrameKind::Goodbye | FrameKind::Raw(_),
                ..,
            ) => Form::Bytes,
        };
        Self { first_number: frame.number, meaning_bytes: meaning.held_bytes(), frame, meaning, form }
    }

    /// Returns whether this is the first half of a pair.
    pub(super) fn begins_pair(&self) -> bool {
        self.form == Form::Name && self.frame.direction == Direction::ToClient
    }

    /// Returns whether this is the second half of a pair, if a first one precedes it.
    pub(super) fn ends_pair(&self) -> bool {
        matches!(self.form, Form::Text | Form::Payload)
    }

    /// The pair of a name and this text.
    pub(super) fn paired_with(self, name: Self) -> Self {
        let mut bytes = name.frame.bytes;
        bytes.extend_from_slice(&self.frame.bytes);
        Self {
            frame: Frame { offset: name.frame.offset, bytes, ..self.frame },
            meaning: self.meaning,
            form: if self.form == Form::Text { Form::Pair } else { Form::Payload },
            first_number: name.first_number,
            meaning_bytes: self.meaning_bytes,
        }
    }

    /// Returns the memory of its bytes and its meaning, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.frame.bytes.len() + self.meaning_bytes
    }
}
