//! The generated parts of the documents: outcomes, without figures.

use std::fs;
use std::path::{Path, PathBuf};

use glassline_matrix::{ATTACKS, Adversary, Table, schemes};

use crate::broken::BROKEN;

/// Use of the outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Task {
    /// Fails where a document says something else.
    Check,
    /// Writes them.
    Write,
}

/// A document, the name of its part, and its text.
type Part = (PathBuf, &'static str, String);

/// Compares or writes every part.
pub(crate) fn run(task: Task, table: &Table) -> Result<(), String> {
    for (file, name, text) in parts(table) {
        let old = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let new = replaced(&old, name, &text).ok_or_else(|| format!("{} has no part {name}", file.display()))?;
        match task {
            Task::Write => fs::write(&file, new).map_err(|error| format!("{}: {error}", file.display()))?,
            Task::Check if old == new => {}
            Task::Check => return Err(different(&file, &old, &new)),
        }
    }
    Ok(())
}

fn parts(table: &Table) -> Vec<Part> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let own: Vec<String> = schemes::all().iter().map(|scheme| scheme.name().to_owned()).collect();
    let examples: Vec<String> =
        ["plain", "reference"].into_iter().chain(BROKEN.iter().map(|broken| broken.name)).map(str::to_owned).collect();
    let threats = root.join("docs/threats.md");
    vec![
        (threats.clone(), "line", table.to_markdown(&own, |attack| attack.adversary() == Adversary::Line)),
        (threats.clone(), "insiders", table.to_markdown(&own, |attack| attack.adversary() == Adversary::Insider)),
        (threats.clone(), "examples", table.to_markdown(&examples, |attack| attack.adversary() == Adversary::Line)),
        (threats, "attacks", attacks()),
        (root.join("README.md"), "threats", table.to_markdown(&own, |attack| SHORT.contains(&attack.id()))),
    ]
}

/// Rows of the README.
const SHORT: [&str; 7] =
    ["eavesdrop", "tamper", "impersonate-server", "first-use", "stolen-keys-past", "server-reads", "stolen-passphrase"];

/// Returns the list of attacks with aims and sources.
fn attacks() -> String {
    let row = |attack: &glassline_matrix::Attack| {
        format!("| `{}` | {} | {} | {} |\n", attack.id(), attack.title(), attack.aim(), attack.source().name())
    };
    let head = "| id | attack | it succeeds with | source |\n| --- | --- | --- | --- |\n";
    [head.to_owned()].into_iter().chain(ATTACKS.iter().map(row)).collect()
}

/// Replaces what stands between the comments that name a part; `None` where there are none.
fn replaced(document: &str, name: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(&format!("<!-- matrix: {name} -->\n"))?;
    let (_, after) = rest.split_once("<!-- end -->")?;
    Some(format!("{before}<!-- matrix: {name} -->\n\n{text}\n<!-- end -->{after}"))
}

fn different(file: &Path, old: &str, new: &str) -> String {
    let line = old.lines().zip(new.lines()).find(|(old, new)| old != new);
    let (old, new) = line.unwrap_or(("(its length differs)", ""));
    format!(
        "{} says something else than the attacks:\n- {old}\n+ {new}\nrun `cargo xtask matrix --documents write`, and \
         explain the change",
        file.display()
    )
}
