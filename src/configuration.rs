//! The configuration file: found, read within bounds, and errors reported with their line.

use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use glassline_client::{Bell, DialectChoice};
use glassline_wire::link::LinkKind;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::address::parse_join;
use crate::choices::{Choices, parse_ca, parse_name};
use crate::folders;
use crate::plain_file;
use crate::web;
use crate::words::{self, Word};

/// Longest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Similarity from which a known key is suggested for an unknown one.
const LIKENESS_MIN: f64 = 0.7;
const KEYS: [&str; 14] = [
    "name",
    "server",
    "dialect",
    "link",
    "ca",
    "timestamps",
    "bell",
    "colour",
    "ignore",
    "log",
    "log_sealed",
    "input_history",
    "web",
    "web_names",
];

/// Returns the choices of the file: the one named, which must be there, or the user's own, which
/// need not.
pub(crate) fn choices(named: Option<PathBuf>) -> anyhow::Result<Choices> {
    let is_named = named.is_some();
    let named = named.map(|path| {
        folders::expanded(&path).map_err(|advice| anyhow!("the configuration {}: {advice}", path.display()))
    });
    let named = named.transpose()?;
    let Some(path) = named.or_else(folders::configuration_file) else { return Ok(Choices::default()) };
    let shown = path.display();
    let bytes = match read_bounded(&path) {
        Ok(bytes) => bytes,
        // A home that is no folder holds no file.
        Err(error) if !is_named && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Choices::default());
        }
        Err(error) => bail!(
            "cannot read the configuration {shown}: {error}; name another one with --config, or none with --config \
             /dev/null"
        ),
    };
    if bytes.len() as u64 > FILE_BYTES_MAX {
        bail!("the configuration {shown} is longer than {FILE_BYTES_MAX} bytes; name another one with --config");
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = line_of(error.as_bytes(), good);
        anyhow!("{shown}, line {line}: this is not UTF-8; save the file as UTF-8")
    })?;
    parse(&text)
        .map_err(|ConfigurationError { at, what }| anyhow!("{shown}, line {}: {what}", line_of(text.as_bytes(), at)))
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more, to distinguish too long from just long enough.
    plain_file::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|&&byte| byte == b'\n').count()
}

#[derive(Debug)]
struct ConfigurationError {
    at: usize,
    what: String,
}

fn parse(text: &str) -> Result<Choices, ConfigurationError> {
    let table = DeTable::parse(text).map_err(|error| ConfigurationError {
        at: error.span().map_or(0, |span| span.start),
        what: format!("this is no TOML ({}); write it as key = value, such as name = \"alice\"", error.message()),
    })?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    // The first error in the file is reported.
    entries.sort_by_key(|(key, _)| key.span().start);
    let mut choices = Choices::default();
    for (key, value) in entries {
        set(&mut choices, key.get_ref(), value.get_ref()).map_err(|refused| match refused {
            SettingError::Key => ConfigurationError { at: key.span().start, what: unknown(key.get_ref()) },
            SettingError::Value(advice) => ConfigurationError {
                at: value.span().start,
                what: format!("{} cannot be {}; {advice}", key.get_ref(), shown(text, value)),
            },
        })?;
    }
    Ok(choices)
}

enum SettingError {
    Key,
    Value(String),
}

fn set(choices: &mut Choices, key: &str, value: &DeValue<'_>) -> Result<(), SettingError> {
    let done = match key {
        "name" => string(value).and_then(parse_name).map(|name| choices.name = Some(name)),
        "server" => string(value).and_then(parse_join).map(|server| choices.server = Some(server)),
        "dialect" => word::<DialectChoice>(value).map(|dialect| choices.dialect = Some(dialect)),
        "link" => word::<LinkKind>(value).map(|link| choices.link = Some(link)),
        "ca" => string(value).and_then(parse_ca).map(|ca| choices.ca = Some(ca)),
        "timestamps" => truth(value).map(|timestamps| choices.timestamps = Some(timestamps)),
        "bell" => word::<Bell>(value).map(|bell| choices.bell = Some(bell)),
        "colour" => truth(value).map(|colour| choices.colour = Some(colour)),
        "ignore" => names(value).map(|ignore| choices.ignore = Some(ignore)),
        "log" => truth(value).map(|log| choices.log = Some(log)),
        "log_sealed" => truth(value).map(|log_sealed| choices.log_sealed = Some(log_sealed)),
        "input_history" => truth(value).map(|input_history| choices.input_history = Some(input_history)),
        "web" => truth(value).map(|web| choices.web = Some(web)),
        "web_names" => host_names(value).map(|names| choices.web_names = Some(names)),
        _ => return Err(SettingError::Key),
    };
    done.map_err(SettingError::Value)
}

fn string<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| "write a text in quotes".to_string())
}

fn word<T: Word>(value: &DeValue<'_>) -> Result<T, String> {
    words::read(value.as_str().unwrap_or_default()).map_err(|advice| format!("{advice}, in quotes"))
}

fn truth(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "write true or false".to_string())
}

fn names(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let advice = || "write a list of names, such as [\"eve\", \"mallory\"]".to_string();
    let list = value.as_array().ok_or_else(advice)?;
    list.iter()
        .map(|name| name.get_ref().as_str().filter(|name| !name.trim().is_empty()).map(str::to_string))
        .collect::<Option<Vec<String>>>()
        .ok_or_else(advice)
}

