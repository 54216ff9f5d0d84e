//! Events of a connection, recorded now or later.

use std::borrow::Cow;

use super::{Addresses, Recorder, RecordingError, Side};
use crate::frame::Direction;
use crate::line::End;

/// Something that happened on a connection, for [`Recorder`].
#[derive(Debug, Clone)]
pub(crate) enum Event<'a> {
    /// As [`Recorder::opened`].
    Opened(Addresses),
    /// As [`Recorder::data`].
    Data { side: Side, direction: Direction, bytes: Cow<'a, [u8]>, comment: Option<Cow<'a, str>> },
    /// As [`Recorder::relayed`].
    Relayed { direction: Direction, bytes: Cow<'a, [u8]> },
    /// As [`Recorder::ended`].
    Ended { side: Side, direction: Direction, end: End },
    /// As [`Recorder::closed`].
    Closed,
}

impl Event<'_> {
    /// Records it.
    pub(crate) fn record(&self, recorder: &mut Recorder, connection: u64, at_us: u64) -> Result<(), RecordingError> {
        match self {
            Self::Opened(addresses) => recorder.opened(connection, addresses, at_us),
            Self::Data { side, direction, bytes, comment } => {
                recorder.data(connection, *side, *direction, bytes, at_us, comment.as_deref())
            }
            Self::Relayed { direction, bytes } => recorder.relayed(connection, *direction, bytes, at_us),
            Self::Ended { side, direction, end } => recorder.ended(connection, *side, *direction, *end, at_us),
            Self::Closed => {
                recorder.closed(connection);
                Ok(())
            }
        }
    }

    /// Returns the bytes that the client has sent in it.
    pub(super) fn sent_by_client(&self) -> &[u8] {
        match self {
            Self::Data { side: Side::Client, direction: Direction::ToServer, bytes, .. }
            | Self::Relayed { direction: Direction::ToServer, bytes } => bytes,
            _ => &[],
        }
    }

    /// Returns the memory of its bytes and words.
    pub(super) fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Data { bytes, comment, .. } => bytes.len() + comment.as_ref().map_or(0, |comment| comment.len()),
                Self::Relayed { bytes, .. } => bytes.len(),
                Self::Opened(_) | Self::Ended { .. } | Self::Closed => 0,
            }
    }

    /// Returns it with bytes of its own.
    pub(super) fn into_owned(self) -> Event<'static> {
        match self {
            Self::Opened(addresses) => Event::Opened(addresses),
            Self::Data { side, direction, bytes, comment } => Event::Data {
                side,
                direction,
                bytes: Cow::Owned(bytes.into_owned()),
                comment: comment.map(|comment| Cow::Owned(comment.into_owned())),
            },
            Self::Relayed { direction, bytes } => Event::Relayed { direction, bytes: Cow::Owned(bytes.into_owned()) },
            Self::Ended { side, direction, end } => Event::Ended { side, direction, end },
            Self::Closed => Event::Closed,
        }
    }
}
