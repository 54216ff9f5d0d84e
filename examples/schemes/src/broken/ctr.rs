//! Encryption without authentication: a changed bit of a record changes the same bit of its text.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::LayerStack;

use crate::fresh::{Fresh, MakeRecords};
use crate::primitives::{MAC_BYTES, is_mac, keystream_xor, mac};
use crate::records::{Protection, layers};
use crate::reference::Half;

#[derive(Debug)]
pub(crate) struct CounterMode {
    pub(crate) is_fixed: bool,
}

impl LinkScheme for CounterMode {
    fn client(&self, keys: &MemberKeys, _: &Arc<Memory>, random: Secret) -> LayerStack {
        layers(Fresh::new(keys.shared, random, true, self.make()))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        layers(Fresh::new(keys.shared, random, false, self.make()))
    }
}

impl CounterMode {
    fn make(&self) -> MakeRecords {
        let is_fixed = self.is_fixed;
        Box::new(move |sending, receiving| Box::new(Records { is_fixed, sending, receiving }))
    }
}

#[derive(Debug)]
struct Records {
    is_fixed: bool,
    sending: Half,
    receiving: Half,
}

impl Protection for Records {
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let (half, mut body) = (&mut self.sending, plaintext.to_vec());
        keystream_xor(&half.encryption, half.number, &mut body);
        if self.is_fixed {
            // The fix: a code over number and encrypted bytes, verified before they are decrypted.
            body.extend(mac(&half.authentication, &[&half.number.to_be_bytes(), &body]));
        }
        half.number += 1;
        body
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        const REASON: &str = "a record was changed, or is not the next one";
        let (half, mut body) = (&mut self.receiving, record);
        if self.is_fixed {
            let (encrypted, code) = record.split_at_checked(record.len().wrapping_sub(MAC_BYTES)).ok_or(REASON)?;
            if !is_mac(&half.authentication, &[&half.number.to_be_bytes(), encrypted], code) {
                return Err(REASON);
            }
            body = encrypted;
        }
        let mut plaintext = body.to_vec();
        keystream_xor(&half.encryption, half.number, &mut plaintext);
        half.number += 1;
        Ok(plaintext)
    }
}
