//! The table: every attack on every scheme.

mod html;
mod markdown;

use crate::attack::{ATTACKS, Attack};
use crate::lab::{Effort, Lab};
use crate::outcome::{Defect, Outcome};
use crate::scheme::Scheme;
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

    /// Arguments that run this cell again.
    pub fn replay(&self) -> String {
        format!("--cell {}/{} --seed {}", self.attack.id(), self.scheme.replace(' ', "-"), self.seed)
    }
}

/// Cells of some attacks and schemes, scheme by scheme.
#[derive(Debug, Clone, Default)]
pub struct Table {
    schemes: Vec<String>,
    attacks: Vec<&'static Attack>,
    cells: Vec<Cell>,
}

impl Table {
    /// Runs every attack that `is_wanted` on each scheme, and reports each cell to `done`.
    pub fn run(
        schemes: &[Scheme],
        is_wanted: impl Fn(&Attack) -> bool,
        effort: Effort,
        seed: u64,
        mut done: impl FnMut(&Cell),
    ) -> Self {
        let attacks: Vec<&'static Attack> = ATTACKS.iter().filter(|attack| is_wanted(attack)).collect();
        let mut cells = Vec::new();
        for scheme in schemes {
            for &attack in &attacks {
                let cell = Cell::run(attack, scheme, effort, seed);
                done(&cell);
                cells.push(cell);
            }
        }
        Self { schemes: schemes.iter().map(|scheme| scheme.name().to_owned()).collect(), attacks, cells }
    }

    /// All cells, scheme by scheme.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Returns the cell of an attack on a scheme.
    pub fn cell(&self, attack: &str, scheme: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.attack.id() == attack && cell.scheme == scheme)
    }

    /// The table in Markdown, without figures.
    pub fn to_markdown(&self) -> String {
        markdown::table(self)
    }

    /// The table as one page of HTML that needs no other file and no script.
    pub fn to_html(&self) -> String {
        html::page(self)
    }
}
