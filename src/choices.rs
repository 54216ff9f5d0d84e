//! Choices of a user. Flags take precedence over the environment, the configuration file and the
//! defaults, in this order.

use std::env;
use std::path::{Path, PathBuf};

use glassline_client::{Bell, DialectChoice, JoinOptions, Link, LogScope, Mode, Preferences, default_layers};
use glassline_server::Web;
use glassline_wire::limits::{NAME_BYTES_MAX, NAME_CHARS_MAX};
use glassline_wire::link::LinkKind;
use glassline_wire::operator_token;

use crate::address::default_address;
use crate::folders;
use crate::link::LinkChoices;
use crate::web;

/// Choices of one source; `None` where it makes none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) name: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) dialect: Option<DialectChoice>,
    pub(crate) link: Option<LinkKind>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) timestamps: Option<bool>,
    pub(crate) bell: Option<Bell>,
    pub(crate) colour: Option<bool>,
    pub(crate) ignore: Option<Vec<String>>,
    pub(crate) log: Option<bool>,
    pub(crate) log_sealed: Option<bool>,
    pub(crate) input_history: Option<bool>,
    /// A chat that is hosted has its page.
    pub(crate) web: Option<bool>,
    /// Names of this machine for browsers, beside its own.
    pub(crate) web_names: Option<Vec<String>>,
}

impl Choices {
    /// Returns these choices, completed by those of a weaker source.
    pub(crate) fn or(self, weaker: Self) -> Self {
        Self {
            name: self.name.or(weaker.name),
            server: self.server.or(weaker.server),
            dialect: self.dialect.or(weaker.dialect),
            link: self.link.or(weaker.link),
            ca: self.ca.or(weaker.ca),
            timestamps: self.timestamps.or(weaker.timestamps),
            bell: self.bell.or(weaker.bell),
            colour: self.colour.or(weaker.colour),
            ignore: self.ignore.or(weaker.ignore),
            log: self.log.or(weaker.log),
            log_sealed: self.log_sealed.or(weaker.log_sealed),
            input_history: self.input_history.or(weaker.input_history),
            web: self.web.or(weaker.web),
            web_names: self.web_names.or(weaker.web_names),
        }
    }

    /// Returns the choices about the protection of a join.
    pub(crate) fn link_choices(&self) -> LinkChoices {
        LinkChoices { kind: self.link, authorities: self.ca.clone(), key_log: None }
    }

    /// Returns the settings of the page of a chat that is hosted; `None` where it has none.
    pub(crate) fn web(&self) -> Option<Web> {
        web::settings(self.web.unwrap_or(true), self.web_names.as_deref().unwrap_or_default())
    }

    fn log_scope(&self) -> LogScope {
        match (self.log.unwrap_or_default(), self.log_sealed.unwrap_or_default()) {
            (false, _) => LogScope::Nothing,
            (true, false) => LogScope::Unsealed,
            (true, true) => LogScope::All,
        }
    }

    /// Returns the options that they result in, with the defaults.
    pub(crate) fn join_options(self, mode: Mode) -> JoinOptions {
        let defaults = Preferences::default();
        let log = self.log_scope();
        let (name, mut greeting) = match self.name {
            Some(name) => (name, Vec::new()),
            None => shortened(login_name()),
        };
        if self.log_sealed == Some(true) && log == LogScope::Nothing {
            greeting.push("log_sealed has no effect without log: nothing is written".to_string());
        }
        JoinOptions {
            address: self.server.unwrap_or_else(|| default_address().to_string()),
            link: Link::Plaintext(default_layers()),
            members: None,
            sealing: None,
            name,
            dialect: self.dialect.unwrap_or_default(),
            mode,
            hosts: false,
            reachable_at: Vec::new(),
            greeting,
            preferences: Preferences {
                timestamps: self.timestamps,
                bell: self.bell.unwrap_or(defaults.bell),
                colour: self.colour.unwrap_or(defaults.colour),
                ignore: self.ignore.unwrap_or(defaults.ignore),
                log,
                input_history: self.input_history.unwrap_or(defaults.input_history),
                state_folder: folders::state_folder(),
            },
        }
    }
}

