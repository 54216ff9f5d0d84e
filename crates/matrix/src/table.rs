//! The table: every attack on every scheme.

mod html;
mod markdown;

use std::fmt::Write as _;

use glassline_wire::visible;

use crate::attack::{ATTACKS, Attack};
use crate::lab::{Effort, Lab};
use crate::outcome::{Defect, Outcome};
use crate::scheme::Scheme;
use crate::selection::{Selection, name_of};
use crate::transcript::Transcript;

/// One attack on one scheme.
#[derive(Debug, Clone)]
pub struct Cell {
    attack: &'static Attack,
    scheme: String,
    seed: u64,
    result: Result<Outcome, Defect>,
    transcript: Transcript,
}

impl Cell {
    /// Runs it. Seed, attack and scheme determine every choice of the lab.
    pub fn run(attack: &'static Attack, scheme: &Scheme, effort: Effort, seed: u64) -> Self {
        // The attack alone is the label, so that schemes differ in nothing else.
        let mut lab = Lab::new(scheme, effort, seed, attack.id());
        let result = attack.run(&mut lab);
        Self { attack, scheme: scheme.name().to_owned(), seed, result, transcript: lab.into_transcript() }
    }

    /// The attack.
    pub fn attack(&self) -> &'static Attack {
        self.attack
    }

    /// Name of the scheme.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The observation.
    ///
    /// # Errors
    /// The scheme did not carry the honest messages of the cell.
    pub fn result(&self) -> &Result<Outcome, Defect> {
        &self.result
    }

    /// Notes of the run.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The outcome in a word or two; `defect` where there is none.
    pub fn word(&self) -> &'static str {
        self.result.as_ref().map_or("defect", Outcome::word)
    }

    /// Attack, scheme and outcome in one line.
    pub fn to_line(&self) -> String {
        let name = format!("{}/{}", self.attack.id(), name_of(&self.scheme));
        let line = match &self.result {
            Ok(outcome) => format!("{name:<42} {outcome}"),
            Err(defect) => format!("{name:<42} {defect}"),
        };
        // A scheme's program has a part in it.
        visible::one_line(&line).to_string()
    }

    /// The line, and the notes of the run below it.
    pub fn to_text(&self) -> String {
        let mut text = self.to_line();
        for line in self.transcript.lines() {
            text.push_str("\n    ");
            text.push_str(line);
        }
        if self.transcript.omitted() > 0 {
            let _ = write!(text, "\n    ({} more lines)", self.transcript.omitted());
        }
        text
    }

    /// Arguments that run this cell again.
    pub fn replay(&self) -> String {
        format!("--cell {}/{} --seed {}", self.attack.id(), name_of(&self.scheme), self.seed)
    }
}

/// Cells of some attacks and schemes, scheme by scheme.
#[derive(Debug, Clone, Default)]
pub struct Table {
    cells: Vec<Cell>,
}

impl Table {
    /// Runs the selected cells, and reports each to `done`.
    pub fn run(
        schemes: &[Scheme],
        selection: &Selection,
        effort: Effort,
        seed: u64,
        mut done: impl FnMut(&Cell),
    ) -> Self {
        let mut cells = Vec::new();
        for scheme in schemes {
            for attack in ATTACKS.iter().filter(|attack| selection.contains(attack, scheme)) {
                let cell = Cell::run(attack, scheme, effort, seed);
                done(&cell);
                cells.push(cell);
            }
        }
        Self { cells }
    }

    /// All cells, scheme by scheme.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Returns the cell of an attack on a scheme.
    pub fn cell(&self, attack: &str, scheme: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.attack.id() == attack && cell.scheme == scheme)
    }

    /// Attacks of these schemes in Markdown, without figures.
    pub fn to_markdown(&self, schemes: &[String], is_wanted: impl Fn(&Attack) -> bool) -> String {
        markdown::table(self, schemes, is_wanted)
    }

    /// Names of the schemes, each once.
    pub(crate) fn schemes(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for cell in &self.cells {
            if names.last() != Some(&cell.scheme) {
                names.push(cell.scheme.clone());
            }
        }
        names
    }

    /// Attacks of which there is a cell, in the order of the table.
    pub(crate) fn attacks(&self) -> impl Iterator<Item = &'static Attack> {
        ATTACKS.iter().filter(|attack| self.cells.iter().any(|cell| cell.attack.id() == attack.id()))
    }

    /// The table as one page of HTML that needs no other file and no script.
    pub fn to_html(&self) -> String {
        html::page(self)
    }
}
