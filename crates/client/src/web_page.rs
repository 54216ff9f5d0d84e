//! Address of the server's web page for others, as a code to scan and as text.
//!
//! The client has not asked the server for its page, so the words do not state that there is one.

mod code;

use std::net::{IpAddr, SocketAddr};

use glassline_wire::link::LinkKind;

use crate::options::JoinOptions;
pub(crate) use code::Canvas;

/// The address, as far as the client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebPage {
    reach: Reach,
    link: LinkKind,
    /// Locale of the user, if it names another character set than UTF-8.
    other_locale: Option<String>,
}

/// Devices from which an address can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reach {
    /// The address that was dialled leads to the server from other devices too.
    Dialled(String),
    /// This process is the server, and others reach it here, at the first address best.
    Hosted(Vec<SocketAddr>),
    /// The address that was dialled leads every device to itself.
    ThisMachine(String),
}

/// Answer to `/qr`, in the order in which it is shown: the URL stands below its code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PageAnswer {
    pub(crate) words: Vec<String>,
    /// Rows of the code; empty where none can be drawn, as the words explain.
    pub(crate) code: Vec<String>,
    pub(crate) url: Option<String>,
}

impl WebPage {
    /// Returns the address of the server that these options join.
    pub(crate) fn of(options: &JoinOptions) -> Self {
        let reach = if options.hosts {
            Reach::Hosted(options.reachable_at.clone())
        } else if leads_to_itself(&options.address) {
            Reach::ThisMachine(options.address.clone())
        } else {
            Reach::Dialled(options.address.clone())
        };
        let other_locale = other_locale(|name| std::env::var(name).unwrap_or_default());
        Self { reach, link: options.link.confidentiality().kind, other_locale }
    }

    /// Returns what `/qr` shows: the code of the address with this number, counted from 1, or of
    /// the best one.
    pub(crate) fn answer(&self, number: Option<usize>, canvas: Option<Canvas>) -> PageAnswer {
        let authorities = match &self.reach {
            Reach::Dialled(address) => vec![address.clone()],
            Reach::Hosted(addresses) => addresses.iter().map(SocketAddr::to_string).collect(),
            Reach::ThisMachine(_) => Vec::new(),
        };
        if authorities.is_empty() {
            return PageAnswer { words: vec![self.unreachable()], ..PageAnswer::default() };
        }
        let chosen = number.unwrap_or(1);
        let Some(authority) = chosen.checked_sub(1).and_then(|at| authorities.get(at)) else {
            let words = format!("there are {} addresses; /qr alone shows the first", authorities.len());
            return PageAnswer { words: vec![words], ..PageAnswer::default() };
        };
        let url = format!("http://{authority}");
        let mut words = vec!["if the server serves its page, a browser opens it at this address:".to_owned()];
        if self.link != LinkKind::Plaintext {
            words.push(format!(
                "over http anyone on the way can read what is said there; https://{authority} is protected where the \
                 server takes TLS, and browsers warn of a certificate that no authority has signed"
            ));
        }
        let others = authorities.iter().enumerate().filter(|(at, _)| at + 1 != chosen);
        words.extend(
            others.map(|(at, other)| format!("this machine has another address: http://{other} (/qr {})", at + 1)),
        );
        let drawn = match (&self.other_locale, canvas) {
            (Some(locale), _) => Err(format!("the locale {locale} names a character set other than UTF-8")),
            (None, None) => Err("this is no terminal".to_owned()),
            (None, Some(canvas)) => code::draw(&url, canvas),
        };
        let code = drawn.unwrap_or_else(|why| {
            words.push(format!("there is no code to scan: {why}"));
            Vec::new()
        });
        PageAnswer { words, code, url: Some(url) }
    }

    /// Explains why there is no address to show to others.
    fn unreachable(&self) -> String {
        match &self.reach {
            Reach::Hosted(_) => {
                "other devices cannot reach this server; `glassline --listen 0.0.0.0:1234` opens it to \
                                 them, where this machine has a network"
                    .to_owned()
            }
            Reach::Dialled(address) | Reach::ThisMachine(address) => format!(
                "you have joined {address}, an address that leads every device to itself, so a code would not help \
                 others; if the server serves its page, a browser on this machine opens it at http://{address}"
            ),
        }
    }
}

/// Returns true for `host:port` where the host is the device itself that dials it.
fn leads_to_itself(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let is_own = |ip: IpAddr| ip.to_canonical().is_loopback() || ip.is_unspecified();
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_own)
}

