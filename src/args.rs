//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, value_parser};
use glassline_client::{Bell, DialectChoice, Mode};
use glassline_server::FloodLimit;
use glassline_wire::link::LinkKind;

use crate::address::{parse_join, parse_listen, parse_metrics};
use crate::choices::{Choices, parse_ca, parse_name};
use crate::history::{self, HistoryChoice};
use crate::keys::KeysArguments;
use crate::matrix::MatrixArguments;
use crate::sealing::{self, SealedRoom};
use crate::tap::TapArguments;
use crate::upkeep::HistoryArguments;
use crate::web::WebOptions;
use crate::words;

/// An empty history has some hundred thousand bytes already.
const KEEP_BYTES_MIN: u64 = 1_000_000;
/// Heading of options that are usually set once, in the configuration file.
const SETTINGS_HEADING: &str = "Settings (the configuration file holds them too)";
/// Description of the behaviour of `join`, for its help and its page of the manual.
pub(crate) const JOIN_BEHAVIOUR: &str = "\
At a terminal, /quit or three empty Enters leave. Without one, each line of stdin is sent, what is heard is printed, and the end of stdin leaves.";

/// A group chat you can see through. Without a command: hosts a chat on this machine, or joins the
/// one that is there
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  glassline                          host a chat on this machine, and join it
  glassline --listen 0.0.0.0:1234    the same for everybody on your network
  glassline join 192.0.2.7           join the chat of another machine
  glassline serve                    run a server that stays when you leave

/quit or three empty Enters leave; /help lists the commands.
A chat of another machine is joined over TLS: nobody on the way between you and its server can read what you write. The server can, \
except in sealed rooms (/seal). A chat on this machine travels as plain text."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<CliCommand>,
    #[command(flatten, next_help_heading = SETTINGS_HEADING)]
    pub(crate) settings: SettingsArguments,
    #[command(flatten, next_help_heading = None)]
    pub(crate) host: Host,
}

/// Options of hosting: a server that ends when its host leaves.
#[derive(Debug, Args)]
pub(crate) struct Host {
    /// Address to listen on while you host; 0.0.0.0:1234 lets other machines in; may be given
    /// several times [default: 127.0.0.1:1234]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    pub(crate) listen: Vec<SocketAddr>,
    /// File for what is said while you host, or `none` [default:
    /// ~/.local/state/glassline/history.db]
    #[arg(long, value_name = "FILE|none", value_parser = history::parse, value_hint = ValueHint::FilePath)]
    pub(crate) history: Option<HistoryChoice>,
    /// A file with what `glassline operator-token` printed: whoever says `/op TOKEN` may kick,
    /// mute, ban and freeze
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) operator_token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) web: WebOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    Serve(Serve),
    Join(Join),
    History(HistoryArguments),
    Tap(Box<TapArguments>),
    Keys(KeysArguments),
    Matrix(MatrixArguments),
    /// Print a new operator token: a secret for `--operator-token-file`
    #[command(after_help = "\
Keep it to yourself: `(umask 077; glassline operator-token > operator-token)`, then `glassline --operator-token-file operator-token`, or the same with `glassline serve`.")]
    OperatorToken,
    Completions(Completions),
    #[command(hide = true)]
    Man(Man),
}

/// Run a server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  glassline serve                          for this machine only
  glassline serve --listen 0.0.0.0:1234    for everybody on your network
  glassline serve --listen 127.0.0.1:5000  on another port
  glassline serve --history none           keeping nothing
  glassline serve --require tls            refusing those who could be read on the way

It takes TLS and Noise besides plaintext, and prints the fingerprints of its keys; others compare them with what they see.

Ctrl-C ends it with a goodbye to everybody. Prints a line for each address as soon as it accepts: listening on 127.0.0.1:1234

