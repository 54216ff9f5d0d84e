//! Answers a command line that cannot be read with one that can.

use std::ffi::OsString;

use clap::{CommandFactory, Parser};

use crate::address::{parse_join, without_scheme};
use crate::args::Arguments;

/// Names that other programs use for a command of this one; no command means hosting.
const SYNONYMS: &[(&str, Option<&str>)] = &[
    ("join", Some("join")),
    ("connect", Some("join")),
    ("client", Some("join")),
    ("serve", Some("serve")),
    ("server", Some("serve")),
    ("listen", Some("serve")),
    ("host", None),
    ("start", None),
];

/// Options of other programs for `--name`, a host and a port.
const NAME_OPTIONS: &[&str] = &["-n", "-u", "--nick", "--nickname", "--user", "--username"];
const HOST_OPTIONS: &[&str] = &["--host", "--address", "--addr", "--server", "--bind", "--ip", "--connect"];
const PORT_OPTIONS: &[&str] = &["-p", "--port"];

/// Returns the text for a command line that clap refused: its error, and the right command line
/// where it can be guessed. That one takes the place of clap's own tips, which would contradict it.
pub(crate) fn complaint(error: &clap::Error, arguments: &[OsString]) -> String {
    let text = error.render().to_string();
    let given: Vec<String> = arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    if let Some(rule) = unquoted_rule(&given) {
        // Clap's error is about the words behind the first one, which it takes for commands.
        return format!(
            "error: the rule {:?} ends at its first space\n\n  put all of it in single quotes: --rule '{rule}'\n  \
             without quotes, the shell takes what follows > for the name of a file, and writes one\n\n\
             For more information, try '--help'.\n",
            rule.split(' ').next().unwrap_or_default(),
        );
    }
    let Some(right) = corrected(&given) else { return text };
    let complaint = ["\n\n  tip:", "\n\nUsage:", "\n\nFor more"]
        .iter()
        .fold(text.as_str(), |text, end| text.split(end).next().unwrap_or(text));
    let words: Vec<String> = right.iter().map(|word| quoted(word)).collect();
    format!(
        "{}\n\n  write it as: glassline {}\n\nFor more information, try '--help'.\n",
        complaint.trim_end(),
        words.join(" ")
    )
}

/// Returns the words of a rule of the tap that stands on the command line without its quotes.
fn unquoted_rule(given: &[String]) -> Option<String> {
    let at =
        given.iter().position(|argument| argument == "--rule").filter(|_| given.iter().any(|word| word == "tap"))?;
    let words: Vec<&str> =
        given[at + 1..].iter().map(String::as_str).take_while(|word| !word.starts_with("--")).collect();
    (words.len() > 1).then(|| words.join(" "))
}

/// Returns the arguments as they may have been meant, if those can be read.
fn corrected(given: &[String]) -> Option<Vec<String>> {
    let right = Correction::read(given).arguments()?;
    let is_readable = Arguments::try_parse_from(["glassline".to_string()].iter().chain(&right)).is_ok();
    (is_readable && right != given).then_some(right)
}

/// The parts of a command line, in any order and spelling.
#[derive(Debug, Default)]
struct Correction {
    command: Option<&'static str>,
    host: Option<String>,
    port: Option<String>,
    /// Everything that is no host and no port, in order.
    rest: Vec<String>,
    /// A word that nothing is known about.
    unknown: bool,
}

impl Correction {
    fn read(given: &[String]) -> Self {
        let mut correction = Self::default();
        let mut has_command = false;
        let mut arguments = given.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            let (option, inline) = match argument.split_once('=') {
                Some((option, value)) if option.starts_with('-') => (option, Some(value)),
                _ => (argument, None),
            };
            let mut value = || inline.or_else(|| arguments.next()).unwrap_or_default().to_string();
            if NAME_OPTIONS.contains(&option) {
                correction.rest.extend(["--name".to_string(), value()]);
            } else if HOST_OPTIONS.contains(&option) {
                correction.host = Some(value());
            } else if PORT_OPTIONS.contains(&option) {
                correction.port = Some(value());
            } else if argument.starts_with('-') {
                correction.rest.push(argument.to_string());
                if inline.is_none() && takes_value(option) {
                    correction.rest.push(value());
                }
            } else if let Some((_, command)) = SYNONYMS.iter().find(|(word, _)| !has_command && *word == argument) {
                (correction.command, has_command) = (*command, true);
            } else {
                correction.take_word(argument);
            }
        }
        if correction.command.is_none() && !has_command && correction.host.is_some() {
            correction.command = Some("join");
        }
        correction
    }

    /// Takes an argument that is neither a command nor an option: a host, or the port after it.
    fn take_word(&mut self, word: &str) {
        let address = without_scheme(word);
        let is_port = address.parse::<u16>().is_ok();
        let looks_like_host = address == "localhost" || address.contains(['.', ':']) || self.command.is_some();
        if is_port && self.port.is_none() {
            self.port = Some(address.to_string());
        } else if looks_like_host && self.host.is_none() && parse_join(address).is_ok() {
            self.host = Some(address.to_string());
        } else {
            self.unknown = true;
        }
    }

    fn arguments(self) -> Option<Vec<String>> {
        let address = match (self.host, self.port) {
            (host, Some(port)) => Some(format!("{}:{port}", host.as_deref().unwrap_or("127.0.0.1"))),
            (host, None) => host,
        };
        let mut right: Vec<String> = self.command.map(str::to_string).into_iter().collect();
        match (address, self.command) {
            (None, _) => {}
            (Some(address), Some("join")) => right.push(address),
            (Some(address), _) => right.extend(["--listen".to_string(), address]),
        }
        right.extend(self.rest);
        (!self.unknown).then_some(right)
    }
}

