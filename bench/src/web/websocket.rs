//! The generator's side of a WebSocket: asked for by a request, then messages around what TCP would
//! carry. The mask is of zeros: it costs the server what any other does.

use anyhow::{Result, bail, ensure};

const REQUEST: &[u8] = b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const AGREED: &[u8] = b"HTTP/1.1 101 ";
const HEAD_END: &[u8] = b"\r\n\r\n";
const HEAD_BYTES_MAX: usize = 4 * 1024;
/// A whole message: FIN and the opcode of binary.
const BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0; 4];

/// One connection.
#[derive(Default)]
pub struct WebSocket {
    /// The response as far as it has come; `None` once it has been agreed to.
    response: Option<Vec<u8>>,
    /// Bytes to send after that.
    held: Vec<u8>,
    /// A header that has not come in full.
    header: Vec<u8>,
    /// Bytes of the message under way that are still to come.
    payload_bytes: u64,
}

impl WebSocket {
    /// Asks for one.
    pub fn ask(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(REQUEST);
        Self { response: Some(Vec::new()), ..Self::default() }
    }

    /// Returns whether the server has not answered yet.
    pub fn is_asking(&self) -> bool {
        self.response.is_some()
    }

    /// Puts these bytes into a message; before the answer they wait.
    pub fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.is_asking() { self.held.extend_from_slice(bytes) } else { put_message(bytes, out) }
    }

    /// Passes the content of messages to `count`, which counts what ends in it. What waited for the
    /// answer goes to `out`.
    pub fn deliveries(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
        mut count: impl FnMut(&[u8]) -> Result<u64>,
    ) -> Result<u64> {
        let Some(response) = &mut self.response else { return self.read(bytes, &mut count) };
        response.extend_from_slice(bytes);
        let Some(end) = response.windows(HEAD_END.len()).position(|window| window == HEAD_END) else {
            ensure!(response.len() < HEAD_BYTES_MAX, "a response without an end");
            return Ok(0);
        };
        ensure!(response.starts_with(AGREED), "no WebSocket: {}", String::from_utf8_lossy(&response[..end]));
        let rest = response.split_off(end + HEAD_END.len());
        self.response = None;
        put_message(&std::mem::take(&mut self.held), out);
        self.read(&rest, &mut count)
    }

    fn read(&mut self, mut bytes: &[u8], count: &mut impl FnMut(&[u8]) -> Result<u64>) -> Result<u64> {
        let mut got = 0;
        loop {
            let length = usize::try_from(self.payload_bytes).unwrap_or(usize::MAX).min(bytes.len());
            let (content, rest) = bytes.split_at(length);
            if !content.is_empty() {
                got += count(content)?;
            }
            self.payload_bytes -= length as u64;
            bytes = rest;
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(got) };
            self.header.push(byte);
            bytes = rest;
            if let Some(payload_bytes) = payload_bytes(&self.header)? {
                self.payload_bytes = payload_bytes;
                self.header.clear();
            }
        }
    }
}

/// Returns the length that a header states, if it is whole.
fn payload_bytes(header: &[u8]) -> Result<Option<u64>> {
    match *header {
        [BINARY] | [BINARY, 126] | [BINARY, 126, _] => Ok(None),
        [BINARY, short @ ..=125] => Ok(Some(short.into())),
        [BINARY, 126, high, low] => Ok(Some(u16::from_be_bytes([high, low]).into())),
        [BINARY, 127, ref length @ ..] => Ok(<[u8; 8]>::try_from(length).ok().map(u64::from_be_bytes)),
        _ => bail!("no message: {header:?}"),
    }
}

fn put_message(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(BINARY);
    match bytes.len() {
        short @ ..=125 => out.push(MASKED | short as u8),
        long @ ..=0xffff => {
            out.push(MASKED | 126);
            out.extend_from_slice(&(long as u16).to_be_bytes());
        }
        longer => {
            out.push(MASKED | 127);
            out.extend_from_slice(&(longer as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_the_same_however_it_is_cut() {
        let lengths: [usize; 4] = [3, 125, 126, 70_000];
        let mut stream = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".to_vec();
        for length in lengths {
            let mut masked = Vec::new();
            put_message(&vec![b'x'; length], &mut masked);
            // A server's header has no mask.
            let header_bytes = masked.len() - length - MASK.len();
            masked[1] &= !MASKED;
            masked.drain(header_bytes..header_bytes + MASK.len());
            stream.extend(masked);
        }
        for piece in [1, 2, 5, 64, stream.len()] {
            let (mut out, mut content) = (Vec::new(), 0);
            let mut socket = WebSocket::ask(&mut out);
            socket.put(b"hello", &mut out);
            assert_eq!(out, REQUEST);
            for bytes in stream.chunks(piece) {
                let read = |bytes: &[u8]| {
                    content += bytes.len();
                    Ok(0)
                };
                socket.deliveries(bytes, &mut out, read).unwrap();
            }
            assert_eq!(content, lengths.iter().sum::<usize>(), "pieces of {piece}");
            assert_eq!(out, [REQUEST, &[BINARY, MASKED | 5], &MASK, b"hello"].concat());
        }
    }

    #[test]
    fn a_refusal_and_an_end_are_errors() {
        let refused = |stream: &[u8]| WebSocket::ask(&mut Vec::new()).deliveries(stream, &mut Vec::new(), |_| Ok(0));
        assert!(refused(b"HTTP/1.1 403 Forbidden\r\n\r\n").is_err());
        assert!(refused(b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x88\x02").is_err());
        assert!(refused(b"HTTP/1.1 101 Switching").is_ok());
    }
}
