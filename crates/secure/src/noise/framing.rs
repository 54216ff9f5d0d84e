//! Messages of the handshake and records, each behind its length in two bytes, big-endian.

use std::borrow::Cow;

use glassline_wire::layer::LayerError;

/// Bytes of the length.
pub(super) const LENGTH_BYTES: usize = 2;

/// Reader of messages that arrive in pieces. A message that arrives whole is not copied.
#[derive(Debug, Default)]
pub(super) struct MessageReader {
    pending: Pending,
}

/// Part of a message that has arrived.
#[derive(Debug, Default)]
enum Pending {
    #[default]
    Nothing,
    /// First byte of the length.
    HalfLength(u8),
    /// Fewer bytes than the length says.
    Message { bytes: usize, held: Vec<u8> },
}

impl MessageReader {
    /// Takes bytes off `input` until a message is whole, and returns it then. `check` judges the
    /// length before anything of the message is held.
    ///
    /// # Errors
    /// That of `check`.
    pub(super) fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
        check: impl Fn(usize) -> Result<(), LayerError>,
    ) -> Result<Option<Cow<'a, [u8]>>, LayerError> {
        loop {
            match (std::mem::take(&mut self.pending), input.split_first()) {
                (Pending::Message { bytes, mut held }, _) => {
                    let Some((missing, rest)) = input.split_at_checked(bytes - held.len()) else {
                        held.extend_from_slice(std::mem::take(input));
                        self.pending = Pending::Message { bytes, held };
                        return Ok(None);
                    };
                    *input = rest;
                    if held.is_empty() {
                        return Ok(Some(Cow::Borrowed(missing)));
                    }
                    held.extend_from_slice(missing);
                    return Ok(Some(Cow::Owned(held)));
                }
                (pending, None) => {
                    self.pending = pending;
                    return Ok(None);
                }
                (Pending::Nothing, Some((&high, rest))) => {
                    *input = rest;
                    self.pending = Pending::HalfLength(high);
                }
                (Pending::HalfLength(high), Some((&low, rest))) => {
                    *input = rest;
                    let bytes = usize::from(u16::from_be_bytes([high, low]));
                    check(bytes)?;
                    self.pending = Pending::Message { bytes, held: Vec::new() };
                }
            }
        }
    }
}

/// Length of a message of up to 65,535 bytes, as it is sent.
pub(super) fn length(bytes: usize) -> [u8; LENGTH_BYTES] {
    // Callers send no longer messages.
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}
