//! Kills the server at random points under load, again and again, and checks after each restart
//! that nothing was lost, doubled or made up. It encodes and decodes frames and JSON itself: shared
//! code would hide a shared bug.
#![forbid(unsafe_code)]

mod arguments;
mod checker;
mod clients;
mod connection;
mod fault;
mod ledger;
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
mod server_run;
mod stream;
mod tutorial_client;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command, HistoryCommand};

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(options) => {
            let is_good = run::run(&options)?;
            return Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Serve { history, sabotage, .. } => model::serve(&history, sabotage)?,
        Command::History(HistoryCommand::Check { history }) => model::check(&history)?,
        Command::History(HistoryCommand::Export { history }) => model::export(&history)?,
    }
    Ok(ExitCode::SUCCESS)
}
