//! XOR with a key that repeats: a known text gives the key.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::LayerStack;

use crate::primitives::{Key, SessionRandom, keystream_xor, mac};
use crate::records::{Protection, layers_without_handshake};

#[derive(Debug)]
pub(crate) struct Xor {
    pub(crate) is_fixed: bool,
}

impl LinkScheme for Xor {
    fn client(&self, keys: &MemberKeys, _: &Arc<Memory>, random: Secret) -> LayerStack {
        layers_without_handshake(self.records(keys.shared, random))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        layers_without_handshake(self.records(keys.shared, random))
    }
}

impl Xor {
    fn records(&self, key: Key, random: Secret) -> Records {
        Records { is_fixed: self.is_fixed, key, random: SessionRandom::new(random) }
    }
}

#[derive(Debug)]
struct Records {
    is_fixed: bool,
    key: Key,
    random: SessionRandom,
}

impl Protection for Records {
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let (salt, mut body) = (self.random.key(), plaintext.to_vec());
        if self.is_fixed {
            // The fix: a keystream that is used once, since a random salt goes into its key.
            keystream_xor(&mac(&self.key, &[&salt]), 0, &mut body);
        } else {
            xor(&self.key, &mut body);
        }
        [&salt, &*body].concat()
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        let (salt, body) = record.split_first_chunk::<32>().ok_or("a record is too short")?;
        let mut plaintext = body.to_vec();
        if self.is_fixed {
            keystream_xor(&mac(&self.key, &[salt]), 0, &mut plaintext);
        } else {
            xor(&self.key, &mut plaintext);
        }
        Ok(plaintext)
    }
}

fn xor(key: &Key, bytes: &mut [u8]) {
    for (byte, key) in bytes.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}
