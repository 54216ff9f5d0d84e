//! Each block encrypted by itself (ECB): equal blocks stay equal.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::LayerStack;

use crate::primitives::{BLOCK_BYTES, Key, SessionRandom, decrypt_chained, encrypt_chained, pad, unpad};
use crate::records::{Protection, layers_without_handshake};

#[derive(Debug)]
pub(crate) struct Blocks {
    pub(crate) is_fixed: bool,
}

impl LinkScheme for Blocks {
    fn client(&self, keys: &MemberKeys, _: &Arc<Memory>, random: Secret) -> LayerStack {
        layers_without_handshake(self.records(keys.shared, random))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        layers_without_handshake(self.records(keys.shared, random))
    }
}

impl Blocks {
    fn records(&self, key: Key, random: Secret) -> Records {
        Records { is_fixed: self.is_fixed, key, random: SessionRandom::new(random) }
    }
}

/// Records: `initial block (16) | encrypted blocks`.
#[derive(Debug)]
struct Records {
    is_fixed: bool,
    key: Key,
    random: SessionRandom,
}

impl Protection for Records {
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let (initial, padded) = (self.random.block(), pad(plaintext.to_vec()));
        let encrypted = if self.is_fixed {
            // The fix: each block depends on the one before it, the first on a random one.
            encrypt_chained(&self.key, initial, &padded)
        } else {
            padded.chunks(BLOCK_BYTES).flat_map(|block| encrypt_chained(&self.key, [0; BLOCK_BYTES], block)).collect()
        };
        [&initial, &*encrypted].concat()
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        const REASON: &str = "a record is malformed";
        let (initial, body) = record.split_first_chunk().ok_or(REASON)?;
        let padded = if self.is_fixed {
            decrypt_chained(&self.key, *initial, body)
        } else {
            body.chunks(BLOCK_BYTES).flat_map(|block| decrypt_chained(&self.key, [0; BLOCK_BYTES], block)).collect()
        };
        unpad(padded).ok_or(REASON)
    }
}
