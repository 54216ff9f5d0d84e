//! The client's random of a TLS handshake, by which a key log names a connection.

/// Record header, type and length of the message, and version, before the random (RFC 8446, 4.1.2).
const BEFORE_BYTES: usize = 5 + 4 + 2;
const RANDOM_BYTES: usize = 32;
const HANDSHAKE: u8 = 0x16;
const CLIENT_HELLO: u8 = 1;

/// First bytes of a client, until they have told.
#[derive(Debug, Default)]
pub(super) struct HelloReader(Vec<u8>);

/// Meaning of the first bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hello {
    /// Nothing yet.
    Incomplete,
    /// A handshake of TLS with this random, in hexadecimal digits.
    Random(String),
    /// Something else.
    Other,
}

impl HelloReader {
    /// Takes bytes of the client.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Hello {
        let missing = BEFORE_BYTES + RANDOM_BYTES - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(missing)]);
        let is = |at: usize, expected: u8| self.0.get(at).is_none_or(|byte| *byte == expected);
        if !is(0, HANDSHAKE) || !is(1, 3) || !is(5, CLIENT_HELLO) {
            return Hello::Other;
        }
        match self.0.get(BEFORE_BYTES..BEFORE_BYTES + RANDOM_BYTES) {
            Some(random) => Hello::Random(glassline_wire::hex::encode(random)),
            None => Hello::Incomplete,
        }
    }
}
