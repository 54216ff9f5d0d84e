//! `glassline history`: tools for the file of a history.

mod arguments;
mod input;
mod interrupt;
mod progress;

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use glassline_journal::{Exported, ProgressMonitor, StoreError, TransferError};

pub(crate) use self::arguments::HistoryArguments;
use self::arguments::{HistoryFile, Upkeep};
use self::interrupt::Interrupt;
use self::progress::ProgressReport;
use crate::history;
use crate::{FAILED, WRONG_USAGE, note};

/// Exit code where the reader of an export went away: 128 and the number of SIGPIPE, as a shell
/// reports it.
const READER_GONE: u8 = 141;

pub(crate) fn keep_up(arguments: &HistoryArguments) -> ExitCode {
    if let Some(usage) = right_usage(&arguments.upkeep) {
        crate::complain(usage);
        return ExitCode::from(WRONG_USAGE);
    }
    let interrupt = match Interrupt::watch() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            crate::complain(format_args!("cannot watch for signals: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    match carry_out(&arguments.upkeep, &interrupt) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_reader_gone(&error) => ExitCode::from(READER_GONE),
        Err(error) => {
            crate::complain(in_words(&error, &arguments.upkeep));
            ExitCode::from(interrupt.exit_code().filter(|_| is_cancelled(&error)).unwrap_or(FAILED))
        }
    }
}

/// The command line that was meant, if a file was named without its option.
fn right_usage(upkeep: &Upkeep) -> Option<String> {
    let (name, file) = match upkeep {
        Upkeep::Export(file) => ("export", file),
        Upkeep::Check(file) => ("check", file),
        Upkeep::Vacuum(file) => ("vacuum", file),
        Upkeep::Import { .. } => return None,
    };
    let misplaced = file.misplaced.as_ref()?.display();
    Some(format!("name the file with its option: glassline history {name} --history {misplaced}"))
}

fn store_error(error: &anyhow::Error) -> Option<&StoreError> {
    match error.downcast_ref() {
        Some(TransferError::Store(cause)) => Some(cause),
        _ => error.downcast_ref(),
    }
}

fn is_cancelled(error: &anyhow::Error) -> bool {
    matches!(store_error(error), Some(StoreError::Cancelled))
}

fn is_reader_gone(error: &anyhow::Error) -> bool {
    let output = match error.downcast_ref() {
        Some(TransferError::Output(output)) => Some(output),
        _ => error.downcast_ref::<io::Error>(),
    };
    output.is_some_and(|output| output.kind() == ErrorKind::BrokenPipe)
}

/// Text of an error. The journal's texts are for a server's host; the next step of a user who
/// looks after a file is another one.
fn in_words(error: &anyhow::Error, upkeep: &Upkeep) -> String {
    let Some(cause) = store_error(error) else { return format!("{error:#}") };
    match cause {
        StoreError::InUse(file) => format!(
            "a Glassline server, or another `glassline history` command, has {} open; let it end first, then try again",
            file.display()
        ),
        StoreError::Locked(file) => {
            let file = file.display();
            format!(
                "another program, and no Glassline server, has locked {file}; let it end first, then try again \
                 (`fuser {file}` or `lsof {file}` names it on most systems)"
            )
        }
        StoreError::Cancelled => match upkeep {
            Upkeep::Export(_) => "interrupted; the export is not complete".to_string(),
            Upkeep::Import { .. } => "interrupted; nothing was imported".to_string(),
            Upkeep::Check(_) | Upkeep::Vacuum(_) => "interrupted; the history is as it was".to_string(),
        },
        StoreError::ReadOnly(file) => format!(
            "{} is not this user's to open like that, or lies where nothing may be written; try again as the user whose file it is",
            file.display()
        ),
        StoreError::Full => "the disk is full; free some space, then try again".to_string(),
        StoreError::WriteFailed(detail) => {
            format!("the history cannot be written ({detail}); look after the disk, then try again")
        }
        StoreError::CannotOpen { path, detail } => {
            format!("cannot open {}: {detail}; name the history with --history FILE", path.display())
        }
        _ => cause.to_string(),
    }
}

fn carry_out(upkeep: &Upkeep, interrupt: &Interrupt) -> anyhow::Result<()> {
    match upkeep {
        Upkeep::Export(HistoryFile { history, .. }) => export_to_stdout(&file(history.as_deref())?, interrupt),
        Upkeep::Import { history, lines } => import_from(&file(history.as_deref())?, lines.as_deref(), interrupt),
        Upkeep::Check(HistoryFile { history, .. }) => report(&file(history.as_deref())?, interrupt),
        Upkeep::Vacuum(HistoryFile { history, .. }) => shrink(&file(history.as_deref())?, interrupt),
    }
}

fn file(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    named
        .map(Path::to_path_buf)
        .or_else(history::default_file)
        .context("there is no home folder to look in; name the file with --history FILE")
}

/// Runs an operation that reports its progress; the progress is cleared before anything else is
/// printed.
fn watched<T>(progress: ProgressReport, act: impl FnOnce(&Arc<dyn ProgressMonitor>) -> T) -> T {
    let progress = Arc::new(progress);
    let monitor: Arc<dyn ProgressMonitor> = Arc::clone(&progress) as Arc<dyn ProgressMonitor>;
    let done = act(&monitor);
    progress.clear();
    done
}

/// Prints a line of a result on stdout.
fn say(line: impl Display) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}")
        .map_err(|error| anyhow::Error::new(error).context("cannot write to stdout; look after where it goes"))
}

