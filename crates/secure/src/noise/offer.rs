//! The client's offer in the clear, which both sides bind into the handshake as its prologue.
//!
//! ```text
//! GLASSNOISE | version (1) | bytes of the name (1) | name
//! ```

use glassline_wire::layer::LayerError;
use glassline_wire::opening::NOISE_OPENING;

use super::NoiseError;

/// Version of the link: what follows the offer, with all its parameters.
const VERSION: u8 = 1;
const HEADER_BYTES: usize = NOISE_OPENING.len() + 2;
/// Bound on the dialled name, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// A whole offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer(Vec<u8>);

impl Offer {
    /// Returns the offer of a client that dialled `name`.
    pub(super) fn new(name: &str) -> Result<Self, NoiseError> {
        let bytes = u8::try_from(name.len()).ok().filter(|bytes| *bytes > 0);
        let bytes = bytes.ok_or(NoiseError::NameLength(name.len()))?;
        Ok(Self([NOISE_OPENING.as_slice(), &[VERSION, bytes], name.as_bytes()].concat()))
    }

    /// All of it, as it is sent and bound into the handshake.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Reader of an offer that arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct OfferReader {
    /// Beginning of an offer that nothing rules out yet.
    held: Vec<u8>,
}

impl OfferReader {
    /// Takes bytes off `input` until the offer is whole, and returns it then.
    ///
    /// # Errors
    /// The bytes are no offer, or one of another version: known at the first such byte.
    pub(super) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Offer>, LayerError> {
        while let Some((&byte, rest)) = input.split_first() {
            *input = rest;
            self.take(byte)?;
            if let Some(&name_bytes) = self.held.get(HEADER_BYTES - 1)
                && self.held.len() == HEADER_BYTES + usize::from(name_bytes)
            {
                return Ok(Some(Offer(std::mem::take(&mut self.held))));
            }
        }
        Ok(None)
    }

    fn take(&mut self, byte: u8) -> Result<(), LayerError> {
        let at = self.held.len();
        let malformed = |text: String| Err(LayerError::Malformed(text));
        match NOISE_OPENING.get(at) {
            Some(&expected) if byte != expected => return malformed("a Noise link begins with GLASSNOISE".to_owned()),
            None if at == NOISE_OPENING.len() && byte != VERSION => {
                return malformed(format!("this server speaks version {VERSION} of the Noise link, not {byte}"));
            }
            None if at == HEADER_BYTES - 1 && byte == 0 => {
                return malformed("the offer of a Noise link names no server".to_owned());
            }
            _ => self.held.push(byte),
        }
        Ok(())
    }
}
