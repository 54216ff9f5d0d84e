//! Keys of an epoch, and the encryption under them.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use glassline_wire::hex;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::encoding::Writer;
use super::epoch::EpochRecord;
use super::passphrase::{Passphrase, SALT_BYTES};
use super::{OpenError, SealError};
use crate::random::{self, Random};

const NONCE_BYTES: usize = 24;
const LABEL_MESSAGE: &[u8] = b"glassline/sealed/1/key";
const LABEL_KEY_ID: &[u8] = b"glassline/sealed/1/key-id";
const LABEL_RECORD: &[u8] = b"glassline/sealed/1/record-mac";

/// Name of a key, derived from it: two keys have different ids, and an id says nothing about its
/// key. It is compared before anything is opened, because XChaCha20-Poly1305 does not commit to
/// its key: one ciphertext can be made to open under two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 32]);

impl fmt::Display for KeyId {
    /// The first four bytes, enough to tell the keys of one room apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..4]))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Encryption with associated data. The implementation chooses the key: a fixed one of a
/// passphrase, or one that changes with the membership or with each message. `key_id` may therefore
/// differ after each call.
pub trait Seal: fmt::Debug + Send {
    /// Id of the key under which [`seal`](Seal::seal) works now.
    fn key_id(&self) -> KeyId;

    /// Encrypts `plaintext`, and authenticates it together with `associated`.
    ///
    /// # Errors
    /// There are no random numbers, or the key is used up.
    fn seal(&mut self, associated: &[u8], plaintext: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, SealError>;

    /// Reverses [`seal`](Seal::seal) for the message sealed under `key`.
    ///
    /// # Errors
    /// `key` is not one of these keys, or something was changed.
    fn open(&mut self, key: KeyId, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError>;
}

/// Keys of one epoch, derived from a passphrase. Erased when dropped.
#[derive(Clone)]
pub struct EpochKey {
    id: KeyId,
    epoch: u64,
    message: Zeroizing<[u8; 32]>,
    record: Zeroizing<[u8; 32]>,
}

impl EpochKey {
    /// Derives the keys of the epoch that `record` announces, and compares their id with its own.
    /// Takes 64 MiB and some tenths of a second, which a record that was changed on its way does not
    /// cost: its signature is verified before. Not for a thread that decides or draws.
    ///
    /// # Errors
    /// [`OpenError::RecordSignature`]: the record is not what its signer made.
    /// [`OpenError::WrongKey`]: it is another passphrase. [`OpenError::RecordForged`]: the record is
    /// not by somebody who knows it.
    pub fn derive(passphrase: &Passphrase, record: &EpochRecord) -> Result<Self, OpenError> {
        record.verify_signature()?;
        let key = Self::from_passphrase(passphrase, record.room(), record.number(), record.salt())?;
        if key.id != record.key_id() {
            return Err(OpenError::WrongKey { epoch: record.number(), key: record.key_id() });
        }
        record.verify_mac(&key)?;
        Ok(key)
    }

    pub(super) fn from_passphrase(
        passphrase: &Passphrase,
        room: &str,
        epoch: u64,
        salt: &[u8; SALT_BYTES],
    ) -> Result<Self, OpenError> {
        let stretched = passphrase.stretch(salt).map_err(|error| OpenError::Derivation(error.to_string()))?;
        let expand = |label: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            let info = Writer::default().field(label).field(room.as_bytes()).number(epoch).bytes();
            let expanded = Hkdf::<Sha256>::new(None, stretched.as_slice()).expand(&info, key.as_mut_slice());
            expanded.map(|()| key).map_err(|error| OpenError::Derivation(error.to_string()))
        };
        Ok(Self {
            id: KeyId(*expand(LABEL_KEY_ID)?),
            epoch,
            message: expand(LABEL_MESSAGE)?,
            record: expand(LABEL_RECORD)?,
        })
    }

    pub(super) fn mac_of_record(&self, body: &[u8]) -> [u8; 32] {
        self.record_mac(body).finalize().into_bytes().into()
    }

    pub(super) fn is_mac_of_record(&self, body: &[u8], mac: &[u8; 32]) -> bool {
        self.record_mac(body).verify_slice(mac).is_ok()
    }

    /// The keys, for the vectors.
    #[cfg(test)]
    pub(super) fn exposed(&self) -> serde_json::Value {
        use glassline_wire::hex::encode as hex;
        serde_json::json!({
            "key_id": hex(&self.id.0), "key": hex(self.message.as_slice()), "record_key": hex(self.record.as_slice()),
        })
    }

    fn record_mac(&self, body: &[u8]) -> Hmac<Sha256> {
        // A key of one block: every length would do.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(self.record.as_slice());
        let mut mac = <Hmac<Sha256> as KeyInit>::new(block.as_slice().into());
        mac.update(body);
        mac
    }
}

impl Seal for EpochKey {
    fn key_id(&self) -> KeyId {
        self.id
    }

    fn seal(&mut self, associated: &[u8], plaintext: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_BYTES] = random::bytes(random)?;
        let payload = Payload { msg: plaintext, aad: associated };
        let cipher = XChaCha20Poly1305::new(Key::from_slice(self.message.as_slice()));
        let encrypted = cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| SealError::Exhausted)?;
        Ok([nonce.as_slice(), &encrypted].concat())
    }

    fn open(&mut self, key: KeyId, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if key != self.id {
            return Err(OpenError::UnknownEpoch { epoch: self.epoch, key });
        }
        let (nonce, encrypted) =
            sealed.split_at_checked(NONCE_BYTES).ok_or(OpenError::Malformed("it is shorter than its nonce"))?;
        let cipher = XChaCha20Poly1305::new(Key::from_slice(self.message.as_slice()));
        let payload = Payload { msg: encrypted, aad: associated };
        let opened = cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| OpenError::Forged)?;
        Ok(Zeroizing::new(opened))
    }
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochKey({}, epoch {})", self.id, self.epoch)
    }
}
