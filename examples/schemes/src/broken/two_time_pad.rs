//! A good keystream, which each session uses from its beginning.

use std::sync::Arc;

use glassline_matrix::{LinkScheme, MemberKeys, Memory, Secret, ServerKeys};
use glassline_wire::layer::LayerStack;

use crate::primitives::{Key, keystream_xor, mac};
use crate::records::{Protection, layers_without_handshake};

#[derive(Debug)]
pub(crate) struct Pad {
    pub(crate) is_fixed: bool,
}

impl LinkScheme for Pad {
    fn client(&self, keys: &MemberKeys, _: &Arc<Memory>, random: Secret) -> LayerStack {
        layers_without_handshake(self.records(keys.shared, random, "to server", "to client"))
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        layers_without_handshake(self.records(keys.shared, random, "to client", "to server"))
    }
}

impl Pad {
    fn records(&self, key: Key, session: Secret, sending: &str, receiving: &str) -> Records {
        let key = |label: &str| mac(&key, &[label.as_bytes()]);
        Records {
            is_fixed: self.is_fixed,
            sending: key(sending),
            receiving: key(receiving),
            // The fix: bytes that are other ones in each session go into its keys.
            session,
            numbers: [0; 2],
        }
    }
}

/// Records: `session (32) | encrypted`. The broken ones send the bytes of the session, too, and do
/// not use them.
#[derive(Debug)]
struct Records {
    is_fixed: bool,
    sending: Key,
    receiving: Key,
    session: Secret,
    numbers: [u64; 2],
}

impl Protection for Records {
    fn protect(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let mut body = plaintext.to_vec();
        let key = if self.is_fixed { mac(&self.sending, &[&self.session]) } else { self.sending };
        keystream_xor(&key, self.numbers[0], &mut body);
        self.numbers[0] += 1;
        [&self.session, &*body].concat()
    }

    fn unprotect(&mut self, record: &[u8]) -> Result<Vec<u8>, &'static str> {
        let (session, body) = record.split_first_chunk::<32>().ok_or("a record is too short")?;
        let mut plaintext = body.to_vec();
        let key = if self.is_fixed { mac(&self.receiving, &[session]) } else { self.receiving };
        keystream_xor(&key, self.numbers[1], &mut plaintext);
        self.numbers[1] += 1;
        Ok(plaintext)
    }
}
