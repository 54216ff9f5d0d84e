//! A code inside the encryption, and different errors for a wrong padding and a wrong code: the
//! server answers whether a chosen last block ends in a valid padding.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::LayerStack;

use crate::primitives::{MAC_BYTES, SessionRandom, decrypt_chained, encrypt_chained, is_mac, mac, pad, unpad};
use crate::records::{Protection, layers_without_handshake};
use crate::reference::Half;

#[derive(Debug)]
pub(crate) struct Padded {
    pub(crate) is_fixed: bool,
}

impl LinkScheme for Padded {
    fn client(&self, keys: &MemberKeys, _: &Arc<Memory>, random: Secret) -> LayerStack {
        let (sending, receiving) = (Half::new(&keys.shared, "to server"), Half::new(&keys.shared, "to client"));
        layers_without_handshake(self.records(sending, receiving, random))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        let (sending, receiving) = (Half::new(&keys.shared, "to client"), Half::new(&keys.shared, "to server"));
        layers_without_handshake(self.records(sending, receiving, random))
    }
}

impl Padded {
    fn records(&self, sending: Half, receiving: Half, random: Secret) -> Records {
        Records { is_fixed: self.is_fixed, sending, receiving, random: SessionRandom::new(random) }
    }
}

/// Records: `initial block (16) | encrypted text, code and padding`; fixed ones have the code behind
/// the encrypted blocks.
#[derive(Debug)]
struct Records {
    is_fixed: bool,
    sending: Half,
    receiving: Half,
    random: SessionRandom,
}

impl Protection for Records {
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let (half, initial) = (&mut self.sending, self.random.block());
        let number = half.number.to_be_bytes();
        half.number += 1;
        let code = |bytes: &[u8]| mac(&half.authentication, &[&number, bytes]);
        if self.is_fixed {
            // The fix: the code covers the encrypted bytes, and nothing is decrypted without it.
            let encrypted = encrypt_chained(&half.encryption, initial, &pad(plaintext.to_vec()));
            let body = [&initial, &*encrypted].concat();
            return [&*body, &code(&body)].concat();
        }
        // The code stands before the text, so that the text is at the end.
        let padded = pad([&code(plaintext), plaintext].concat());
        [&initial, &*encrypt_chained(&half.encryption, initial, &padded)].concat()
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        let half = &mut self.receiving;
        let number = half.number.to_be_bytes();
        half.number += 1;
        let mut body = record;
        if self.is_fixed {
            let at = record.len().checked_sub(MAC_BYTES).ok_or("a record was changed")?;
            if !is_mac(&half.authentication, &[&number, &record[..at]], &record[at..]) {
                return Err("a record was changed");
            }
            body = &record[..at];
        }
        let (initial, encrypted) = body.split_first_chunk().ok_or("a record is too short")?;
        let padded = decrypt_chained(&half.encryption, *initial, encrypted);
        let plaintext = unpad(padded).ok_or("the padding is wrong")?;
        if self.is_fixed {
            return Ok(plaintext);
        }
        let (code, text) = plaintext.split_at_checked(MAC_BYTES).ok_or("a record is too short")?;
        if !is_mac(&half.authentication, &[&number, text], code) {
            return Err("the code is wrong");
        }
        Ok(text.to_vec())
    }
}
