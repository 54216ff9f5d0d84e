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

use crate::arguments::RunOptions;

fn main() -> anyhow::Result<ExitCode> {
    let is_good = run::run(&RunOptions::parse())?;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
