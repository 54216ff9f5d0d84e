//! Kills the server at random points under load, again and again, and checks after each restart that nothing was lost, doubled or
//! made up. It speaks bytes and JSON itself: code shared with the server could not show a shared bug.
#![forbid(unsafe_code)]

mod arguments;
mod checker;
mod crew;
mod draws;
mod fault;
mod frame;
mod ledger;
mod life;
mod link;
mod membership;
mod message;
mod model;
mod peer;
mod plan;
mod receiver;
mod records;
mod run;
mod script;
mod sender;
mod server;
mod stream;
mod tutor;

use std::process::ExitCode;

use crate::arguments::{Command, USAGE};

fn main() -> anyhow::Result<ExitCode> {
    match arguments::parse(std::env::args().skip(1))? {
        Command::Run(options) => {
            let is_good = run::run(&options)?;
            return Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Serve { history, sabotage } => model::serve(&history, sabotage.as_deref())?,
        Command::Check(file) => model::check(&file)?,
        Command::Export(file) => model::export(&file)?,
        Command::Help => println!("{USAGE}"),
    }
    Ok(ExitCode::SUCCESS)
}
