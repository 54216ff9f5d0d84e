//! Knowledge of somebody who reads a session along: names, rooms, words or only sizes, who talks
//! when, how often and to whom. The rows are the same for every scheme, so that reports of several
//! recordings compare side by side.

mod chart;
mod compare;
mod graph;
mod html;
mod knowledge;
mod proof;
mod rows;
mod sizes;
mod utterances;

pub use compare::compare;
pub use knowledge::{Knowledge, NotEvaluated};
pub use proof::{Evidence, Proof};
pub use rows::{Row, RowId};

use crate::frame::Frame;
use crate::meaning::Meaning;

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
        rows::to_text(&self.title, self.knowledge.loss.as_deref(), &self.rows)
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