/// Parses a name that is not empty; the server checks the rest. The error states what to write.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("a name needs at least one letter; leave it out to be called by your login name".to_string())
    } else if operator_token::is_in(text) {
        Err("this has the form of an operator token, which others must not read; choose another name".to_string())
    } else {
        Ok(text.to_string())
    }
}

/// Parses the path of a file with certificate authorities. The error states what to write.
pub(crate) fn parse_ca(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("write the path of a file with certificates in PEM".to_string());
    }
    folders::expanded(Path::new(text))
}

/// Login name of the user.
fn login_name() -> String {
    let login = env::var("USER").ok().or_else(|| whoami::username().ok());
    login.filter(|name| !name.is_empty()).unwrap_or_else(|| "guest".to_string())
}

/// Cuts a login name to the limits of a server (T7), and returns a notice about it.
fn shortened(login: String) -> (String, Vec<String>) {
    let mut bytes = 0;
    let fits = |c: &char| {
        bytes += c.len_utf8();
        bytes <= NAME_BYTES_MAX
    };
    let name: String = login.chars().take(NAME_CHARS_MAX).take_while(fits).collect();
    if name == login {
        return (login, Vec::new());
    }
    let words = format!(
        "your login name is longer than {NAME_CHARS_MAX} characters or {NAME_BYTES_MAX} bytes, so you are {name} here; \
         --name or /nick changes it"
    );
    (name, vec![words])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_counts_and_the_weaker_fills_its_holes() {
        let strong = Choices { name: Some("flag".into()), colour: Some(false), ..Choices::default() };
        let weak = Choices {
            name: Some("file".into()),
            server: Some("host:1".into()),
            dialect: Some(DialectChoice::Event),
            link: Some(LinkKind::Noise),
            ca: Some("/roots.pem".into()),
            timestamps: Some(false),
            bell: Some(Bell::All),
            colour: Some(true),
            ignore: Some(vec!["eve".into()]),
            log: Some(true),
            log_sealed: Some(true),
            input_history: Some(false),
            web: Some(false),
            web_names: Some(vec!["chat.example.org".into()]),
        };
        let both = Choices { name: Some("flag".into()), colour: Some(false), ..weak.clone() };
        assert_eq!(strong.or(weak.clone()), both);
        assert_eq!(Choices::default().or(weak.clone()), weak);
        assert_eq!(weak.clone().or(Choices::default()), weak);
    }

    #[test]
    fn without_a_choice_the_defaults_are_the_clients() {
        let options = Choices::default().join_options(Mode::Json);
        let expected = Preferences { state_folder: folders::state_folder(), ..Preferences::default() };
        assert_eq!((options.address.as_str(), options.mode), ("127.0.0.1:1234", Mode::Json));
        assert_eq!((options.dialect, options.preferences), (DialectChoice::Auto, expected));
        assert!(!options.name.is_empty());
    }

    #[test]
    fn sealed_rooms_are_logged_only_with_the_log() {
        for (log, log_sealed, scope, notices) in [
            (None, None, LogScope::Nothing, 0),
            (Some(true), None, LogScope::Unsealed, 0),
            (Some(true), Some(true), LogScope::All, 0),
            (None, Some(true), LogScope::Nothing, 1),
        ] {
            let choices = Choices { name: Some("bob".into()), log, log_sealed, ..Choices::default() };
            let options = choices.join_options(Mode::Plain);
            assert_eq!((options.preferences.log, options.greeting.len()), (scope, notices), "{log:?} {log_sealed:?}");
        }
    }

    #[test]
    fn a_long_login_name_is_cut_and_its_owner_informed() {
        assert_eq!(shortened("alice".into()), ("alice".into(), Vec::new()));
        let (name, words) = shortened("x".repeat(33));
        assert_eq!(name, "x".repeat(32));
        assert!(words[0].contains(&name) && words[0].contains("--name"), "{words:?}");
        assert_eq!(shortened("漢".repeat(30)).0, "漢".repeat(21));
    }

    #[test]
    fn a_name_is_not_empty() {
        assert_eq!(parse_name("bob").as_deref(), Ok("bob"));
        assert!(parse_name(" ").is_err() && parse_name("").is_err());
        assert!(parse_name("glop_014d2pf2dbsqqg28t5cy4tqkffkygsh8").is_err());
    }
}