Under systemd it takes the sockets that are handed over, if --listen is not given, and tells when it is ready.")]
pub(crate) struct Serve {
    /// Address to listen on; may be given several times; port 0 takes a free one [default:
    /// 127.0.0.1:1234]
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_listen)]
    pub(crate) listen: Vec<SocketAddr>,
    /// Behave exactly like the tutorial's server: no words of the server's own, no commands, any
    /// name
    #[arg(long)]
    pub(crate) pure: bool,
    /// Messages a second that one connection may send (four times that at once), or `off` [default:
    /// 5; this machine is exempt]
    #[arg(long, value_name = "off|N", value_parser = parse_flood)]
    pub(crate) flood: Option<FloodLimit>,
    /// File for what is said, or `none` [default: ~/.local/state/glassline/history.db; none with
    /// --pure]
    #[arg(long, value_name = "FILE|none", value_parser = history::parse, value_hint = ValueHint::FilePath)]
    pub(crate) history: Option<HistoryChoice>,
    /// Number of a room's last messages that a newcomer is sent, 0 to 200
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(..=200))]
    pub(crate) replay: u32,
    /// … and a newcomer that uses the tutorial dialect
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = value_parser!(u32).range(..=200))]
    pub(crate) replay_tutorial: u32,
    /// Forget messages that are older than so many days
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub(crate) keep_days: Option<u32>,
    /// Forget the oldest messages when the history is larger; write 500M or 2G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) keep_bytes: Option<u64>,
    /// A file with what `glassline operator-token` printed: whoever says `/op TOKEN` may kick,
    /// mute, ban and freeze
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "pure")]
    pub(crate) operator_token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) links: LinkOptions,
    #[command(flatten)]
    pub(crate) web: WebOptions,
    /// Address to answer HTTP requests for /metrics (Prometheus) and /healthz; port 0 takes a free
    /// one
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_metrics)]
    pub(crate) metrics: Option<SocketAddr>,
    /// Format of the log on stderr
    #[arg(long, value_enum, default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,
}

/// Options of a server's links.
#[derive(Debug, Default, Args)]
pub(crate) struct LinkOptions {
    /// Refuse connections that use another link: everything else can be read on the way
    #[arg(long, value_name = "tls|noise", value_parser = words::parse_secure_link)]
    pub(crate) require: Option<LinkKind>,
    /// Certificate for TLS in PEM, with the chain of its authority; SIGHUP reads it again [default:
    /// one that is made, kept and renewed]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Private key of --cert, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

/// Join a chat
#[derive(Debug, Args)]
#[command(after_help = format!(
    "Examples:\n  \
       glassline join                              the chat on this machine\n  \
       glassline join example.org:5000 --name bob  another one, as bob\n  \
       echo hello | glassline join --name bot      say a line and leave\n\n\
     {JOIN_BEHAVIOUR}\n\n\
     Exit codes: 0 left or end of input, 1 input or output failed or some input could not be sent, 2 wrong usage, \
     3 cannot connect, 4 refused by the server or not the protected link that was asked for, 5 the server went away."
))]
pub(crate) struct Join {
    /// The server [default: 127.0.0.1:1234]
    #[arg(value_name = "ADDR[:PORT]", value_parser = parse_join, value_hint = ValueHint::Hostname)]
    address: Option<String>,
    /// One JSON object a line, in and out
    #[arg(long)]
    json: bool,
    /// Plain lines, no redrawing: for screen readers and logs
    #[arg(long, conflicts_with = "json")]
    linear: bool,
    #[command(flatten, next_help_heading = SETTINGS_HEADING)]
    pub(crate) settings: SettingsArguments,
    /// Dialect to speak; auto tries events first, then the tutorial dialect
    #[arg(
        long,
        value_name = "auto|tutorial|event",
        value_parser = words::parser::<DialectChoice>(),
        hide_possible_values = true,
        help_heading = SETTINGS_HEADING
    )]
    dialect: Option<DialectChoice>,
    /// Protection on the way [default: tls; plain on this machine]
    #[arg(
        long,
        value_name = "plain|tls|noise",
        value_parser = words::parser::<LinkKind>(),
        hide_possible_values = true,
        help_heading = SETTINGS_HEADING
    )]
    link: Option<LinkKind>,
    /// The same as --link plain: anyone on the way can read and change what is said
    #[arg(long, conflicts_with = "link", help_heading = None)]
    plain: bool,
    /// Encrypt a room for those who have its passphrase, which is in this file; may be given several
    /// times
    #[arg(long, value_name = "ROOM=FILE", value_parser = sealing::parse, help_heading = None)]
    pub(crate) seal: Vec<SealedRoom>,
    /// File of certificate authorities in PEM, in place of the system's: over TLS, a server's key
    /// that was never seen needs the word of one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = parse_ca, help_heading = SETTINGS_HEADING)]
    ca: Option<PathBuf>,
    /// File that gets the secrets of TLS, for tools such as Wireshark: whoever has it can read
    /// everything
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = None)]
    pub(crate) key_log: Option<PathBuf>,
}

