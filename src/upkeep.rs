//! `glassline history`: what a person does with what was kept.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};
use glassline_journal::{StoreError, UpkeepError, check, export, import, vacuum};

use crate::args::{History, Upkeep};
use crate::history;

/// Exit code where something is wrong with the history, or with the way to it.
const FAILED: u8 = 1;

/// Carries one out.
pub(crate) fn keep_up(arguments: &History) -> ExitCode {
    match carry_out(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(format_args!("{}", in_words(&error)));
            ExitCode::from(FAILED)
        }
    }
}

/// What went wrong. The history's own words are for a server's host; who looks after a file has another next step.
fn in_words(error: &anyhow::Error) -> String {
    let cause = match error.downcast_ref() {
        Some(UpkeepError::Store(cause)) => Some(cause),
        _ => error.downcast_ref::<StoreError>(),
    };
    let Some(cause) = cause else { return format!("{error:#}") };
    match cause {
        StoreError::InUse(file) => format!(
            "a Glassline server, or another chore, has {} open; let it end first, then try again",
            file.display()
        ),
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

fn carry_out(arguments: &History) -> anyhow::Result<()> {
    match &arguments.upkeep {
        Upkeep::Export { history } => export_to_stdout(&file(history.as_deref())?),
        Upkeep::Import { history, lines } => import_from(&file(history.as_deref())?, lines.as_deref()),
        Upkeep::Check { history } => report(&file(history.as_deref())?),
        Upkeep::Vacuum { history } => shrink(&file(history.as_deref())?),
    }
}

fn file(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    named
        .map(Path::to_path_buf)
        .or_else(history::default_file)
        .context("there is no home folder to look in; name the file with --history FILE")
}

fn export_to_stdout(file: &Path) -> anyhow::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    let exported = export(file, &mut output)?;
    output.flush().context("the export cannot be written")?;
    eprintln!("{} messages, {} acts", exported.messages, exported.acts);
    if exported.unread.is_empty() {
        return Ok(());
    }
    bail!("not everything could be read: {}", exported.unread.join("; "))
}

fn import_from(file: &Path, lines: Option<&Path>) -> anyhow::Result<()> {
    let imported = match lines.filter(|lines| *lines != Path::new("-")) {
        Some(lines) => {
            let opened = File::open(lines)
                .map_err(|error| anyhow!("cannot read {}: {error}; name a file that is an export", lines.display()))?;
            import(file, &mut BufReader::new(opened))?
        }
        None => import(file, &mut io::stdin().lock())?,
    };
    println!(
        "{} messages and {} acts taken in, {} were there already",
        imported.messages, imported.acts, imported.skipped
    );
    if imported.renumbered > 0 {
        println!(
            "{} of them have another number now: their room had messages before, or some are missing in the export",
            imported.renumbered
        );
    }
    Ok(())
}

fn report(file: &Path) -> anyhow::Result<()> {
    let report = check(file)?;
    let rooms = if report.rooms == 1 { "1 room".to_string() } else { format!("{} rooms", report.rooms) };
    println!("{}: {} messages in {rooms}, {} acts", file.display(), report.messages, report.acts);
    if report.pages_left_out {
        println!("its pages were not all looked at, because a server wrote much meanwhile; stop it, or check a copy");
    }
    if report.stray_pages {
        println!(
            "its search index was damaged once and is built again; what the old one took counts as used, and nothing is forgotten by \
             size, until `glassline history vacuum` gives it back"
        );
    }
    if report.unverified > 0 {
        println!(
            "{} of them are from before messages had checksums and were not verified; a server gives them theirs while it runs",
            report.unverified
        );
    }
    if report.is_sound() {
        println!("nothing is wrong with it");
        return Ok(());
    }
    for fault in &report.faults {
        println!("{fault}");
    }
    bail!(
        "{} is damaged; put it aside and restore a copy, or take what can be read with `glassline history export`",
        file.display()
    )
}

fn shrink(file: &Path) -> anyhow::Result<()> {
    let done = vacuum(file)?;
    println!("{}: {} bytes before, {} now", file.display(), done.before_bytes, done.after_bytes);
    if done.index_renewed {
        println!(
            "its search index was damaged, and is built again when a server starts; every message is there, but look after the disk"
        );
    }
    Ok(())
}
