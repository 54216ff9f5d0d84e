//! One side of a connection, whose bytes a program makes.

use std::sync::atomic::{AtomicU64, Ordering};

use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerState};
use serde_json::{Value, json};

use super::{Shared, ask, bytes_of, state_of};
use crate::bytes::hex;

/// Plaintext of one request in bytes.
const PLAINTEXT_BYTES_MAX: usize = 16 * 1024;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

#[derive(Debug)]
pub(super) struct ProgramLayer {
    process: Shared,
    id: u64,
    state: LayerState,
    output: Vec<u8>,
    has_end: bool,
}

impl ProgramLayer {
    pub(super) fn open(process: Shared, request: &Value) -> Self {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let mut layer = Self { process, id, state: LayerState::Handshaking, output: Vec::new(), has_end: true };
        // A failure shows in the first request that returns errors.
        if let Ok(answer) = layer.ask(request.clone()) {
            layer.has_end = answer.get("has_end") != Some(&Value::Bool(false));
        }
        layer
    }

    /// Sends a request about this connection, and takes output and state from its answer.
    fn ask(&mut self, mut request: Value) -> Result<Value, LayerError> {
        request["id"] = json!(self.id);
        let answer = ask(&self.process, &request).map_err(|error| LayerError::Malformed(error.to_string()))?;
        self.output.extend(bytes_of(&answer, "output").unwrap_or_default());
        self.state = state_of(&answer).unwrap_or(self.state);
        Ok(answer)
    }
}

impl Layer for ProgramLayer {
    fn state(&self) -> LayerState {
        self.state
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        let answer = self.ask(json!({"do": "receive", "bytes": hex(bytes)}))?;
        plaintext.extend(bytes_of(&answer, "plaintext").unwrap_or_default());
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(LayerError::Malformed(error.to_owned())),
            None => Ok(()),
        }
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        let mut sent = 0;
        for part in plaintext.iter().flat_map(|part| part.chunks(PLAINTEXT_BYTES_MAX)) {
            let is_ready = self.state != LayerState::Handshaking && self.output.len() < LAYER_BYTES_MAX / 2;
            if !is_ready || self.ask(json!({"do": "send", "bytes": hex(part)})).is_err() {
                break;
            }
            sent += part.len();
        }
        sent
    }

    fn close(&mut self) {
        // The end is then missing at the peer, which reports it.
        let _ = self.ask(json!({"do": "close"}));
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn consume_output(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
    }

    fn end_of_input(&self) -> Result<(), LayerError> {
        if self.state == LayerState::Open && self.has_end { Err(LayerError::Truncated) } else { Ok(()) }
    }
}

impl Drop for ProgramLayer {
    fn drop(&mut self) {
        // A program that has ended needs no notice.
        let _ = ask(&self.process, &json!({"do": "drop", "id": self.id}));
    }
}
