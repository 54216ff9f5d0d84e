//! The command line of `glassline tap`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use glassline_tap::Rule;

use super::rules::parse_hook;
use crate::address::parse_listen;

/// See, record and change what passes between a client and a server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  glassline tap                              watch the server on this machine: join 127.0.0.1:1235
  glassline tap --record lesson.pcapng       and record what passes, for Wireshark or tshark
  glassline tap --linear                     one line for each frame
  glassline tap --rule 'edit to=server text~noon replace.text=noon=>midnight'
  glassline tap --json --listen 127.0.0.1:0  JSON Lines; the first one tells the address

Clients join the tap's address in place of the server's. Recording needs no root and no capture driver. Ctrl-C ends the \
tap and its connections, and completes the recording.

The tap is for your own systems. It stays on this machine unless --beyond-loopback is confirmed, and never uses a public \
address.")]
pub(crate) struct TapArguments {
    #[command(flatten)]
    pub(crate) line: LineArguments,
}

/// Settings of a tapped line.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct LineArguments {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1235", value_parser = parse_listen)]
    pub(crate) listen: SocketAddr,
    /// The server
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1234", value_parser = parse_listen)]
    pub(crate) to: SocketAddr,
    /// Record what passes, for Wireshark and tshark
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) record: Option<PathBuf>,
    /// One line for each frame, no redrawing
    #[arg(long, conflicts_with = "json")]
    pub(crate) linear: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Show connections and problems, no frames: relay and record at full speed
    #[arg(long, conflicts_with_all = ["linear", "json"])]
    pub(crate) quiet: bool,
    /// Change what passes, as in 'drop to=server name=bob text~secret'; may be given several times
    #[arg(long, value_name = "RULE", value_hint = ValueHint::Other)]
    pub(crate) rule: Vec<Rule>,
    /// A TOML file with rules; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) rules: Vec<PathBuf>,
    /// A program and its arguments; it is given each frame as a line of JSON, and answers what to do
    /// with it
    #[arg(long, value_name = "COMMAND", value_parser = parse_hook, value_hint = ValueHint::CommandString)]
    pub(crate) hook: Option<Rule>,
    /// Seed of the rules' decisions; a random one is printed otherwise
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Allow private networks too, after a typed confirmation; public addresses are refused
    #[arg(long)]
    pub(crate) beyond_loopback: bool,
}