fn export_to_stdout(file: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let progress = ProgressReport::new(interrupt.clone(), None, !io::stdout().is_terminal());
    let mut output = BufWriter::new(io::stdout().lock());
    let exported = watched(progress, |monitor| glassline_journal::export(file, &mut output, monitor));
    let exported = match exported {
        Ok(exported) => exported,
        Err(error) => {
            // What was written is whole lines; a second error would say the same.
            let _ = output.flush();
            return Err(error.into());
        }
    };
    note(format_args!("{} messages, {} acts", exported.messages, exported.acts));
    if exported.is_complete() {
        return Ok(());
    }
    note_missing(&exported);
    if exported.missing.is_empty() && exported.missing_acts.is_empty() {
        bail!("{} is damaged, and more may have been in it than was exported", file.display());
    }
    let acts: u64 = exported.missing_acts.iter().map(|range| range.end() - range.start() + 1).sum();
    bail!(
        "{} is damaged: {} messages and {acts} acts are missing in the export; restore a copy of the file if there is one",
        file.display(),
        exported.missing_messages()
    )
}

fn note_missing(exported: &Exported) {
    let shown = |range: &RangeInclusive<u64>| match (range.start(), range.end()) {
        (one, end) if one == end => format!("{one} missing"),
        (start, end) => format!("{start} to {end} missing"),
    };
    for (room, range) in &exported.missing {
        note(format_args!("{room}: {}", shown(range)));
    }
    for range in &exported.missing_acts {
        note(format_args!("operators' acts: {}", shown(range)));
    }
    exported.doubts.iter().for_each(note);
}

fn import_from(file: &Path, lines: Option<&Path>, interrupt: &Interrupt) -> anyhow::Result<()> {
    let lines = lines.filter(|lines| *lines != Path::new("-"));
    let is_typed = lines.is_none() && io::stdin().is_terminal();
    if is_typed {
        note(
            "waiting for the lines of an export on stdin: paste them and press Ctrl-D, or press Ctrl-C and name a file: \
             glassline history import FILE",
        );
    }
    let opened = input::open(lines, interrupt);
    let (mut input, bytes) = opened.map_err(|error| {
        let lines = lines.unwrap_or(Path::new("-")).display();
        anyhow!("cannot read {lines}: {error}; name a file that is an export")
    })?;
    let progress = ProgressReport::new(interrupt.clone(), bytes, !is_typed);
    let imported = watched(progress, |monitor| glassline_journal::import(file, &mut *input, monitor.as_ref()))?;
    say(format_args!(
        "{} messages and {} acts taken in, {} were there already",
        imported.messages, imported.acts, imported.skipped
    ))?;
    if imported.renumbered > 0 {
        say(format_args!(
            "{} of them have another number now: their room had messages before, or some are missing in the export",
            imported.renumbered
        ))?;
    }
    Ok(())
}

fn report(file: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let report =
        watched(ProgressReport::new(interrupt.clone(), None, true), |monitor| glassline_journal::check(file, monitor))?;
    let rooms = if report.rooms == 1 { "1 room".to_string() } else { format!("{} rooms", report.rooms) };
    say(format_args!("{}: {} messages in {rooms}, {} acts", file.display(), report.messages, report.acts))?;
    if report.pages_left_out {
        say("its pages were not all looked at, because a server wrote much meanwhile; stop it, or check a copy")?;
    }
    if report.stray_pages {
        say(
            "its search index was damaged once and is built again; what the old one took counts as used, and nothing is forgotten by \
             size, until `glassline history vacuum` gives it back",
        )?;
    }
    if report.unverified > 0 {
        say(format_args!(
            "{} of them are from before messages had checksums and were not verified; a server gives them theirs while it runs",
            report.unverified
        ))?;
    }
    if report.is_sound() {
        return say("nothing is wrong with it");
    }
    for fault in &report.faults {
        say(fault)?;
    }
    bail!(
        "{} is damaged; put it aside and restore a copy, or take what can be read with `glassline history export`",
        file.display()
    )
}

fn shrink(file: &Path, interrupt: &Interrupt) -> anyhow::Result<()> {
    let done = watched(ProgressReport::new(interrupt.clone(), None, true), |monitor| {
        glassline_journal::vacuum(file, monitor)
    })?;
    say(format_args!("{}: {} bytes before, {} now", file.display(), done.before_bytes, done.after_bytes))?;
    if done.rebuilds_index {
        say(
            "its search index was damaged, and is built again when a server starts; every message is there, but look after the disk",
        )?;
    }
    Ok(())
}
