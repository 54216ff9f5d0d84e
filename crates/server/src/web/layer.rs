//! The WebSocket of a server as a layer: binary messages carry the bytes of the protocol.

use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerState};
use glassline_wire::websocket::{
    CloseCode, Decoder, EncodedHeader, FrameHeader, HEADER_BYTES_MAX, Item, MESSAGE_BYTES_MAX, Opcode, Sender,
    put_close, put_control,
};

/// Output behind which each ping gets its pong. Behind more of it, only the newest does, once the
/// output is written (RFC 6455, 5.5.3).
const PONG_OUTPUT_BYTES_MAX: usize = 2 * 1024;

/// One side of a WebSocket: the server's.
#[derive(Debug)]
pub(crate) struct WebSocketLayer {
    decoder: Decoder,
    /// Bytes to be written: the answer to the handshake, control frames, and messages that could not
    /// be written in one go.
    output: Vec<u8>,
    /// Payload of the newest ping, where its answer has to wait.
    unanswered_ping: Option<Box<[u8]>>,
    receiving: Receiving,
    is_closed: bool,
}

/// Progress of the receiving direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Receiving {
    Open,
    /// A close frame has arrived, with this code.
    Closed(Option<u16>),
}

impl WebSocketLayer {
    /// Returns the layer of a connection that is sent `response` first, which ends HTTP.
    pub(crate) fn new(response: Vec<u8>) -> Self {
        Self {
            decoder: Decoder::new(Sender::Client, MESSAGE_BYTES_MAX),
            output: response,
            unanswered_ping: None,
            receiving: Receiving::Open,
            is_closed: false,
        }
    }

    fn answer_ping(output: &mut Vec<u8>, unanswered: &mut Option<Box<[u8]>>, payload: &[u8]) {
        if output.len() < PONG_OUTPUT_BYTES_MAX {
            put_control(output, Opcode::Pong, payload);
        } else {
            *unanswered = Some(payload.into());
        }
    }

    fn put_close(&mut self, code: u16, reason: &str) {
        if !self.is_closed {
            self.is_closed = true;
            put_close(&mut self.output, code, reason);
        }
    }
}

impl Layer for WebSocketLayer {
    fn state(&self) -> LayerState {
        if self.receiving == Receiving::Open { LayerState::Open } else { LayerState::PeerClosed }
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        let mut input = bytes;
        loop {
            match self.decoder.next(&mut input) {
                Ok(None) => return Ok(()),
                Ok(Some(Item::Payload(payload))) => payload.append_to(plaintext),
                Ok(Some(Item::Ping(_))) if self.is_closed => {}
                Ok(Some(Item::Ping(payload))) => {
                    Self::answer_ping(&mut self.output, &mut self.unanswered_ping, payload);
                }
                Ok(Some(Item::Pong(_))) => {}
                Ok(Some(Item::Close(notice))) => self.receiving = Receiving::Closed(notice.code),
                Err(violation) => {
                    let reason = violation.to_string();
                    self.put_close(violation.close_code() as u16, &reason);
                    return Err(LayerError::Malformed(reason));
                }
            }
        }
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        let room = LAYER_BYTES_MAX.saturating_sub(self.output.len() + HEADER_BYTES_MAX);
        let bytes = plaintext.iter().map(|slice| slice.len()).sum::<usize>().min(room);
        let Some(header) = self.passing_header(bytes).filter(|_| bytes > 0) else { return 0 };
        self.output.extend_from_slice(header.as_ref());
        let mut left = bytes;
        for slice in plaintext {
            let taken = &slice[..slice.len().min(left)];
            self.output.extend_from_slice(taken);
            left -= taken.len();
        }
        bytes
    }

    fn passing_header(&self, plaintext_bytes: usize) -> Option<EncodedHeader> {
        (!self.is_closed).then(|| FrameHeader::of_server(Opcode::Binary, plaintext_bytes).encode())
    }

    fn queue_rest(&mut self, rest: &[&[u8]]) {
        for slice in rest {
            self.output.extend_from_slice(slice);
        }
    }

    fn close(&mut self) {
        let code = match self.receiving {
            Receiving::Open => Some(CloseCode::Normal as u16),
            Receiving::Closed(code) => code,
        };
        match code {
            Some(code) => self.put_close(code, ""),
            None if !self.is_closed => {
                self.is_closed = true;
                put_control(&mut self.output, Opcode::Close, &[]);
            }
            None => {}
        }
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn consume_output(&mut self, bytes: usize) {
        self.output.drain(..bytes);
        if self.output.is_empty() {
            // An idle member has no buffer.
            self.output = Vec::new();
            if let Some(payload) = self.unanswered_ping.take().filter(|_| !self.is_closed) {
                put_control(&mut self.output, Opcode::Pong, &payload);
            }
        }
    }
}
