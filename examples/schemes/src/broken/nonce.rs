//! Fresh keys in each session, and a number for each record that is never counted up.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::LayerStack;

use crate::fresh::{Fresh, MakeRecords};
use crate::primitives::{MAC_BYTES, is_mac, keystream_xor, mac};
use crate::records::{Protection, layers};
use crate::reference::Half;

#[derive(Debug)]
pub(crate) struct Nonce {
    pub(crate) is_fixed: bool,
}

impl LinkScheme for Nonce {
    fn client(&self, keys: &MemberKeys, _: &Arc<Memory>, random: Secret) -> LayerStack {
        layers(Fresh::new(keys.shared, random, true, self.make()))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        layers(Fresh::new(keys.shared, random, false, self.make()))
    }
}

impl Nonce {
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
        let mut body = plaintext.to_vec();
        keystream_xor(&self.sending.encryption, self.sending.number, &mut body);
        let code = mac(&self.sending.authentication, &[&self.sending.number.to_be_bytes(), &body]);
        // The fix: this line.
        self.sending.number += u64::from(self.is_fixed);
        [&*body, &code].concat()
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        const REASON: &str = "a record was changed";
        let (body, code) = record.split_at_checked(record.len().wrapping_sub(MAC_BYTES)).ok_or(REASON)?;
        let number = self.receiving.number.to_be_bytes();
        if !is_mac(&self.receiving.authentication, &[&number, body], code) {
            return Err(REASON);
        }
        let mut plaintext = body.to_vec();
        keystream_xor(&self.receiving.encryption, self.receiving.number, &mut plaintext);
        self.receiving.number += u64::from(self.is_fixed);
        Ok(plaintext)
    }
}
