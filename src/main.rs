//! `glassline`: host a chat, serve one, or join one.

mod args;
mod host;
mod logging;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ending = match &arguments.command {
        None => host::host(arguments.name.as_deref()),
        Some(Command::Serve(serve)) => return serve::serve(serve),
        Some(Command::Join(join)) => glassline_client::join(&join.options()),
    };
    if let Some(text) = ending.text() {
        eprintln!("glassline: {text}");
    }
    ExitCode::from(ending.exit_code())
}