/// Reports whether an option of any command is followed by a value.
fn takes_value(option: &str) -> bool {
    let Some(name) = option.strip_prefix("--") else { return false };
    let whole = Arguments::command();
    let commands = whole.get_subcommands().chain([&whole]);
    let mut options = commands.flat_map(clap::Command::get_arguments);
    options.any(|known| {
        known.get_long() == Some(name) && known.get_action().takes_values() && !known.is_require_equals_set()
    })
}

fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_=.:/[],~@%+".contains(c));
    if is_plain { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn right_of(line: &str) -> Option<String> {
        let given: Vec<String> = line.split(' ').map(str::to_string).collect();
        assert!(Arguments::try_parse_from(["glassline"].into_iter().chain(line.split(' '))).is_err(), "{line}");
        corrected(&given).map(|right| right.join(" "))
    }

    #[test]
    fn wrong_usage_is_answered_with_the_right_one() {
        for (wrong, right) in [
            ("--name zed join", "join --name zed"),
            ("--name=zed join localhost", "join localhost --name=zed"),
            ("join localhost 1234", "join localhost:1234"),
            ("join example.org 5000 --name bob", "join example.org:5000 --name bob"),
            ("join http://example.org:80/chat", "join example.org:80"),
            ("join --port 5000", "join 127.0.0.1:5000"),
            ("join --host example.org -p 5000", "join example.org:5000"),
            ("join -n bob", "join --name bob"),
            ("connect localhost", "join localhost"),
            ("localhost", "join localhost"),
            ("localhost:5000", "join localhost:5000"),
            ("192.0.2.7 5000", "join 192.0.2.7:5000"),
            ("serve --port 5000", "serve --listen 127.0.0.1:5000"),
            ("serve --port=5000 --host 0.0.0.0", "serve --listen 0.0.0.0:5000"),
            ("serve 5000", "serve --listen 127.0.0.1:5000"),
            ("serve 0.0.0.0:5000 --flood off", "serve --listen 0.0.0.0:5000 --flood off"),
            ("--history none serve", "serve --history none"),
            ("5000", "--listen 127.0.0.1:5000"),
            ("join 5000", "join 127.0.0.1:5000"),
            ("--port 5000", "--listen 127.0.0.1:5000"),
        ] {
            assert_eq!(right_of(wrong).as_deref(), Some(right), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_guessed_where_nothing_fits() {
        for line in ["dance", "join a b", "serve --nonsense", "join --dialect latin", "join host:0"] {
            assert_eq!(right_of(line), None, "{line}");
        }
    }

    #[test]
    fn the_right_usage_stands_without_other_advice() {
        for (wrong, right) in [
            ("join localhost -p 5000", "glassline join localhost:5000"),
            ("join -n bob", "glassline join --name bob"),
            ("host --name ada", "glassline --name ada"),
        ] {
            let given: Vec<OsString> = ["glassline"].into_iter().chain(wrong.split(' ')).map(OsString::from).collect();
            let error = Arguments::try_parse_from(&given).expect_err("the line is wrong");
            let text = complaint(&error, &given);
            assert!(text.contains(&format!("write it as: {right}\n")) && !text.contains("tip:"), "{text}");
        }
    }

    #[test]
    fn a_rule_without_quotes_is_answered_with_them() {
        let complaint_of = |line: &str| {
            let given: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            complaint(&Arguments::try_parse_from(&given).expect_err("the line is wrong"), &given)
        };
        let text = complaint_of("glassline tap --rule edit to=server text~noon replace.text=noon= --seed 7");
        assert!(text.contains("--rule 'edit to=server text~noon replace.text=noon='\n"), "{text}");
        assert!(text.contains("the rule \"edit\" ends at its first space") && !text.contains("subcommand"), "{text}");
        assert!(!complaint_of("glassline tap --rule dorp").contains("single quotes"));
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_needs_it() {
        assert_eq!(
            (quoted("a b"), quoted("it's"), quoted("[::1]:7")),
            ("'a b'".into(), r"'it'\''s'".into(), "[::1]:7".into())
        );
    }
}
