//! Records that say which key of a room is in force.

use glassline_wire::link::IdentityKey;
use sha2::{Digest, Sha256};

use super::encoding::{Reader, Writer};
use super::passphrase::SALT_BYTES;
use super::{EpochKey, KeyId, OpenError, Passphrase, SEAL_VERSION, SealError};
use crate::Identity;
use crate::random::{self, Random};

const LABEL: &[u8] = b"glassline/sealed/1/record";
/// Longest room name in bytes.
pub(super) const ROOM_BYTES_MAX: usize = glassline_wire::limits::NAME_BYTES_MAX;
/// Longest record in bytes.
pub(super) const RECORD_BYTES_MAX: usize = FIXED_BYTES + ROOM_BYTES_MAX;
/// All fields but the room's name.
const FIXED_BYTES: usize = 1 + 4 + 8 + SALT_BYTES + 4 * 32 + 64;
/// Highest number.
const NUMBER_MAX: u64 = 1 << 32;
/// Farthest step from an accepted number to the next: one record cannot use up the numbers.
pub(super) const STEP_MAX: u64 = 1 << 16;

/// One epoch of a room: its key's salt and id, signed by the member who began it and authenticated
/// under the key, and linked to the record before it by that record's hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRecord {
    bytes: Vec<u8>,
    room: String,
    number: u64,
    salt: [u8; SALT_BYTES],
    previous: [u8; 32],
    key_id: KeyId,
    signer: IdentityKey,
    mac: [u8; 32],
    signature: [u8; 64],
}

impl EpochRecord {
    /// Begins an epoch: the first, or that after `previous`. Derives its key, see
    /// [`EpochKey::derive`].
    ///
    /// # Errors
    /// There are no random numbers, or no numbers of epochs left.
    pub fn begin(
        room: &str,
        previous: Option<&EpochRecord>,
        passphrase: &Passphrase,
        signer: &Identity,
        random: &mut dyn Random,
    ) -> Result<(Self, EpochKey), SealError> {
        let number = previous.map_or(0, |record| record.number) + 1;
        if number > NUMBER_MAX {
            return Err(SealError::NoEpochLeft);
        }
        if room.len() > ROOM_BYTES_MAX {
            return Err(SealError::TooLong(room.len(), ROOM_BYTES_MAX));
        }
        let salt = random::bytes(random)?;
        let previous = previous.map_or([0; 32], EpochRecord::hash);
        let key = EpochKey::from_passphrase(passphrase, room, number, &salt).map_err(|_| SealError::NoKey)?;
        let key_id = super::Seal::key_id(&key);
        let body = Writer::default()
            .fixed(&[SEAL_VERSION])
            .field(room.as_bytes())
            .number(number)
            .fixed(&salt)
            .fixed(&previous)
            .fixed(&key_id.0)
            .fixed(&signer.public())
            .bytes();
        let mac = key.mac_of_record(&body);
        let signature = signer.sign(&signed(&body, &mac));
        let bytes = [body.as_slice(), &mac, &signature].concat();
        let room = room.to_owned();
        Ok((Self { bytes, room, number, salt, previous, key_id, signer: signer.public(), mac, signature }, key))
    }

    /// Reads a record and verifies its signature; its MAC is verified once its key is derived.
    ///
    /// # Errors
    /// It is no record, or was not made by its signer.
    pub fn read(bytes: &[u8]) -> Result<Self, OpenError> {
        let record = Self::parse(bytes)?;
        record.verify_signature()?;
        Ok(record)
    }

    /// Reads the fields only.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let room = reader.text(ROOM_BYTES_MAX)?.to_owned();
        let number = reader.number()?;
        let salt = reader.fixed()?;
        let previous = reader.fixed()?;
        let key_id = KeyId(reader.fixed()?);
        let signer = reader.fixed()?;
        let mac = reader.fixed()?;
        let signature = reader.fixed()?;
        reader.end()?;
        if number == 0 || number > NUMBER_MAX || (number == 1) != (previous == [0; 32]) {
            return Err(OpenError::Malformed("its epoch has an impossible number"));
        }
        Ok(Self { bytes: bytes.to_vec(), room, number, salt, previous, key_id, signer, mac, signature })
    }

    pub(super) fn verify_signature(&self) -> Result<(), OpenError> {
        let signed = signed(self.body(), &self.mac);
        if Identity::verify(&self.signer, &signed, &self.signature) {
            return Ok(());
        }
        Err(OpenError::RecordSignature(self.number))
    }

    /// Verifies signature and MAC.
    pub(super) fn verify(&self, key: &EpochKey) -> Result<(), OpenError> {
        self.verify_signature()?;
        self.verify_mac(key)
    }

    pub(super) fn verify_mac(&self, key: &EpochKey) -> Result<(), OpenError> {
        if key.is_mac_of_record(self.body(), &self.mac) { Ok(()) } else { Err(OpenError::RecordForged(self.number)) }
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the canonical bytes.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// The room it is for.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// Number of the epoch, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Id of the epoch's key.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Key of the member who began the epoch.
    pub fn signer(&self) -> IdentityKey {
        self.signer
    }

    /// Salt of the derivation.
    pub(super) fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }

    /// Hash of the record before it; zeros for the first.
    pub(super) fn previous(&self) -> &[u8; 32] {
        &self.previous
    }

    fn body(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - 32 - 64]
    }
}

fn signed(body: &[u8], mac: &[u8; 32]) -> Vec<u8> {
    Writer::default().fixed(LABEL).field(body).fixed(mac).bytes()
}
