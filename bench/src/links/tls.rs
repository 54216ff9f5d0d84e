//! TLS on the generator's side.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use glassline_testkit::AnyServer;
use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;

const HEADER_BYTES: usize = 5;
/// Type and tag, which a record holds beside plaintext.
const OVERHEAD_BYTES: usize = 1 + 16;

/// Settings of all connections.
#[derive(Clone)]
pub struct Config(Arc<ClientConfig>);

impl Config {
    /// Returns the settings of a client that accepts every server: the generator knows whom it has started.
    /// Its records are at most so long.
    pub fn new(longest_record_bytes: Option<usize>) -> Result<Self> {
        // In the order in which the program's own client offers them.
        let cipher_suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
        let provider = Arc::new(CryptoProvider { cipher_suites, ..ring::default_provider() });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer::new(&provider)))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.max_fragment_size = longest_record_bytes;
        Ok(Self(Arc::new(config)))
    }
}

/// One connection.
pub struct Secured {
    connection: ClientConnection,
    /// The end of a line in plaintext is still to come, and TLS behind it.
    is_in_greeting: bool,
    counter: Option<Counter>,
}

impl Secured {
    /// A connection on which the server may say a line in plaintext first.
    pub fn new(config: &Config, has_greeting: bool) -> Result<Self> {
        let name = ServerName::try_from("localhost").context("a name")?;
        let mut connection = ClientConnection::new(Arc::clone(&config.0), name)?;
        connection.set_buffer_limit(None);
        Ok(Self { connection, is_in_greeting: has_greeting, counter: None })
    }

    /// Returns whether the handshake is under way.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Encrypts `plaintext`; before the handshake is over it waits.
    pub fn seal(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.connection.writer().write_all(plaintext)?;
        self.drain(out)
    }

    /// Counts the messages that end in `bytes`: as `count` does in plaintext, or by length. What TLS
    /// has to say goes to `out`.
    pub fn deliveries(
        &mut self,
        mut bytes: &[u8],
        out: &mut Vec<u8>,
        mut count: impl FnMut(&[u8]) -> Result<u64>,
    ) -> Result<u64> {
        if let Some(counter) = &mut self.counter {
            return counter.deliveries(bytes);
        }
        if self.is_in_greeting {
            let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else { return Ok(0) };
            self.is_in_greeting = false;
            bytes = &bytes[end + 1..];
        }
        let (mut got, mut plaintext) = (0, [0; 16 * 1024]);
        while !bytes.is_empty() {
            ensure!(self.connection.read_tls(&mut bytes)? > 0, "TLS takes nothing");
            let has_bytes = self.connection.process_new_packets()?.plaintext_bytes_to_read() > 0;
            if has_bytes {
                let read = self.connection.reader().read(&mut plaintext)?;
                got += count(&plaintext[..read])?;
            }
        }
        self.drain(out)?;
        Ok(got)
    }

    /// From now on counts by length.
    pub fn count(&mut self, message_bytes: usize) {
        self.counter = Some(Counter { message_bytes, ..Counter::default() });
    }

    fn drain(&mut self, out: &mut Vec<u8>) -> Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(out)?;
        }
        Ok(())
    }
}

/// Counts messages of equal length in records that it does not decrypt.
#[derive(Default)]
struct Counter {
    message_bytes: usize,
    /// Bytes of the record under way that are still to come.
    skip_bytes: usize,
    header: Vec<u8>,
    /// Plaintext of a message under way.
    begun_bytes: usize,
}

impl Counter {
    fn deliveries(&mut self, mut bytes: &[u8]) -> Result<u64> {
        while !bytes.is_empty() {
            if self.skip_bytes > 0 {
                let skipped = self.skip_bytes.min(bytes.len());
                self.skip_bytes -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = bytes.len().min(HEADER_BYTES - self.header.len());
            self.header.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let [kind, _, _, high, low] = self.header[..] {
                self.skip_bytes = usize::from(u16::from_be_bytes([high, low]));
                ensure!(kind == 23 && self.skip_bytes >= OVERHEAD_BYTES, "no record of data");
                self.begun_bytes += self.skip_bytes - OVERHEAD_BYTES;
                self.header.clear();
            }
        }
        // A message counts when its last record has begun; the few bytes that are still to come change nothing.
        let whole = self.begun_bytes / self.message_bytes;
        self.begun_bytes %= self.message_bytes;
        Ok(whole as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_before_tls_is_passed_however_it_is_cut() {
        let count = |pieces: &[&[u8]], has_greeting| {
            let mut secured = Secured::new(&Config::new(None).unwrap(), has_greeting).unwrap();
            let mut take = |piece: &&[u8]| secured.deliveries(piece, &mut Vec::new(), |_| Ok(1)).map(|_| ());
            pieces.iter().try_for_each(&mut take)
        };
        // The five bytes behind the line are the header of a record.
        assert!(count(&[b"INFO {}", b"\r", b"\n", &[22, 3, 3, 0, 90]], true).is_ok());
        assert!(count(&[b"INFO {}\r\n", &[22, 3, 3, 0, 90]], true).is_ok());
        assert!(count(&[b"INFO {}\r\n", b"INFO {}\r\n"], true).is_err());
        assert!(count(&[b"INFO {}\r\n"], false).is_err());
    }

    #[test]
    fn messages_are_counted_by_length_however_they_are_cut() {
        let record = |plaintext_bytes: usize| {
            let bytes = plaintext_bytes + OVERHEAD_BYTES;
            let mut record = vec![23, 3, 3, (bytes >> 8) as u8, bytes as u8];
            record.resize(HEADER_BYTES + bytes, 0xee);
            record
        };
        // Three messages of 100 bytes in four records, and a half.
        let stream = [record(150), record(50), record(1), record(149)].concat();
        for piece in 1..=stream.len() {
            let mut counter = Counter { message_bytes: 100, ..Counter::default() };
            let counted: u64 = stream.chunks(piece).map(|bytes| counter.deliveries(bytes).unwrap()).sum();
            assert_eq!((counted, counter.begun_bytes), (3, 50), "pieces of {piece}");
        }
        assert!(Counter { message_bytes: 1, ..Counter::default() }.deliveries(&[22, 3, 3, 0, 20]).is_err());
    }
}
