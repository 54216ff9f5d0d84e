//! Notes of a run, for those who want to know how an outcome came about.

use glassline_wire::visible;

/// Lines kept of one cell; later ones are counted.
const LINES_MAX: usize = 120;
/// Characters kept of one line.
const CHARS_MAX: usize = 200;

/// Bounded list of lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    lines: Vec<String>,
    omitted: usize,
}

impl Transcript {
    /// Appends a line, made safe to show.
    pub(crate) fn note(&mut self, line: impl AsRef<str>) {
        if self.lines.len() == LINES_MAX {
            self.omitted += 1;
            return;
        }
        let mut line = visible::one_line(line.as_ref()).to_string();
        if let Some((end, _)) = line.char_indices().nth(CHARS_MAX) {
            line.truncate(end);
            line.push('…');
        }
        self.lines.push(line);
    }

    /// The lines that were kept.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Number of lines that were not kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }
}
