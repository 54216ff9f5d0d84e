//! `cargo xtask man`: the manual's pages.

use crate::command::{self, Outcome, cargo, root};

const FOLDER: &str = "target/man";

pub(crate) fn run() -> Outcome {
    // Through cargo, which knows where it puts what it builds.
    command::run(cargo(&["run", "--quiet", "--locked", "--", "man", FOLDER]))?;
    println!("the manual is in {}; read it with: man -l {FOLDER}/glassline-join.1", root().join(FOLDER).display());
    Ok(())
}
