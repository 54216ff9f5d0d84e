//! The command line of `glassline tap`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use glassline_tap::{Rule, Side};

use crate::address::parse_listen;

/// See, record and change what passes between a client and a server
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  glassline tap                              watch the server on this machine: join 127.0.0.1:1235
  glassline tap --record lesson.pcapng       and record what passes, for Wireshark or tshark
  glassline tap --linear                     one line for each frame
  glassline tap --intercept                  stand in the middle of TLS and Noise links, too
  glassline tap --rule 'edit to=server text~noon replace.text=noon=>midnight'
  glassline tap --json --listen 127.0.0.1:0  JSON Lines; the first one tells the address
  glassline tap report lesson.pcapng         what an observer of the session knows

Clients join the tap's address in place of the server's. Recording needs no root and no capture driver. q in the view, \
or Ctrl-C, ends the tap and its connections, and completes the recording.

The tap is for your own systems. It stays on this machine unless --beyond-loopback is confirmed, and never uses a public \
address.")]
pub(crate) struct TapArguments {
    #[command(subcommand)]
    pub(crate) command: Option<TapCommand>,
    #[command(flatten)]
    pub(crate) line: LineArguments,
}

/// Commands for recordings.
#[derive(Debug, Subcommand)]
pub(crate) enum TapCommand {
    /// Report what an observer of a recorded session knows
    Report(ReportArguments),
    /// Play one side of a recorded connection back
    Replay(ReplayArguments),
}

/// Settings of a report.
#[derive(Debug, Args)]
#[command(after_help = "\
Several recordings are compared: a row for each question, a column for each recording. #12 is packet 12 of the recording, \
as Wireshark and tshark number them.")]
pub(crate) struct ReportArguments {
    /// Recordings of the tap, or captures of other tools (pcapng, pcap)
    #[arg(required = true, num_args = 1..=8, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) recordings: Vec<PathBuf>,
    /// Write one page of HTML instead, without scripts or other files
    #[arg(long, value_name = "PAGE", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
    /// Write to a page that exists; what is in it is lost
    #[arg(long, requires = "html")]
    pub(crate) overwrite: bool,
    /// Side of the tap that the observer is on, in the tap's own recordings
    #[arg(long, value_enum, default_value_t = SideName::Client)]
    pub(crate) side: SideName,
}

/// Settings of a replay.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("peer").required(true).args(["to", "listen"]))]
pub(crate) struct ReplayArguments {
    /// A recording of the tap, or a capture of another tool (pcapng, pcap)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) recording: PathBuf,
    /// Play the client: connect to this server
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    pub(crate) to: Option<SocketAddr>,
    /// Play the server: wait for one client here; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    pub(crate) listen: Option<SocketAddr>,
    /// Connection of the recording
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) connection: u64,
    /// New message ids and no token, as a test; without it the recorded bytes are sent, as an attack
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Seconds to wait for each answer
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) wait_s: u64,
    /// Allow private networks too, after a typed confirmation; public addresses are refused
    #[arg(long)]
    pub(crate) beyond_loopback: bool,
}

/// A side of the tap, as users write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SideName {
    /// Between client and tap
    Client,
    /// Between tap and server
    Server,
}

impl From<SideName> for Side {
    fn from(name: SideName) -> Self {
        match name {
            SideName::Client => Self::Client,
            SideName::Server => Self::Server,
        }
    }
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
    /// Record to a file that exists; what is in it is lost
    #[arg(long, requires = "record")]
    pub(crate) overwrite: bool,
    /// File to which TLS clients write their secrets, as `glassline join --key-log` does: the recording
    /// takes them in, so that Wireshark and tshark decrypt it
    #[arg(long, value_name = "FILE", requires = "record", conflicts_with = "intercept", value_hint = ValueHint::FilePath)]
    pub(crate) key_log: Option<PathBuf>,
    /// One line for each frame, no redrawing
    #[arg(long, conflicts_with = "json")]
    pub(crate) linear: bool,
    /// One JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Show connections and problems, no frames: relay and record at full speed
    #[arg(long, conflicts_with_all = ["linear", "json"])]
    pub(crate) quiet: bool,
    /// Print at the end what an observer of this session knows
    #[arg(long, conflicts_with = "json")]
    pub(crate) report: bool,
    /// End the clients' TLS and Noise links at the tap, with keys made for this run, and begin others
    /// to the server: read and change what passes inside. Clients that know the server's key refuse
    /// it; the tap itself trusts whatever key the server shows
    #[arg(long)]
    pub(crate) intercept: bool,
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

/// Reads a program and its arguments, with spaces between them, as a rule that asks it about every frame.
fn parse_hook(command: &str) -> Result<Rule, String> {
    if command.trim().is_empty() {
        return Err("a hook is a program and its arguments, as in --hook 'python3 hook.py'".into());
    }
    let quoted = command.replace('\\', "\\\\").replace('"', "\\\"");
    format!("hook command=\"{quoted}\"").parse::<Rule>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use glassline_tap::rules::Action;

    use super::*;

    #[test]
    fn a_hook_is_a_program_and_its_arguments() {
        let command = |text: &str| match parse_hook(text).map(|rule| rule.action) {
            Ok(Action::Hook { command, .. }) => command,
            other => panic!("{other:?}"),
        };
        assert_eq!(command("python3 hook.py"), ["python3", "hook.py"]);
        assert_eq!(command(r#"C:\hook.exe "x""#), [r"C:\hook.exe", r#""x""#]);
        assert!(parse_hook("").is_err());
    }
}
