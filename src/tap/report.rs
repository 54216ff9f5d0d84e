//! `glassline tap report`: what an observer of recorded sessions knows.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use glassline_tap::capture::CapturedFrame;
use glassline_tap::report::NotEvaluated;
use glassline_tap::{
    Capture, CaptureError, Evidence, Existing, Knowledge, Reader, Report, Seen, Side, cause, create_private, report,
    wrapped,
};
use unicode_width::UnicodeWidthStr as _;

use super::arguments::ReportArguments;
use super::columns::shown;
use super::worded;
use crate::note;

/// Width of a table that is not printed on a terminal.
const TABLE_WIDTH: usize = 100;

/// Prints the report of one recording, compares several, or writes a page.
pub(super) fn report(arguments: &ReportArguments) -> anyhow::Result<()> {
    let reports: Vec<Report> =
        arguments.recordings.iter().map(|file| evaluate(file, arguments.side.into())).collect::<anyhow::Result<_>>()?;
    match (&arguments.html, &reports[..]) {
        (Some(page), [only]) => {
            let existing = if arguments.overwrite { Existing::Overwrite } else { Existing::Keep };
            let written = create_private(page, existing).and_then(|mut file| file.write_all(only.to_html().as_bytes()));
            written.map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => {
                    anyhow!("{} is there already; name another page, or replace it with --overwrite", shown(page))
                }
                _ => anyhow!("cannot write {}: {}; name a page in a folder that is there", shown(page), cause(&error)),
            })?;
            note(format_args!("{} is written; open it in a browser", shown(page)));
            Ok(())
        }
        (Some(_), _) => bail!("--html takes one recording; write a page for each, or leave --html out to compare them"),
        (None, [only]) => print(only),
        (None, several) => write(&report::compare(several, table_width())),
    }
}

/// Returns the columns of the terminal, or those of a table that goes elsewhere.
fn table_width() -> usize {
    let terminal = io::stdout().is_terminal().then(crossterm::terminal::size);
    terminal.and_then(Result::ok).map_or(TABLE_WIDTH, |(columns, _)| usize::from(columns))
}

/// Prints a report on the standard output; on a terminal, broken between words.
pub(super) fn print(report: &Report) -> anyhow::Result<()> {
    let text = report.to_text();
    write(&if io::stdout().is_terminal() { broken(&text, table_width()) } else { text })
}

/// Breaks the lines of a report at a width. What goes on is indented further than what begins.
fn broken(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let rows = if line.width() <= width {
            vec![line.trim_start().to_owned()]
        } else {
            wrapped(line, width.saturating_sub(indent + 2))
        };
        for (place, row) in rows.iter().enumerate() {
            let indent = if place == 0 { indent } else { indent + 2 };
            let _ = writeln!(out, "{:indent$}{row}", "");
        }
    }
    out
}

fn write(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write the report"),
        _ => Ok(()),
    }
}

/// Reads a recording. An error names it.
pub(super) fn open(file: &Path) -> anyhow::Result<Capture> {
    Capture::open(file).map_err(|error| match error {
        CaptureError::Open { .. } => worded(error),
        _ => worded(format_args!("{}: {error}", file.display())),
    })
}

fn evaluate(file: &Path, side: Side) -> anyhow::Result<Report> {
    let capture = open(file)?;
    let mut knowledge = Knowledge::default();
    let mut readers: Vec<Reader> = Vec::new();
    let mut frames: Vec<(&CapturedFrame, usize)> = Vec::new();
    for connection in capture.connections(side) {
        frames.extend(connection.frames.iter().map(|frame| (frame, readers.len())));
        readers.push(Reader::default());
    }
    // A message is told from its copies by the order in which they passed.
    frames.sort_by_key(|(frame, _)| frame.packet);
    for (captured, reader) in frames {
        let meaning = readers[reader].read(&captured.frame);
        let evidence = Evidence::Packet(captured.packet);
        knowledge.add(Seen { frame: &captured.frame, meaning: &meaning, evidence });
    }
    for rejected in capture.rejected().iter().filter(|rejected| rejected.side.is_none_or(|of| of == side)) {
        let reason = format!("connection of {}: {}", rejected.client, rejected.reason);
        knowledge.add_not_evaluated(NotEvaluated::Connections(1), reason);
    }
    if capture.omitted() > 0 {
        let reason = format!("{} connections beyond the limit", capture.omitted());
        knowledge.add_not_evaluated(NotEvaluated::Connections(capture.omitted()), reason);
    }
    for (link, packets) in capture.unknown_links() {
        let reason = format!("{packets} packets of link type {link}, which this program cannot read");
        knowledge.add_not_evaluated(NotEvaluated::Packets(*packets), reason);
    }
    knowledge.set_loss(capture.end().loss());
    let title = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    Ok(Report::new(title, knowledge))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_broken_between_words() {
        let text = "Texts: 1 readable\n  alice to room lobby: hello there  [#1 #2]\n\nend\n";
        let expected = "Texts: 1 readable\n  alice to room\n    lobby: hello\n    there [#1 #2]\n\nend\n";
        assert_eq!(broken(text, 17), expected);
    }
}
