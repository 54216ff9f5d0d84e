//! Building blocks, all of which are sound. What breaks a scheme is their use.

use aes::Aes256;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use curve25519_dalek::MontgomeryPoint;
use hmac::{Hmac, Mac};
use sha2::Sha256;

pub(crate) type Key = [u8; 32];

/// Bytes of a block of AES.
pub(crate) const BLOCK_BYTES: usize = 16;
/// Bytes of an authentication code.
pub(crate) const MAC_BYTES: usize = 32;

/// Encrypts or decrypts with the keystream of `ChaCha20` under this key and number.
pub(crate) fn keystream_xor(key: &Key, number: u64, bytes: &mut [u8]) {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_le_bytes());
    ChaCha20::new(key.into(), &nonce.into()).apply_keystream(bytes);
}

/// Returns HMAC-SHA-256 over the parts. Those before the last have a fixed length each.
pub(crate) fn mac(key: &Key, parts: &[&[u8]]) -> Key {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Returns whether `code` is that of [`mac`], in constant time.
pub(crate) fn is_mac(key: &Key, parts: &[&[u8]], code: &[u8]) -> bool {
    let difference = mac(key, parts).iter().zip(code).fold(0, |difference, (one, other)| difference | (one ^ other));
    code.len() == MAC_BYTES && std::hint::black_box(difference) == 0
}

/// Returns the public key of a secret.
pub(crate) fn public(secret: &Key) -> Key {
    MontgomeryPoint::mul_base_clamped(*secret).to_bytes()
}

/// Returns the secret that two sides share; `None` for public keys that give the same one always.
pub(crate) fn shared(secret: &Key, public: &Key) -> Option<Key> {
    let shared = MontgomeryPoint(*public).mul_clamped(*secret).to_bytes();
    (shared != [0; 32]).then_some(shared)
}

/// Encrypts each block of 16 bytes by itself.
pub(crate) fn encrypt_block(key: &Key, block: &mut [u8; BLOCK_BYTES]) {
    Aes256::new(GenericArray::from_slice(key)).encrypt_block(GenericArray::from_mut_slice(block));
}

/// Decrypts one block.
pub(crate) fn decrypt_block(key: &Key, block: &mut [u8; BLOCK_BYTES]) {
    Aes256::new(GenericArray::from_slice(key)).decrypt_block(GenericArray::from_mut_slice(block));
}

/// Appends bytes that each say how many there are, up to a whole block.
pub(crate) fn pad(mut plaintext: Vec<u8>) -> Vec<u8> {
    let missing = BLOCK_BYTES - plaintext.len() % BLOCK_BYTES;
    plaintext.resize(plaintext.len() + missing, u8::try_from(missing).unwrap_or(0));
    plaintext
}

/// Removes what [`pad`] appends; `None` where it is something else.
pub(crate) fn unpad(mut padded: Vec<u8>) -> Option<Vec<u8>> {
    let count = usize::from(*padded.last()?);
    let kept = padded.len().checked_sub(count)?;
    let is_valid = (1..=BLOCK_BYTES).contains(&count) && padded[kept..].iter().all(|&byte| usize::from(byte) == count);
    padded.truncate(kept);
    is_valid.then_some(padded)
}

/// Encrypts whole blocks, each of them changed by the one before it (CBC).
pub(crate) fn encrypt_chained(key: &Key, initial: [u8; BLOCK_BYTES], plaintext: &[u8]) -> Vec<u8> {
    let mut previous = initial;
    plaintext
        .chunks_exact(BLOCK_BYTES)
        .flat_map(|chunk| {
            for (byte, chunk) in previous.iter_mut().zip(chunk) {
                *byte ^= chunk;
            }
            encrypt_block(key, &mut previous);
            previous
        })
        .collect()
}

/// Decrypts what [`encrypt_chained`] returns.
pub(crate) fn decrypt_chained(key: &Key, initial: [u8; BLOCK_BYTES], encrypted: &[u8]) -> Vec<u8> {
    let mut previous = initial;
    let (blocks, _) = encrypted.as_chunks::<BLOCK_BYTES>();
    blocks
        .iter()
        .flat_map(|chunk| {
            let mut block = *chunk;
            decrypt_block(key, &mut block);
            for (byte, previous) in block.iter_mut().zip(&previous) {
                *byte ^= previous;
            }
            previous = *chunk;
            block
        })
        .collect()
}

/// Source of random numbers that a secret of the session seeds.
#[derive(Debug)]
pub(crate) struct SessionRandom {
    seed: Key,
    drawn: u64,
}

impl SessionRandom {
    pub(crate) fn new(seed: Key) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(crate) fn key(&mut self) -> Key {
        self.drawn += 1;
        mac(&self.seed, &[b"random", &self.drawn.to_be_bytes()])
    }

    pub(crate) fn block(&mut self) -> [u8; BLOCK_BYTES] {
        let mut block = [0; BLOCK_BYTES];
        block.copy_from_slice(&self.key()[..BLOCK_BYTES]);
        block
    }
}
