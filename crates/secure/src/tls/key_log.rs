//! Secrets of connections, for tools that decrypt recordings.

use std::fmt::Debug;
use std::sync::Arc;

use glassline_wire::hex;

/// Receiver of secrets. Whoever has them reads everything that was said, so that a person must be
/// told permanently where one is in use.
pub trait KeyLogSink: Debug + Send + Sync {
    /// Takes one line of the NSS key log format, without its end: label, client random, secret.
    fn line(&self, line: &str);
}

/// Writes the library's secrets as lines.
#[derive(Debug)]
pub(super) struct NssKeyLog(pub(super) Arc<dyn KeyLogSink>);

impl rustls::KeyLog for NssKeyLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut line = label.to_owned();
        for bytes in [client_random, secret] {
            line.push(' ');
            line.push_str(&hex::encode(bytes));
        }
        self.0.line(&line);
    }
}
