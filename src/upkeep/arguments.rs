//! The command line of `glassline history`.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Subcommand, ValueHint};

use crate::{folders, history};

/// Look after what was kept
#[derive(Debug, Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub(crate) struct HistoryArguments {
    #[command(subcommand)]
    pub(crate) upkeep: Upkeep,
}

/// Each is run by a test.
const HISTORY_EXAMPLES: &str = "\
Examples:
  glassline history check
  glassline history export > backup.jsonl
  glassline history import --history restored.db backup.jsonl
  glassline history vacuum --history ~/old.db

Ctrl-C ends each of them, and leaves the history as it was.

Exit codes: 0 done and nothing is wrong, 1 something is wrong, or missing in an export (stderr says what), 2 wrong usage, \
130 Ctrl-C, 141 the reader of an export went away.";

#[derive(Debug, Subcommand)]
pub(crate) enum Upkeep {
    /// Print it as lines of JSON, the events of the wire; a server may have it open
    #[command(after_help = "\
Examples:
  glassline history export > backup.jsonl
  glassline history export --history damaged.db > rest.jsonl

Of a damaged file it prints what can be read. Each number that is missing is reported on stderr, and the exit code is 1.")]
    Export(HistoryFile),
    /// Take in what was exported; no server may have it open
    #[command(after_help = "\
Examples:
  glassline history import --history restored.db backup.jsonl
  ssh example.org glassline history export | glassline history import --history copy.db

If a line is wrong, nothing is taken in.")]
    Import {
        /// The file; made if it is not there [default: ~/.local/state/glassline/history.db]
        #[arg(long, value_name = "FILE", value_parser = history_file(), value_hint = ValueHint::FilePath)]
        history: Option<PathBuf>,
        /// The lines, or - for stdin [default: -]
        #[arg(value_name = "LINES", value_parser = path(), value_hint = ValueHint::FilePath)]
        lines: Option<PathBuf>,
    },
    /// Read all of it and say whether anything is wrong; a server may have it open
    #[command(after_help = "\
Examples:
  glassline history check
  glassline history check --history copy.db

It changes nothing, and leaves no file behind.")]
    Check(HistoryFile),
    /// Give the space back that forgotten messages left; no server may have it open
    #[command(after_help = "\
Examples:
  glassline history vacuum
  glassline history vacuum --history ~/old.db")]
    Vacuum(HistoryFile),
}

/// The file that a command is for.
#[derive(Debug, Args)]
pub(crate) struct HistoryFile {
    /// The file [default: ~/.local/state/glassline/history.db]
    #[arg(long, value_name = "FILE", value_parser = history_file(), value_hint = ValueHint::FilePath)]
    pub(crate) history: Option<PathBuf>,
    // A file without its option, to answer it with the right usage. Completions offer nothing for
    // it.
    #[arg(hide = true, value_hint = ValueHint::Other)]
    pub(crate) misplaced: Option<PathBuf>,
}

fn history_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| history::parse_file(&path))
}

fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| folders::expanded(&path))
}
