//! `glassline tap report`: what an observer of recorded sessions knows.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};
use glassline_tap::capture::CapturedFrame;
use glassline_tap::{
    Capture, CaptureEnd, Evidence, Existing, Knowledge, Reader, Report, Seen, Side, create_private, report,
};

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
            let written = create_private(page, Existing::Overwrite)
                .and_then(|mut file| file.write_all(only.to_html().as_bytes()));
            written.with_context(|| format!("cannot write {}", shown(page)))?;
            note(format_args!("{} is written; open it in a browser", shown(page)));
            Ok(())
        }
        (Some(_), _) => bail!("--html takes one recording; write a page for each, or leave --html out to compare them"),
        (None, [only]) => print(&only.to_text()),
        (None, several) => print(&report::compare(several, table_width())),
    }
}

/// Returns the columns of the terminal, or those of a table that goes elsewhere.
fn table_width() -> usize {
    let terminal = io::stdout().is_terminal().then(crossterm::terminal::size);
    terminal.and_then(Result::ok).map_or(TABLE_WIDTH, |(columns, _)| usize::from(columns))
}

/// Prints a report on the standard output.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write the report"),
        _ => Ok(()),
    }
}

fn evaluate(file: &Path, side: Side) -> anyhow::Result<Report> {
    let capture = Capture::open(file).map_err(worded)?;
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
        knowledge.add_not_evaluated(format!("connection of {}: {}", rejected.client, rejected.reason));
    }
    if capture.omitted() > 0 {
        knowledge.add_not_evaluated(format!("{} connections beyond the limit", capture.omitted()));
    }
    for (link, packets) in capture.unknown_links() {
        knowledge.add_not_evaluated(format!("{packets} packets of link type {link}, which this program cannot read"));
    }
    match capture.end() {
        CaptureEnd::Whole => {}
        CaptureEnd::Truncated { packets } => {
            knowledge.add_not_evaluated(format!("what follows packet {packets}, within which the file ends"));
        }
        CaptureEnd::Damaged { packets } => {
            knowledge.add_not_evaluated(format!("what follows packet {packets}, since the file is damaged there"));
        }
    }
    let title = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    Ok(Report::new(title, knowledge))
}
