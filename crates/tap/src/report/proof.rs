//! Places at which a fact of a report can be looked up.

use std::collections::BTreeSet;
use std::fmt;

use crate::frame::{Frame, FrameId};

/// Places kept as evidence of one fact; the others are counted.
const EVIDENCE_MAX: usize = 8;

/// Place at which a frame can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// The packet of a recording that completed the frame, as Wireshark numbers them.
    Packet(u64),
    /// A frame seen live.
    Frame(FrameId),
}

impl Evidence {
    /// The place of a frame that was seen live.
    pub fn of(frame: &Frame) -> Self {
        Self::Frame(frame.id())
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(number) => write!(f, "#{number}"),
            Self::Frame(id) => id.fmt(f),
        }
    }
}

/// The places that prove a fact, each once: the first ones, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    first: Vec<Evidence>,
    last: Option<Evidence>,
    count: u64,
    /// There may be more than `count`: the proofs that were united listed only a part.
    is_at_least: bool,
}

impl Proof {
    /// Adds a place. Those of one frame are added one after the other, as frames are evaluated.
    pub(super) fn add(&mut self, evidence: Evidence) {
        if self.last.replace(evidence) == Some(evidence) {
            return;
        }
        self.count += 1;
        if self.first.len() < EVIDENCE_MAX {
            self.first.push(evidence);
        }
    }

    /// Returns how many places there are, at least.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the first places.
    pub fn first(&self) -> &[Evidence] {
        &self.first
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.first.iter().map(Evidence::to_string).collect();
        write!(f, "{}", places.join(" "))?;
        let at_least = if self.is_at_least { "at least " } else { "" };
        match self.count.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {at_least}{more} more"),
        }
    }
}

/// The places of several proofs together. A place of more than one counts once.
#[derive(Debug, Default)]
pub(super) struct ProofUnion {
    places: BTreeSet<Evidence>,
    largest_count: u64,
    proofs: u64,
    /// A proof lists a part of its places.
    is_partial: bool,
}

impl ProofUnion {
    pub(super) fn add(&mut self, proof: &Proof) {
        self.places.extend(&proof.first);
        self.largest_count = self.largest_count.max(proof.count);
        self.proofs += 1;
        self.is_partial |= proof.count > proof.first.len() as u64;
    }

    pub(super) fn proof(&self) -> Proof {
        let listed = self.places.len() as u64;
        Proof {
            first: self.places.iter().take(EVIDENCE_MAX).copied().collect(),
            last: self.places.last().copied(),
            count: listed.max(self.largest_count),
            // The places that are not listed may be the same ones or others.
            is_at_least: self.is_partial && self.proofs > 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(packets: impl IntoIterator<Item = u64>) -> Proof {
        let mut proof = Proof::default();
        packets.into_iter().for_each(|packet| proof.add(Evidence::Packet(packet)));
        proof
    }

    #[test]
    fn a_packet_is_listed_and_counted_once() {
        assert_eq!(proof([12; 30]).to_string(), "#12");
        let many = proof((1..=10).flat_map(|packet| [packet; 3]));
        assert_eq!((many.to_string().as_str(), many.count()), ("#1 #2 #3 #4 #5 #6 #7 #8 and 2 more", 10));
    }

    #[test]
    fn a_union_lists_a_packet_of_several_once() {
        let union = |proofs: &[Proof]| {
            let mut union = ProofUnion::default();
            for proof in proofs {
                union.add(proof);
            }
            union.proof().to_string()
        };
        assert_eq!(union(&[proof([12]), proof([12]), proof([12, 14])]), "#12 #14");
        assert_eq!(union(&[proof(1..=6), proof(5..=10)]), "#1 #2 #3 #4 #5 #6 #7 #8 and 2 more");
        assert_eq!(union(&[proof(1..=20)]), "#1 #2 #3 #4 #5 #6 #7 #8 and 12 more");
        assert_eq!(union(&[proof(1..=20), proof([1])]), "#1 #2 #3 #4 #5 #6 #7 #8 and at least 12 more");
    }
}
