//! Knowledge of somebody who reads a session along: names, rooms, words or only sizes, who talks
//! when, how often and to whom. The rows are the same for every scheme, so that reports of several
//! recordings compare side by side.

mod chart;
mod compare;
mod html;
mod knowledge;
mod rows;
mod sizes;
mod utterances;

pub use compare::compare;
pub use knowledge::Knowledge;
pub use rows::{Row, RowId};

use std::fmt;

use crate::frame::{Frame, FrameId};
use crate::meaning::Meaning;

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

/// The places that prove a fact: the first ones, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    first: Vec<Evidence>,
    count: u64,
}

impl Proof {
    fn add(&mut self, evidence: Evidence) {
        if self.first.last() == Some(&evidence) {
            return;
        }
        self.count += 1;
        if self.first.len() < EVIDENCE_MAX {
            self.first.push(evidence);
        }
    }

    fn extend(&mut self, other: &Self) {
        self.count += other.count;
        self.first.extend_from_slice(&other.first);
        self.first.sort_unstable();
        self.first.truncate(EVIDENCE_MAX);
    }

    /// Returns how many places there are.
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
        match self.count.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The report on one session.
#[derive(Debug)]
pub struct Report {
    title: String,
    knowledge: Knowledge,
    rows: Vec<Row>,
}

impl Report {
    /// Evaluates what is known; `title` names the recording.
    pub fn new(title: impl Into<String>, knowledge: Knowledge) -> Self {
        let rows = rows::rows(&knowledge);
        Self { title: title.into(), knowledge, rows }
    }

    /// Returns the name of the recording.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the rows; each report has the same ones in the same order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The report as text: each row with its findings and their evidence.
    pub fn to_text(&self) -> String {
        rows::to_text(&self.title, &self.rows)
    }

    /// The report as one page of HTML that needs no other file and no script.
    pub fn to_html(&self) -> String {
        html::page(&self.title, &self.rows, &self.knowledge)
    }
}

/// One frame and what it says, as evaluation takes it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Its content.
    pub meaning: &'a Meaning,
    /// Place at which it can be looked up.
    pub evidence: Evidence,
}