/// Settings of a conversation, whoever is at its other end.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// Your name in the chat [default: your login name]
    #[arg(long, value_parser = parse_name, help_heading = None)]
    name: Option<String>,
    /// File with the settings [default: ~/.config/glassline/config.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = None)]
    pub(crate) config: Option<PathBuf>,
    /// Show the time of each message
    #[arg(long, value_name = "on|off", value_parser = words::parser::<bool>(), hide_possible_values = true)]
    timestamps: Option<bool>,
    /// When to ring the bell
    #[arg(long, value_name = "off|mentions|all", value_parser = words::parser::<Bell>(), hide_possible_values = true)]
    bell: Option<Bell>,
    /// Use colours
    #[arg(long, value_name = "on|off", value_parser = words::parser::<bool>(), hide_possible_values = true)]
    colour: Option<bool>,
    /// Keep what is said in a file for each room
    #[arg(
        long,
        value_name = "on|off",
        value_parser = words::parser::<bool>(),
        hide_possible_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on"
    )]
    log: Option<bool>,
    /// With --log, keep what is said in sealed rooms as well, readable
    #[arg(
        long,
        value_name = "on|off",
        value_parser = words::parser::<bool>(),
        hide_possible_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on"
    )]
    log_sealed: Option<bool>,
}

impl SettingsArguments {
    pub(crate) fn choices(&self) -> Choices {
        Choices {
            name: self.name.clone(),
            timestamps: self.timestamps,
            bell: self.bell,
            colour: self.colour,
            log: self.log,
            log_sealed: self.log_sealed,
            ..Choices::default()
        }
    }
}

impl Host {
    /// Returns the choices about the page of the chat that is hosted, completed by others.
    pub(crate) fn choices(&self, settings: Choices) -> Choices {
        let web_names = Some(&self.web.web_name).filter(|names| !names.is_empty()).cloned();
        Choices { web: self.web.no_web.then_some(false), web_names, ..settings }
    }
}

impl Join {
    pub(crate) fn choices(&self) -> Choices {
        Choices {
            server: self.address.clone(),
            dialect: self.dialect,
            link: if self.plain { Some(LinkKind::Plaintext) } else { self.link },
            ca: self.ca.clone(),
            ..self.settings.choices()
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        match (self.json, self.linear) {
            (true, _) => Mode::Json,
            (_, true) => Mode::Linear,
            _ => Mode::Auto,
        }
    }
}

/// Print what a shell needs to complete commands and flags
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mkdir -p ~/.local/share/bash-completion/completions
  glassline completions bash > ~/.local/share/bash-completion/completions/glassline
  glassline completions fish > ~/.config/fish/completions/glassline.fish")]
pub(crate) struct Completions {
    /// Your shell
    #[arg(value_enum, value_name = "bash|zsh|fish")]
    pub(crate) shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Write the manual's pages
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Folder to write to; made if it is not there
    pub(crate) folder: PathBuf,
}

/// Bytes, with K, M or G after the number for thousands, millions and thousands of millions of
/// them.
fn parse_size(text: &str) -> Result<u64, String> {
    let advice = || "write a number of bytes, 1M or more, as 500M or 2G".to_string();
    let (number, unit) = match text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, ""),
    };
    let unit_bytes: u64 = match unit.to_ascii_uppercase().as_str() {
        "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => 1,
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_bytes));
    bytes.filter(|&bytes| bytes >= KEEP_BYTES_MIN).ok_or_else(advice)
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
    fn a_size_has_a_unit_or_none() {
        assert_eq!(parse_size("1000000"), Ok(1_000_000));
        assert_eq!((parse_size("500M"), parse_size("2g")), (Ok(500_000_000), Ok(2_000_000_000)));
        for wrong in ["", "M", "1", "-1M", "1T", "99999999999G", "1 M"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
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

    #[track_caller]
    fn join(arguments: &[&str]) -> Join {
        let line = ["glassline", "join"].iter().chain(arguments);
        match Arguments::try_parse_from(line).map(|parsed| parsed.command) {
            Ok(Some(CliCommand::Join(join))) => join,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_flag_becomes_a_choice_and_none_is_made_unasked() {
        assert_eq!(join(&[]).choices(), Choices::default());
        let flags = "host:7 --name bob --timestamps on --bell all --colour off --log --log-sealed --dialect event";
        let all = join(&flags.split(' ').collect::<Vec<_>>()).choices();
        let expected = Choices {
            name: Some("bob".into()),
            server: Some("host:7".into()),
            dialect: Some(DialectChoice::Event),
            timestamps: Some(true),
            bell: Some(Bell::All),
            colour: Some(false),
            log: Some(true),
            log_sealed: Some(true),
            ..Choices::default()
        };
        assert_eq!(all, expected);
        assert_eq!(join(&["--log=off", "host"]).choices().log, Some(false));
        assert_eq!(join(&["--log", "host"]).choices().server.as_deref(), Some("host:1234"));
    }

    #[test]
    fn a_flag_before_the_command_is_not_forgotten_silently() {
        assert!(Arguments::try_parse_from(["glassline", "--name", "bob", "join"]).is_err());
        assert!(Arguments::try_parse_from(["glassline", "--name", "bob", "--log"]).is_ok());
    }
}
