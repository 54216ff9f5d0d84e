//! The chat's page: its flags, the names under which browsers may ask for it, and its addresses.

use std::net::SocketAddr;

use clap::Args;
use glassline_server::Web;
use glassline_wire::link::LinkKind;

use crate::address::is_host_name;

/// Options of the chat's page.
#[derive(Debug, Default, Args)]
pub(crate) struct WebOptions {
    /// Serve no page to browsers: they are told how to join in a terminal
    #[arg(long)]
    pub(crate) no_web: bool,
    /// Name under which browsers reach this machine, besides its addresses, its host name and
    /// localhost; may be given several times
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub(crate) web_name: Vec<String>,
}

impl WebOptions {
    /// The settings in the form that the server takes; `None` where no page is served.
    pub(crate) fn for_server(&self) -> Option<Web> {
        settings(!self.no_web, &self.web_name)
    }
}

/// Returns the settings of a page with names beside those of this machine; `None` where none is
/// served.
pub(crate) fn settings(is_served: bool, names: &[String]) -> Option<Web> {
    is_served.then(|| Web { names: own_names().into_iter().chain(names.iter().cloned()).collect() })
}

/// Returns the address of the page at a listener, as typed into a browser, on a server that takes
/// the required link only; `None` where browsers cannot speak that.
pub(crate) fn page_address(listening: SocketAddr, required: Option<LinkKind>) -> Option<String> {
    match required {
        None | Some(LinkKind::Plaintext) => Some(format!("http://{listening}")),
        Some(LinkKind::Tls) => Some(format!("https://{listening}")),
        Some(LinkKind::Noise) => None,
    }
}

/// Names of this machine: its host name, and the one that mDNS gives it.
fn own_names() -> Vec<String> {
    let Some(host_name) = whoami::hostname().ok().filter(|name| is_host_name(name)) else { return Vec::new() };
    let label = host_name.split('.').next().unwrap_or_default();
    let mut names = vec![format!("{label}.local"), label.to_string()];
    if host_name != label {
        names.push(host_name);
    }
    names
}

/// Parses a name of this machine. The error states what to write.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    if is_host_name(text) {
        Ok(text.to_string())
    } else {
        Err("write a host name alone, such as chat.example.org; ports do not matter, and addresses need no name"
            .to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_page_has_the_scheme_that_is_taken() {
        let listening = SocketAddr::from(([192, 0, 2, 7], 1234));
        for (required, expected) in [
            (None, Some("http://192.0.2.7:1234")),
            (Some(LinkKind::Tls), Some("https://192.0.2.7:1234")),
            (Some(LinkKind::Noise), None),
        ] {
            assert_eq!(page_address(listening, required).as_deref(), expected);
        }
        assert_eq!(page_address(SocketAddr::from(([0; 16], 5)), None).as_deref(), Some("http://[::]:5"));
    }

    #[test]
    fn a_name_has_neither_scheme_nor_port() {
        assert_eq!(parse_name("chat.example.org").as_deref(), Ok("chat.example.org"));
        for text in ["", "http://chat.example.org", "chat.example.org:1234", "a b"] {
            assert!(parse_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn without_a_page_there_are_no_names() {
        let named = WebOptions { web_name: vec!["chat.example.org".into()], ..WebOptions::default() };
        assert!(named.for_server().is_some_and(|web| web.names.contains(&"chat.example.org".to_string())));
        assert!(WebOptions { no_web: true, ..named }.for_server().is_none());
    }
}
