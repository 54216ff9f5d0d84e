//! Schemes that are programs in any language: a layer and a seal as JSON lines
//! (`docs/scheme-programs.md`).
//!
//! Each request is one line, and each has one line as its answer. This module encodes and decodes
//! the lines and makes a [`Layer`](glassline_wire::layer::Layer) of them; whoever runs the program
//! implements [`Program`].

mod hex;
mod layer;
mod reply;
mod request;
mod seal;

pub use hex::Hex;
pub use layer::{ClientKeys, ExternalLinks, KnownServer, ServerSecrets};
pub use reply::{Features, LayerFault, LayerReply, Progress};
pub use request::{Message, Request, Role};
pub use seal::{ExternalMember, Membership, SealedText, UnsealedText};

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

/// Version of the lines.
pub const VERSION: u32 = 1;
/// Bound on an answer, in bytes: as hexadecimal digits, the output and the plaintext of a layer.
pub const REPLY_BYTES_MAX: usize = 1024 * 1024;

/// A running program.
pub trait Program: Debug + Send {
    /// Writes a line, without its end, and returns the next line of the program, at most
    /// [`REPLY_BYTES_MAX`] bytes. Waits no longer than the caller can.
    ///
    /// # Errors
    /// The program has ended, or gives no line in time. A text for the person who wrote it.
    fn exchange(&mut self, line: &str) -> Result<String, String>;
}

/// Fault of a scheme's program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExternalError {
    /// It does not answer.
    #[error("the scheme's program does not answer: {0}")]
    Silent(String),
    /// It answers with something else than it was asked for.
    #[error("the scheme's program answers `{request}` with `{reply}`: {cause}")]
    WrongReply {
        /// Beginning of the request.
        request: String,
        /// Beginning of the answer.
        reply: String,
        /// Why it is no answer.
        cause: String,
    },
    /// It speaks another version.
    #[error("the scheme's program speaks version {0} of the lines; this one is {VERSION}")]
    Version(u32),
}

/// Program that layers and members share.
#[derive(Debug, Clone)]
pub struct SharedProgram {
    program: Arc<Mutex<dyn Program>>,
    /// Number of the next layer or member.
    next_id: Arc<AtomicU64>,
}

impl SharedProgram {
    /// Takes a program that was started, and asks what it can do.
    ///
    /// # Errors
    /// It does not answer, or speaks another version.
    pub fn greet(program: impl Program + 'static) -> Result<(Self, Features), ExternalError> {
        let shared = Self { program: Arc::new(Mutex::new(program)), next_id: Arc::default() };
        let features: Features = shared.ask(&Request::Hello { version: VERSION })?;
        if features.version != VERSION {
            return Err(ExternalError::Version(features.version));
        }
        Ok((shared, features))
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks, and decodes the answer.
    fn ask<R: DeserializeOwned>(&self, request: &Request<'_>) -> Result<R, ExternalError> {
        let line = request.to_line();
        let mut program = self.program.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = program.exchange(&line).map_err(ExternalError::Silent)?;
        serde_json::from_str(&reply).map_err(|error| ExternalError::WrongReply {
            request: beginning(&line),
            reply: beginning(&reply),
            cause: error.to_string(),
        })
    }
}

/// Returns the first characters of a line for a person: an answer may be anything.
fn beginning(line: &str) -> String {
    const CHARACTERS: usize = 80;
    let shown: String =
        line.trim_end().chars().take(CHARACTERS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if line.trim_end().chars().nth(CHARACTERS).is_some() { shown + "..." } else { shown }
}
