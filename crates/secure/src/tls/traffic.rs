//! Records of a connection whose secrets are known, read and written beside its two ends.

use ring::aead::{self, Aad, LessSafeKey, UnboundKey};
use ring::hkdf::{self, Prk};
use rustls::crypto::cipher::{Iv, NONCE_LEN, Nonce, make_tls13_aad};

use glassline_wire::hex;

/// Type of records with encrypted content, and of application data within them.
const APPLICATION_DATA: u8 = 23;
/// Type, version and length of a record.
const HEADER_BYTES: usize = 5;
/// Plaintext of a full record.
const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Tag behind the content and its type.
const TAG_BYTES: usize = 16;

/// Hash and encryption of each cipher suite in use (RFC 8446, appendix B.4).
static SUITES: [(hkdf::Algorithm, &aead::Algorithm); 3] = [
    (hkdf::HKDF_SHA256, &aead::AES_128_GCM),
    (hkdf::HKDF_SHA256, &aead::CHACHA20_POLY1305),
    (hkdf::HKDF_SHA384, &aead::AES_256_GCM),
];

/// Sender of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The side that has opened the connection.
    Client,
    /// The side that was connected to.
    Server,
}

/// One direction of a connection, for somebody who has its secrets: its application data can be
/// read, and records written that the receiver cannot tell from those of the sender. For
/// laboratories; the ends of a connection do not use it.
pub struct Traffic {
    /// Secrets that are not yet in use: that of the handshake, then that of the data.
    secrets: Vec<Vec<u8>>,
    keys: Option<Keys>,
    /// Part of a record.
    held: Vec<u8>,
}

impl Traffic {
    /// Returns the direction of this sender in a connection with these lines of a key log;
    /// `None` where a secret is missing.
    pub fn new(sender: Sender, lines: &[String]) -> Option<Self> {
        let labels = match sender {
            Sender::Client => ["CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 "],
            Sender::Server => ["SERVER_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_TRAFFIC_SECRET_0 "],
        };
        let secret = |label| {
            let line = lines.iter().find(|line| line.starts_with(label))?;
            hex::decode(line.rsplit(' ').next()?)
        };
        let secrets = labels.into_iter().rev().map(secret).collect::<Option<_>>()?;
        Some(Self { secrets, keys: None, held: Vec::new() })
    }

    /// Takes bytes of the stream, and returns the application data in the records that are whole
    /// now. Records that do not open are left out.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut plaintext = Vec::new();
        while let Some(header) = self.held.first_chunk::<HEADER_BYTES>() {
            let end = HEADER_BYTES + usize::from(u16::from_be_bytes([header[3], header[4]]));
            if self.held.len() < end {
                break;
            }
            let record: Vec<u8> = self.held.drain(..end).collect();
            if record[0] == APPLICATION_DATA
                && let Some(mut content) = self.open(&record[HEADER_BYTES..])
                && content.pop() == Some(APPLICATION_DATA)
            {
                plaintext.append(&mut content);
            }
        }
        plaintext
    }

    /// Returns the next record, with this application data; `None` where none has been read yet, or
    /// it is too long. The sender's own next record does not open any more.
    pub fn write(&mut self, plaintext: &[u8]) -> Option<Vec<u8>> {
        let keys = self.keys.as_mut().filter(|_| self.secrets.is_empty() && plaintext.len() <= RECORD_BYTES_MAX)?;
        keys.seal([plaintext, &[APPLICATION_DATA]].concat())
    }

    /// Opens a record under the keys in use, or under those that come next. Padding is not in use.
    fn open(&mut self, encrypted: &[u8]) -> Option<Vec<u8>> {
        if let Some(content) = self.keys.as_mut().and_then(|keys| keys.open(encrypted)) {
            return Some(content);
        }
        let secret = self.secrets.last()?;
        let of_suites = SUITES.iter().filter_map(|(hash, encryption)| Keys::derive(*hash, encryption, secret));
        let (keys, content) = of_suites.into_iter().find_map(|mut keys| {
            let content = keys.open(encrypted)?;
            Some((keys, content))
        })?;
        self.keys = Some(keys);
        self.secrets.pop();
        Some(content)
    }
}

impl std::fmt::Debug for Traffic {
    /// Shows no secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traffic").field("secrets_left", &self.secrets.len()).finish_non_exhaustive()
    }
}

/// Keys of one direction, and the number of its next record.
struct Keys {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    number: u64,
}

impl Keys {
    /// Derives them from a secret (RFC 8446, section 7.3); `None` where its length is not that of
    /// the hash.
    fn derive(hash: hkdf::Algorithm, encryption: &'static aead::Algorithm, secret: &[u8]) -> Option<Self> {
        if secret.len() != hash.hmac_algorithm().digest_algorithm().output_len() {
            return None;
        }
        let secret = Prk::new_less_safe(hash, secret);
        let key: UnboundKey = secret.expand(&[&label("key", encryption.key_len())], encryption).ok()?.into();
        let mut iv = [0; NONCE_LEN];
        secret.expand(&[&label("iv", NONCE_LEN)], IvBytes).ok()?.fill(&mut iv).ok()?;
        Some(Self { key: LessSafeKey::new(key), iv, number: 0 })
    }

    fn nonce(&self) -> aead::Nonce {
        aead::Nonce::assume_unique_for_key(Nonce::new(&Iv::from(self.iv), self.number).0)
    }

    fn open(&mut self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = encrypted.to_vec();
        let associated = Aad::from(make_tls13_aad(encrypted.len()));
        let content = self.key.open_in_place(self.nonce(), associated, &mut buffer).ok()?.to_vec();
        self.number += 1;
        Some(content)
    }

    fn seal(&mut self, mut content: Vec<u8>) -> Option<Vec<u8>> {
        // The associated data are the header.
        let header = make_tls13_aad(content.len() + TAG_BYTES);
        self.key.seal_in_place_append_tag(self.nonce(), Aad::from(header), &mut content).ok()?;
        self.number += 1;
        Some([header.as_slice(), &content].concat())
    }
}

/// Length of an IV.
struct IvBytes;

impl hkdf::KeyType for IvBytes {
    fn len(&self) -> usize {
        NONCE_LEN
    }
}

/// Returns the `HkdfLabel` of a key (RFC 8446, section 7.1), which has no context.
fn label(purpose: &str, bytes: usize) -> Vec<u8> {
    let name = format!("tls13 {purpose}");
    let length = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
    [&[0, length(bytes), length(name.len())], name.as_bytes(), &[0]].concat()
}
