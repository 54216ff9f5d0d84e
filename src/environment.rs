//! Choices in the environment.

use std::env::{self, VarError};
use std::path::PathBuf;

use crate::address::parse_join;
use crate::choices::{Choices, parse_ca, parse_name};
use crate::words;

/// Variables beside `NO_COLOR` with their purpose, for the manual.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("GLASSLINE_NAME", "your name in the chat"),
    ("GLASSLINE_SERVER", "the server that is joined when the command line names none"),
    ("GLASSLINE_DIALECT", "auto, tutorial or event"),
    ("GLASSLINE_LINK", "plain, tls or noise"),
    ("GLASSLINE_CA", "file of the certificate authorities, in place of the system's"),
    ("GLASSLINE_TIMESTAMPS", "on or off"),
    ("GLASSLINE_BELL", "off, mentions or all"),
    ("GLASSLINE_COLOUR", "on or off"),
    ("GLASSLINE_LOG", "on or off"),
    ("GLASSLINE_LOG_SEALED", "on or off"),
    ("GLASSLINE_INPUT_HISTORY", "on or off"),
    ("GLASSLINE_WEB", "on or off"),
    ("GLASSLINE_CONFIG", "the configuration file to read instead of your own"),
];

pub(crate) fn configuration_file() -> Option<PathBuf> {
    env::var_os("GLASSLINE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

pub(crate) fn choices() -> anyhow::Result<Choices> {
    choices_in(|variable| match env::var(variable) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => anyhow::bail!("{variable} is not UTF-8; write it anew, or unset it"),
    })
}

/// An empty value chooses nothing, as if the variable were not there.
fn choices_in(variable: impl Fn(&str) -> anyhow::Result<Option<String>>) -> anyhow::Result<Choices> {
    let value = |name: &'static str| Ok(variable(name)?.filter(|value| !value.is_empty()));
    // Whatever it holds: https://no-color.org. Without a good reason to believe otherwise it is
    // about this program too.
    let no_colour = matches!(value("NO_COLOR"), Ok(Some(_)) | Err(_)).then_some(false);
    Ok(Choices {
        name: read(value, "GLASSLINE_NAME", parse_name)?,
        server: read(value, "GLASSLINE_SERVER", parse_join)?,
        dialect: read(value, "GLASSLINE_DIALECT", words::read)?,
        link: read(value, "GLASSLINE_LINK", words::read)?,
        ca: read(value, "GLASSLINE_CA", parse_ca)?,
        timestamps: read(value, "GLASSLINE_TIMESTAMPS", words::read)?,
        bell: read(value, "GLASSLINE_BELL", words::read)?,
        colour: no_colour.or(read(value, "GLASSLINE_COLOUR", words::read)?),
        // Lists have their place in the file.
        ignore: None,
        log: read(value, "GLASSLINE_LOG", words::read)?,
        log_sealed: read(value, "GLASSLINE_LOG_SEALED", words::read)?,
        input_history: read(value, "GLASSLINE_INPUT_HISTORY", words::read)?,
        web: read(value, "GLASSLINE_WEB", words::read)?,
        web_names: None,
    })
}

fn read<T>(
    value: impl Fn(&'static str) -> anyhow::Result<Option<String>>,
    name: &'static str,
    meaning: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<Option<T>> {
    let Some(text) = value(name)? else { return Ok(None) };
    meaning(&text).map(Some).map_err(|advice| anyhow::anyhow!("the environment's {name} is {text:?}: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassline_client::{Bell, DialectChoice};
    use glassline_wire::link::LinkKind;

    fn of(variables: &[(&str, &str)]) -> anyhow::Result<Choices> {
        choices_in(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            Ok(found.map(|(_, value)| (*value).to_string()))
        })
    }

    #[test]
    fn each_variable_is_read() {
        let all = of(&[
            ("GLASSLINE_NAME", "bob"),
            ("GLASSLINE_SERVER", "example.org"),
            ("GLASSLINE_DIALECT", "event"),
            ("GLASSLINE_LINK", "tls"),
            ("GLASSLINE_CA", "/roots.pem"),
            ("GLASSLINE_TIMESTAMPS", "on"),
            ("GLASSLINE_BELL", "off"),
            ("GLASSLINE_COLOUR", "on"),
            ("GLASSLINE_LOG", "on"),
            ("GLASSLINE_LOG_SEALED", "on"),
            ("GLASSLINE_INPUT_HISTORY", "off"),
            ("GLASSLINE_WEB", "off"),
        ]);
        let expected = Choices {
            name: Some("bob".into()),
            server: Some("example.org:1234".into()),
            dialect: Some(DialectChoice::Event),
            link: Some(LinkKind::Tls),
            ca: Some("/roots.pem".into()),
            timestamps: Some(true),
            bell: Some(Bell::Off),
            colour: Some(true),
            ignore: None,
            log: Some(true),
            log_sealed: Some(true),
            input_history: Some(false),
            web: Some(false),
            web_names: None,
        };
        assert_eq!(all.expect("reads"), expected);
    }

    #[test]
    fn no_color_wins_and_an_empty_variable_chooses_nothing() {
        assert_eq!(of(&[("NO_COLOR", "1"), ("GLASSLINE_COLOUR", "on")]).expect("reads").colour, Some(false));
        assert_eq!(of(&[("NO_COLOR", ""), ("GLASSLINE_COLOUR", "on")]).expect("reads").colour, Some(true));
        assert_eq!(of(&[("GLASSLINE_NAME", ""), ("NO_COLOR", "")]).expect("reads"), Choices::default());
    }

    #[test]
    fn a_wrong_value_names_its_variable_and_what_is_allowed() {
        for (variable, value, advice) in [
            ("GLASSLINE_BELL", "loud", "off, mentions or all"),
            ("GLASSLINE_LOG", "true", "on or off"),
            ("GLASSLINE_LINK", "ssl", "plain, tls or noise"),
            ("GLASSLINE_CA", "~bob/roots.pem", "whole path"),
            ("GLASSLINE_SERVER", "host:0", "example.org:1234"),
            ("GLASSLINE_NAME", "  ", "login name"),
        ] {
            let error = of(&[(variable, value)]).expect_err(variable).to_string();
            assert!(error.contains(variable) && error.contains(advice), "{error}");
        }
    }
}
