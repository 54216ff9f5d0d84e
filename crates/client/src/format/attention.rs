//! Degree to which an event concerns the user.

use glassline_session::Update;
use glassline_wire::event::Event;

use super::{StyledLine, TextRole};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attention {
    /// The user's own messages, joins and leaves.
    Nobody,
    /// A message of another user, or a gap.
    Everybody,
    /// A mention of the user, or a direct message.
    ForMe,
}

/// Returns the attention that an update deserves from the user `me`, to whom these lines are shown.
pub(crate) fn of(update: &Update, me: &str, lines: &[StyledLine]) -> Attention {
    match update {
        Update::Received(Event::Message(message)) if message.from == me => Attention::Nobody,
        Update::Received(Event::Message(_)) if has_mention(lines) => Attention::ForMe,
        Update::Received(Event::Message(_) | Event::Gap(_)) => Attention::Everybody,
        Update::Received(Event::Direct(direct)) if direct.from != me => Attention::ForMe,
        _ => Attention::Nobody,
    }
}

fn has_mention(lines: &[StyledLine]) -> bool {
    lines.iter().flat_map(|line| &line.body).any(|span| span.role == TextRole::Mention)
}