/// Returns the locale of characters, if it is set and does not name UTF-8. Without one, as in many
/// containers, terminals take UTF-8 all the same.
fn other_locale(variable: impl Fn(&str) -> String) -> Option<String> {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).into_iter().find(|locale| !locale.is_empty())?;
    let is_utf8 = locale.to_ascii_uppercase().replace('-', "").contains("UTF8");
    (!is_utf8).then_some(locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: Option<Canvas> = Some(Canvas { columns: 80, rows: 24, has_colour: true });

    fn page(options: &JoinOptions) -> WebPage {
        WebPage { other_locale: None, ..WebPage::of(options) }
    }

    fn joined(address: &str) -> WebPage {
        page(&JoinOptions { address: address.into(), ..JoinOptions::default() })
    }

    fn hosted(reachable_at: &[&str]) -> WebPage {
        let reachable_at = reachable_at.iter().map(|address| address.parse().expect("an address")).collect();
        page(&JoinOptions { address: "127.0.0.1:1234".into(), hosts: true, reachable_at, ..JoinOptions::default() })
    }

    #[test]
    fn the_address_is_the_one_that_was_dialled() {
        for (address, url) in [
            ("192.0.2.7:1234", "http://192.0.2.7:1234"),
            ("[2001:db8::7]:80", "http://[2001:db8::7]:80"),
            ("chat.example.org:1234", "http://chat.example.org:1234"),
        ] {
            let answer = joined(address).answer(None, CANVAS);
            assert_eq!((answer.url.as_deref(), answer.code.is_empty()), (Some(url), false), "{answer:?}");
            assert!(answer.words[0].starts_with("if the server serves its page"), "{answer:?}");
        }
    }

    #[test]
    fn an_address_that_leads_others_to_themselves_has_no_code() {
        for address in ["127.0.0.1:1234", "localhost:7", "[::1]:1234", "[::ffff:127.0.0.1]:1", "0.0.0.0:1"] {
            let answer = joined(address).answer(None, CANVAS);
            assert_eq!((&answer.url, answer.code.len(), answer.words.len()), (&None, 0, 1), "{answer:?}");
            assert!(answer.words[0].contains(&format!("http://{address}")), "{answer:?}");
        }
        let answer = hosted(&[]).answer(None, CANVAS);
        assert!(answer.url.is_none() && answer.words[0].contains("--listen 0.0.0.0:1234"), "{answer:?}");
    }

    #[test]
    fn a_host_has_a_code_for_each_of_its_addresses() {
        let page = hosted(&["192.0.2.7:1234", "[2001:db8::7]:1234"]);
        let first = page.answer(None, CANVAS);
        assert_eq!(first.url.as_deref(), Some("http://192.0.2.7:1234"));
        assert!(first.words[1].ends_with("http://[2001:db8::7]:1234 (/qr 2)"), "{first:?}");
        let second = page.answer(Some(2), CANVAS);
        assert_eq!(second.url.as_deref(), Some("http://[2001:db8::7]:1234"));
        for wrong in [0, 3, usize::MAX] {
            let answer = page.answer(Some(wrong), CANVAS);
            assert!(answer.url.is_none() && answer.words == ["there are 2 addresses; /qr alone shows the first"]);
        }
    }

    #[test]
    fn without_a_code_the_address_is_shown_with_the_reason() {
        let page = joined("192.0.2.7:1234");
        let narrow = Canvas { columns: 30, rows: 24, has_colour: true };
        let low = Canvas { columns: 80, rows: 12, has_colour: true };
        let latin = WebPage { other_locale: Some("de_DE.ISO-8859-1".into()), ..page.clone() };
        for (answer, reason) in [
            (page.answer(None, Some(narrow)), "33 columns"),
            (page.answer(None, Some(low)), "rows"),
            (page.answer(None, None), "no terminal"),
            (latin.answer(None, CANVAS), "de_DE.ISO-8859-1"),
        ] {
            assert_eq!((answer.url.as_deref(), answer.code.len()), (Some("http://192.0.2.7:1234"), 0));
            assert!(answer.words.last().is_some_and(|words| words.contains(reason)), "{answer:?}");
        }
    }

    #[test]
    fn only_a_locale_of_another_character_set_forbids_half_blocks() {
        for (variables, found) in [
            (&[][..], None),
            (&[("LANG", "C")], Some("C")),
            (&[("LANG", "de_DE.UTF-8")], None),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "de_DE.ISO-8859-1")], Some("de_DE.ISO-8859-1")),
            (&[("LANG", "C"), ("LC_CTYPE", "en_US.utf8")], None),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
            };
            assert_eq!(other_locale(variable).as_deref(), found, "{variables:?}");
        }
    }
}
