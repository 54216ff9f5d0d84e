//! Actions of rules on frames.

use serde_json::{Map, Value};

use crate::faults::Pace;
use crate::line::End;

/// Treatment of the bytes of a frame, or of a pair of the tutorial dialect. Times are in
/// microseconds.
#[derive(Debug, Clone, PartialEq, strum::EnumDiscriminants)]
#[strum_discriminants(name(ActionKind), vis(pub(crate)), strum(serialize_all = "snake_case"))]
#[strum_discriminants(derive(strum::EnumString, strum::IntoStaticStr, strum::VariantNames))]
pub enum Action {
    /// Does not forward it.
    Drop,
    /// Forwards it later. What follows waits behind it, as on a slow link.
    Delay {
        /// Shortest time that it waits.
        delay_us: u64,
        /// Longest time that is added to it.
        jitter_us: u64,
    },
    /// Forwards it and so many copies of it.
    Duplicate {
        /// Number of copies.
        copies: u32,
    },
    /// Forwards it after frames that followed it.
    Reorder(Postponement),
    /// Forwards it now and, unchanged, once more later.
    Replay(Postponement),
    /// Forwards its first bytes and ends. Whatever the sender sends afterwards is discarded.
    Cut {
        /// A FIN for the receiver, or a reset for both.
        end: End,
        /// Bytes of the frame that still pass.
        after_bytes: usize,
    },
    /// Lets nothing pass for a time, from this frame on.
    Stall {
        /// The time.
        duration_us: u64,
        /// True if the other direction stands still as well.
        both_directions: bool,
    },
    /// Writes it in slices, with a pause after each.
    Slice(Pace),
    /// Writes it at this rate.
    Throttle {
        /// Bytes in a second; at least 1.
        bytes_per_s: u64,
    },
    /// Inverts one bit.
    #[strum_discriminants(strum(serialize = "flip"))]
    FlipBit {
        /// Place of the bit, from 0 at the most significant one of the first byte of the header.
        /// Without it, the seed chooses a bit of the payload.
        bit: Option<u64>,
    },
    /// Changes fields, and encodes the frame again.
    Edit(Vec<Edit>),
    /// Forwards this in place of the frame.
    Send(Content),
    /// Forwards the frame, and something more that was never sent.
    Inject(Injection),
    /// Changes the name of its speaker.
    Impersonate {
        /// The name.
        name: String,
        /// Other words, if they are not to stay.
        text: Option<String>,
    },
    /// Closes the connection at its `GLASSLINE2`, so that a client falls back to the tutorial
    /// dialect (D3). Clients that know the server, or were told a dialect, do not fall back.
    Downgrade,
    /// Waits for a decision by hand.
    Hold {
        /// Time after which the frame passes unchanged.
        timeout_us: u64,
    },
    /// Waits for the decision of a program.
    Hook {
        /// The program and its arguments.
        command: Vec<String>,
        /// Time after which the frame passes unchanged.
        timeout_us: u64,
    },
}

/// Condition until which something is kept back: so many frames of its direction have passed, or
/// a time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Postponement {
    /// Frames that pass first.
    pub frames: u64,
    /// Time after which it is forwarded in any case.
    pub at_most_us: u64,
}

/// A change of one field. `name` is the speaker's name in whatever field states it; `name` and
/// `text` are the two frames of a tutorial pair.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Gives a field that is there another value.
    Set {
        /// The field.
        field: String,
        /// The value.
        value: Value,
    },
    /// Gives a field a value, whether it is there or not. Events only.
    Add {
        /// The field.
        field: String,
        /// The value.
        value: Value,
    },
    /// Replaces every occurrence of some words in the field, if it is a text.
    Replace {
        /// The field.
        field: String,
        /// The words, not empty.
        old: String,
        /// The words in their place.
        new: String,
    },
}

impl Edit {
    /// Returns the field.
    pub fn field(&self) -> &str {
        match self {
            Self::Set { field, .. } | Self::Add { field, .. } | Self::Replace { field, .. } => field,
        }
    }
}

/// Bytes that a rule sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// A frame of either dialect with this payload.
    Payload(Vec<u8>),
    /// A request or an event. A `send` or `direct` without an `id` gets one from the seed.
    Event(Map<String, Value>),
    /// A pair of the tutorial dialect, for a client.
    Pair {
        /// The name.
        name: String,
        /// The text.
        text: String,
    },
}

/// Something that is sent beside a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Injection {
    /// The bytes.
    pub content: Content,
    /// True if it goes to the sender of the frame, not to its receiver.
    pub backwards: bool,
    /// True if it goes before the frame. To the sender of the frame it goes at the next boundary
    /// between two messages.
    pub before: bool,
}

impl Action {
    /// Returns its name in rules.
    pub fn name(&self) -> &'static str {
        ActionKind::from(self).into()
    }

    /// Returns whether the receiver gets the bytes that were sent, in their order, only later or
    /// in other slices. Such an action has effect on `GLASSLINE2` as well, which other actions
    /// pass over unless the rule names it.
    pub(crate) fn keeps_bytes(&self) -> bool {
        matches!(self, Self::Delay { .. } | Self::Stall { .. } | Self::Slice(_) | Self::Throttle { .. })
    }
}
