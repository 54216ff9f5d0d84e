//! How much something that was heard is the user's business.

use glassline_wire::event::Event;

use super::mention;
use crate::session::update::Update;

/// From the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attention {
    /// Not said by anybody else: the user's own words, comings and goings.
    Nobody,
    /// Somebody said something.
    Everybody,
    /// Somebody mentioned the user, or wrote to the user only.
    ForMe,
}

/// Whose business it is, for the one who goes by `me`.
pub(crate) fn of(update: &Update, me: &str) -> Attention {
    match update {
        Update::Heard(Event::Message(message)) if message.from == me => Attention::Nobody,
        Update::Heard(Event::Message(message)) if mention::of(me, &message.text).is_empty() => Attention::Everybody,
        Update::Heard(Event::Message(_)) => Attention::ForMe,
        Update::Heard(Event::Direct(direct)) if direct.from != me => Attention::ForMe,
        _ => Attention::Nobody,
    }
}
