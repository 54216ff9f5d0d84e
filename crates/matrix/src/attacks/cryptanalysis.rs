//! Ways to read a recording without a key, tried on each scheme alike.

use crate::bytes::find;
use crate::chat::Passed;

/// Bytes of a piece that may stand before its content: a length, a number, a nonce.
const HEADER_BYTES_MAX: usize = 40;
/// Longest repeating key that is looked for.
const PERIOD_BYTES_MAX: usize = 64;

/// Piece of a recording whose plaintext the attacker knows: the protocol's own words, or a message
/// that the attacker said or was told.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) piece: Vec<u8>,
    pub(crate) plaintext: Vec<u8>,
}

/// Finds `secret` in pieces, and returns the way in which it was read.
pub(crate) fn read(pieces: &[Passed], known: &[Known], secret: &str) -> Option<&'static str> {
    let secret = secret.as_bytes();
    let all = || pieces.iter().map(|piece| piece.bytes.as_slice());
    let joined: Vec<u8> = all().flatten().copied().collect();
    if find(&joined, secret).is_some() {
        return Some("it stands in the recording as it was said");
    }
    for known in known {
        if all().any(|piece| repeats_key(piece, known, secret)) {
            return Some("a key that repeats follows from a known text");
        }
        if all().any(|piece| shares_keystream(piece, known, secret)) {
            return Some("two pieces under the same keystream, one of them known, give the other");
        }
    }
    None
}

/// Derives a repeating key from the known text, and tries it on `piece`.
fn repeats_key(piece: &[u8], known: &Known, secret: &[u8]) -> bool {
    let headers = 0..=HEADER_BYTES_MAX.min(known.piece.len());
    headers.into_iter().any(|header| {
        let stream: Vec<u8> = xor(&known.piece[header..], &known.plaintext);
        (1..=PERIOD_BYTES_MAX.min(stream.len() / 2)).any(|period| {
            let is_periodic = stream.iter().zip(&stream[period..]).all(|(one, other)| one == other);
            // The key may begin anywhere in the piece.
            is_periodic
                && (0..period).any(|phase| {
                    let key = stream[..period].iter().cycle().skip(phase);
                    let plaintext: Vec<u8> = piece.iter().zip(key).map(|(byte, key)| byte ^ key).collect();
                    find(&plaintext, secret).is_some()
                })
        })
    })
}

/// Removes the keystream of the known piece from another.
fn shares_keystream(piece: &[u8], known: &Known, secret: &[u8]) -> bool {
    (0..=HEADER_BYTES_MAX.min(known.piece.len())).any(|header| {
        let stream = xor(&known.piece[header..], &known.plaintext);
        find(&xor(piece.get(header..).unwrap_or_default(), &stream), secret).is_some()
    })
}

fn xor(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| one ^ other).collect()
}

/// Returns the number of equal blocks of 16 bytes at equal places, whatever stands before them.
pub(crate) fn equal_blocks(one: &[u8], other: &[u8]) -> usize {
    let count = |header: usize| {
        let blocks = |bytes: &[u8]| {
            bytes.get(header..).unwrap_or_default().chunks_exact(16).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        blocks(one).iter().zip(&blocks(other)).filter(|(one, other)| one == other).count()
    };
    (0..=HEADER_BYTES_MAX).map(count).max().unwrap_or(0)
}
