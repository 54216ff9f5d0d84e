//! Schemes that are programs in any language: one JSON object a line on stdin and stdout
//! (`docs/schemes.md`).
//!
//! Requests are answered in order, each by one line. Bytes are hexadecimal digits.

mod layer;
mod process;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use glassline_wire::layer::{LayerStack, LayerState};
use serde_json::{Value, json};

use crate::bytes::{from_hex, hex};
use crate::scheme::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use layer::ProgramLayer;
use process::Process;

pub use process::ProgramError;

/// Program, shared by its layers.
type Shared = Arc<Mutex<Process>>;

/// Link whose layers a program makes.
#[derive(Debug, Clone)]
pub struct ProgramScheme {
    process: Shared,
}

impl ProgramScheme {
    /// Starts the program.
    ///
    /// # Errors
    /// It cannot be started, or does not answer.
    pub fn start(program: &Path) -> Result<Self, ProgramError> {
        let mut process = Process::start(program)?;
        process.ask(&json!({"do": "public", "own": hex(&[0; 32])}))?;
        Ok(Self { process: Arc::new(Mutex::new(process)) })
    }

    /// The first failure of the program itself, which ends every later conversation.
    pub fn failure(&self) -> Option<ProgramError> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).failure().cloned()
    }

    fn open(&self, request: &Value) -> LayerStack {
        LayerStack::new(vec![Box::new(ProgramLayer::open(Arc::clone(&self.process), request))])
    }
}

impl LinkScheme for ProgramScheme {
    fn public(&self, own: &Secret) -> Vec<u8> {
        let answer = ask(&self.process, &json!({"do": "public", "own": hex(own)}));
        answer.ok().and_then(|answer| bytes_of(&answer, "public")).unwrap_or_default()
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        let known = memory.known().map(|known| hex(&known));
        self.open(&json!({"do": "open", "role": "client", "own": hex(&keys.own), "shared": hex(&keys.shared),
            "server": known, "random": hex(&random)}))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        self.open(&json!({"do": "open", "role": "server", "own": hex(&keys.own), "shared": hex(&keys.shared),
            "server": null, "random": hex(&random)}))
    }
}

fn ask(process: &Shared, request: &Value) -> Result<Value, ProgramError> {
    process.lock().unwrap_or_else(PoisonError::into_inner).ask(request)
}

fn bytes_of(answer: &Value, field: &str) -> Option<Vec<u8>> {
    answer.get(field).and_then(Value::as_str).and_then(from_hex)
}

fn state_of(answer: &Value) -> Option<LayerState> {
    match answer.get("state").and_then(Value::as_str)? {
        "handshaking" => Some(LayerState::Handshaking),
        "open" => Some(LayerState::Open),
        "peer_closed" => Some(LayerState::PeerClosed),
        _ => None,
    }
}
