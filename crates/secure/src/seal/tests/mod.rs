//! Members of one room, with keys derived once.

use std::sync::LazyLock;

use glassline_wire::message_id::MessageId;
use sha2::{Digest, Sha256};

use super::{Envelope, EpochKey, EpochRecord, Kind, OpenError, Opened, Passphrase, Placed, SealedRoom};
use crate::random::{NoRandomness, Random};
use crate::{Identity, SystemRandom};

mod attacks;
mod known_answers;
mod vectors;
mod views;

/// Bytes that follow from a seed.
#[derive(Debug)]
struct Replayable {
    seed: &'static str,
    calls: u64,
}

impl Random for Replayable {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for part in bytes.chunks_mut(32) {
            self.calls += 1;
            let block = Sha256::digest(format!("{} {}", self.seed, self.calls));
            part.copy_from_slice(&block[..part.len()]);
        }
        Ok(())
    }
}

fn replayable(seed: &'static str) -> Replayable {
    Replayable { seed, calls: 0 }
}

fn alice() -> Identity {
    Identity::from_seed(&[1; 32])
}

fn bob() -> Identity {
    Identity::from_seed(&[2; 32])
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery staple").unwrap()
}

struct Epochs {
    first: (EpochRecord, EpochKey),
    second: (EpochRecord, EpochKey),
    elsewhere: (EpochRecord, EpochKey),
}

/// Two epochs of the room "den", and one of the room "attic", under the same passphrase.
static EPOCHS: LazyLock<Epochs> = LazyLock::new(|| {
    let mut random = replayable("epochs");
    let first = EpochRecord::begin("den", None, &passphrase(), &alice(), &mut random).unwrap();
    let second = EpochRecord::begin("den", Some(&first.0), &passphrase(), &bob(), &mut random).unwrap();
    let elsewhere = EpochRecord::begin("attic", None, &passphrase(), &alice(), &mut random).unwrap();
    Epochs { first, second, elsewhere }
});

fn room_of(epochs: &[&(EpochRecord, EpochKey)]) -> SealedRoom {
    let mut room = SealedRoom::new(epochs[0].0.room(), None, &mut SystemRandom).unwrap();
    for (record, key) in epochs {
        room.accept(record, key.clone()).unwrap();
    }
    room
}

/// The room "den" at a member in its first epoch.
fn den() -> SealedRoom {
    room_of(&[&EPOCHS.first])
}

fn sealed(room: &mut SealedRoom, id: u128, text: &str) -> Envelope {
    let field = room.seal(&alice(), MessageId(id), "alice", Kind::Text, text, &mut SystemRandom).unwrap();
    Envelope::from_field(&field).unwrap()
}

/// Delivers a message in its turn.
fn deliver(room: &mut SealedRoom, envelope: &Envelope, seq: u64) -> Result<Opened, OpenError> {
    room.open(envelope, Placed::InTurn { id: Some(envelope.message()), seq: Some(seq) })
}
