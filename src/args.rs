//! The command line.

use std::env;
use std::net::{IpAddr, SocketAddr};

use clap::{Args, Parser, Subcommand, ValueEnum};
use glassline_client::{DialectChoice, JoinOptions, Mode, Preferences};
use glassline_server::FloodLimit;

/// Where a line is when nobody says otherwise.
pub(crate) const DEFAULT_PORT: u16 = 1234;

/// A group chat you can see through.
///
/// Without a command: hosts a chat on this machine, or joins the one that is there.
#[derive(Debug, Parser)]
#[command(version, after_help = "Everything you write travels as plain text: anyone on the way can read it.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Your name in the chat [default: your login name]
    #[arg(long)]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a server
    Serve(Serve),
    /// Join a chat
    Join(Join),
}

/// Run a server. Prints one line for each address as soon as it accepts: `listening on 127.0.0.1:1234`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen; may be given several times; port 0 takes a free one [default: 127.0.0.1:1234]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    pub(crate) listen: Vec<SocketAddr>,
    /// Behave exactly like the tutorial's server: no words of the server's own, no commands, any name
    #[arg(long)]
    pub(crate) pure: bool,
    /// Messages a second that one connection may send (four times that at once), or `off` [default: 5; this machine is exempt]
    #[arg(long, value_name = "off|N", value_parser = parse_flood)]
    pub(crate) flood: Option<FloodLimit>,
    /// How the log on stderr is written
    #[arg(long, value_enum, default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

/// Join a chat. Three empty Enters leave.
///
/// Without a terminal it sends each line of stdin, prints what it hears, and leaves at the end of stdin.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 left or end of input, 1 input or output failed or some input could not be sent, 2 wrong usage, 3 cannot connect, \
                        4 refused by the server, 5 the server went away."
)]
pub(crate) struct Join {
    /// The server [default: 127.0.0.1:1234]
    #[arg(value_name = "ADDR[:PORT]", default_value = "127.0.0.1", hide_default_value = true, value_parser = parse_join)]
    address: String,
    /// Your name in the chat [default: your login name]
    #[arg(long)]
    name: Option<String>,
    /// What to speak; auto tries events first, then the tutorial's frames
    #[arg(long, value_enum, default_value_t = Dialect::Auto)]
    dialect: Dialect,
    /// One JSON object a line, in and out
    #[arg(long)]
    json: bool,
    /// Plain lines, no redrawing: for screen readers and logs
    #[arg(long, conflicts_with = "json")]
    linear: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dialect {
    Auto,
    Tutorial,
    Event,
}

impl Join {
    pub(crate) fn options(&self) -> JoinOptions {
        JoinOptions {
            address: self.address.clone(),
            name: name_or_login(self.name.as_deref()),
            dialect: match self.dialect {
                Dialect::Auto => DialectChoice::Auto,
                Dialect::Tutorial => DialectChoice::Tutorial,
                Dialect::Event => DialectChoice::Event,
            },
            mode: match (self.json, self.linear) {
                (true, _) => Mode::Json,
                (_, true) => Mode::Linear,
                _ => Mode::Auto,
            },
            greeting: Vec::new(),
            preferences: Preferences::default(),
        }
    }
}

/// The name given, or the one the user is logged in under.
pub(crate) fn name_or_login(name: Option<&str>) -> String {
    let login = || env::var("USER").ok().or_else(|| whoami::username().ok());
    name.map(str::to_string).or_else(login).filter(|name| !name.is_empty()).unwrap_or_else(|| "guest".to_string())
}

/// `host`, `host:port`, `::1` or `[::1]:port`.
fn with_default_port(address: &str) -> String {
    if let Ok(ip) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
        return SocketAddr::new(ip, DEFAULT_PORT).to_string();
    }
    if address.contains(':') { address.to_string() } else { format!("{address}:{DEFAULT_PORT}") }
}

/// A host with a port; whether there is such a host shows when it is looked up.
fn parse_join(text: &str) -> Result<String, String> {
    let address = with_default_port(text);
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(address),
        _ => Err(format!("{text:?} is no address; write it as 127.0.0.1, example.org:1234 or [::1]:1234")),
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let advice = || format!("{text:?} is no address; write it as 127.0.0.1:1234, 0.0.0.0:0 or [::1]:1234");
    with_default_port(text).replace("localhost:", "127.0.0.1:").parse().map_err(|_| advice())
}

fn parse_flood(text: &str) -> Result<FloodLimit, String> {
    if text == "off" {
        return Ok(FloodLimit::Off);
    }
    match text.parse() {
        Ok(messages) if messages > 0 => Ok(FloodLimit::PerSecond(messages)),
        _ => Err("write `off` or a number of messages a second, 1 or more".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn addresses_get_the_default_port() {
        for (given, meant) in [
            ("127.0.0.1", "127.0.0.1:1234"),
            ("::1", "[::1]:1234"),
            ("[::1]", "[::1]:1234"),
            ("[::1]:7", "[::1]:7"),
            ("localhost", "localhost:1234"),
            ("example.org:7", "example.org:7"),
        ] {
            assert_eq!(with_default_port(given), meant);
        }
        assert_eq!(parse_listen("localhost:0"), Ok(SocketAddr::from(([127, 0, 0, 1], 0))));
        assert!(parse_listen("nowhere:1").is_err());
        assert_eq!(parse_join("example.org").as_deref(), Ok("example.org:1234"));
        for wrong in ["127.0.0.1:99999", "host:port", "host:", ":1234", "host:0"] {
            assert!(parse_join(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_flood_limit_is_off_or_a_number() {
        assert_eq!(parse_flood("off"), Ok(FloodLimit::Off));
        assert_eq!(parse_flood("7"), Ok(FloodLimit::PerSecond(7)));
        for wrong in ["0", "-1", "", "many"] {
            assert!(parse_flood(wrong).is_err(), "{wrong}");
        }
    }
}