fn host_names(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let advice = || "write a list of host names, such as [\"chat.example.org\"]".to_string();
    let list = value.as_array().ok_or_else(advice)?;
    let names = list.iter().map(|name| name.get_ref().as_str().and_then(|name| web::parse_name(name).ok()));
    names.collect::<Option<Vec<String>>>().ok_or_else(advice)
}

/// The value as in the file, if it is short; control characters as a person can read
/// them.
fn shown(text: &str, value: &Spanned<DeValue<'_>>) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    let written = text.get(value.span()).unwrap_or_default();
    let mut shown: String = written.chars().take(SHOWN_CHARS_MAX).flat_map(escaped).collect();
    if written.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let (plain, hidden) = if c.is_control() { (None, Some(c.escape_default())) } else { (Some(c), None) };
    plain.into_iter().chain(hidden.into_iter().flatten())
}

fn unknown(key: &str) -> String {
    let nearest = KEYS
        .iter()
        .map(|known| (strsim::jaro(key, known), known))
        .filter(|(likeness, _)| *likeness > LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((_, known)) => format!("there is no key {key:?}; did you mean {known}?"),
        None => format!("there is no key {key:?}; the keys are {}", KEYS.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fault(text: &str) -> (usize, String) {
        let ConfigurationError { at, what } = parse(text).expect_err(text);
        (line_of(text.as_bytes(), at), what)
    }

    #[test]
    fn every_key_is_known_and_none_is_needed() {
        assert_eq!(parse("").expect("an empty file"), Choices::default());
        for key in KEYS {
            let (_, what) = fault(&format!("{key} = 1979-05-27"));
            assert!(what.starts_with(&format!("{key} cannot be 1979-05-27; write ")), "{what}");
        }
    }

    #[test]
    fn the_documented_example_is_valid_and_shows_every_key() {
        let page = include_str!("../docs/configuration.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let choices = parse(example).expect("the example is right");
        let expected = Choices {
            name: Some("alice".into()),
            server: Some("example.org:1234".into()),
            dialect: Some(DialectChoice::Auto),
            link: Some(LinkKind::Tls),
            ca: Some("/etc/ssl/own-roots.pem".into()),
            timestamps: Some(true),
            bell: Some(Bell::Mentions),
            colour: Some(true),
            ignore: Some(vec!["eve".into(), "mallory".into()]),
            log: Some(false),
            log_sealed: Some(false),
            input_history: Some(true),
            web: Some(true),
            web_names: Some(vec!["chat.example.org".into()]),
        };
        assert_eq!(choices, expected);
        for key in KEYS {
            assert!(example.contains(&format!("\n{key} = ")), "{key} is not in the example");
            assert!(page.contains(&format!("| `{key}` | ")), "{key} is not in the table");
        }
    }

    #[test]
    fn an_unknown_key_is_reported_with_its_line_and_the_nearest_key() {
        assert_eq!(fault("# mine\n\nnmae = 1\n"), (3, "there is no key \"nmae\"; did you mean name?".to_string()));
        for (slip, meant) in [("color", "colour"), ("ignored", "ignore"), ("timestamp", "timestamps")] {
            let (line, what) = fault(&format!("name = \"a\"\r\n{slip} = true"));
            assert_eq!((line, what.ends_with(&format!("did you mean {meant}?"))), (2, true), "{what}");
        }
        let (_, what) = fault("[server]\nport = 1");
        assert!(what.starts_with("server cannot be"), "{what}");
        let (_, what) = fault("zzz = 1");
        assert!(what.contains("the keys are name, server,") && what.contains("input_history"), "{what}");
        assert_eq!(fault("zzz = 1\nbell = 1").0, 1, "the first fault in the file is the one reported");
    }

    #[test]
    fn a_wrong_value_says_what_is_allowed() {
        for (text, advice) in [
            ("bell = \"loud\"", "bell cannot be \"loud\"; write off, mentions or all, in quotes"),
            ("dialect = 5", "dialect cannot be 5; write auto, tutorial or event, in quotes"),
            ("link = \"ssl\"", "link cannot be \"ssl\"; write plain, tls or noise, in quotes"),
            ("ca = \"\"", "write the path of a file"),
            ("colour = \"on\"", "colour cannot be \"on\"; write true or false"),
            ("name = \" \"", "login name"),
            ("server = \"host:0\"", "example.org:1234"),
            ("ignore = \"eve\"", "a list of names"),
            ("ignore = [\"eve\", \"\"]", "a list of names"),
            ("web = 0", "web cannot be 0; write true or false"),
            ("web_names = [\"host:1234\"]", "a list of host names"),
            ("log = [\n1,\n2]", "log cannot be [\\n1,\\n2]; write true or false"),
        ] {
            let (line, what) = fault(text);
            assert_eq!((line, what.contains(advice)), (1, true), "{what}");
        }
        let (_, what) = fault(&format!("log = \"{}\"", "x".repeat(1_000)));
        assert!(what.len() < 200, "{what}");
    }

    #[test]
    fn invalid_toml_is_reported_with_its_line() {
        for (text, line) in [("name = alice", 1), ("\nname", 2), ("log = true\n\nlog = false", 3), ("a = \"\n", 1)] {
            let (at, what) = fault(text);
            assert_eq!((at, what.contains("no TOML") && what.contains("name = \"alice\"")), (line, true), "{what}");
        }
    }
}
