//! Target of a mute or ban: a name, or addresses.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::net::IpAddr;

use glassline_wire::event::{AuditEntry, ErrorCode, Rejection};

use super::network::Network;
use crate::name::{Looks, Name};

/// A name, perhaps of no present member, or addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Name { name: Name, looks: Looks },
    Network(Network),
}

impl Target {
    /// Parses what an operator typed: a name, an address or a network. A name that reads like an
    /// address, also a mistyped one, or is quoted itself, is written in quotes.
    pub(crate) fn typed(text: &str) -> Result<Self, Rejection> {
        if is_mistyped_address(text) && Network::parse(text) == Ok(None) {
            let text = "no address is written like this; write 192.0.2.7 or 2001:db8::7, or a name that looks like one in quotes";
            return Err(Rejection::new(ErrorCode::BadField, text));
        }
        Self::parse(text)
    }

    /// Parses the form in which a target is stored, now or formerly.
    pub(crate) fn parse(text: &str) -> Result<Self, Rejection> {
        if let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            return Ok(Self::of_name(Name::parse(quoted.as_bytes())?));
        }
        match Network::parse(text) {
            Ok(Some(network)) => Ok(Self::Network(network)),
            Ok(None) => Ok(Self::of_name(Name::parse(text.as_bytes())?)),
            Err(_) => {
                let text = "no network is written like this; write 192.0.2.0/24 or 2001:db8::/64".to_string();
                Err(Rejection::new(ErrorCode::BadField, text))
            }
        }
    }

    pub(crate) fn of_act(act: &AuditEntry) -> Option<Self> {
        Self::parse(act.who.as_deref()?).ok()
    }

    pub(crate) fn of_name(name: Name) -> Self {
        let looks = name.looks();
        Self::Name { name, looks }
    }

    /// Returns whether it is this one, by its name, a name that looks like it, or its address.
    pub(crate) fn hits(&self, looks: &Looks, address: IpAddr) -> bool {
        match self {
            Self::Name { .. } => self.hits_name(looks),
            Self::Network(network) => network.contains(address),
        }
    }

    pub(crate) fn hits_name(&self, other: &Looks) -> bool {
        matches!(self, Self::Name { looks, .. } if looks.is_like(other))
    }

    /// Returns whether a name of the same script is hit for its looks alone, maybe by accident.
    pub(crate) fn is_only_like(&self, other: &Looks) -> bool {
        matches!(self, Self::Name { looks, .. } if looks.folded() != other.folded()
            && looks.is_like(other)
            && looks.is_of_one_script_with(other.scripts()))
    }

    pub(crate) fn hits_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(address))
    }

    /// Returns whether a sanction on one replaces that on the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name { looks, .. }, Self::Name { looks: others, .. }) => looks.folded() == others.folded(),
            (Self::Network(network), Self::Network(other)) => network == other,
            _ => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, .. } => f.write_str(&written(name.as_str())),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}

/// Returns whether a text is meant as an address: a slip in one must not ban a name instead.
fn is_mistyped_address(text: &str) -> bool {
    let (address, _zone) = text.split_once('%').unwrap_or((text, ""));
    address.contains(['.', ':'])
        && address.chars().all(|character| character.is_ascii_hexdigit() || ".:[]/".contains(character))
}

/// Returns a name as an operator has to write it.
pub(crate) fn written(name: &str) -> String {
    let is_quoted = name.len() >= 2 && name.starts_with('"') && name.ends_with('"');
    if is_quoted || Network::parse(name) != Ok(None) || is_mistyped_address(name) {
        format!("\"{name}\"")
    } else {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).expect("somebody")
    }

    #[test]
    fn a_name_is_hit_in_any_case_and_by_its_look_alikes() {
        let hit = |banned: &str, name: &str| {
            let Target::Name { looks, .. } = Target::of_name(Name::parse(name.as_bytes()).expect("a name")) else {
                panic!("a name")
            };
            target(banned).hits(&looks, "192.0.2.7".parse().expect("an address"))
        };
        for (banned, name) in [
            ("bob", "BOB"),
            ("admin", "аdmin"),
            ("ADMIN", "аdmin"),
            ("lan", "Ian"),
            ("straße", "STRASSE"),
            ("bob", "ВОВ"),
            ("Erna", "Ema"),
        ] {
            assert!(hit(banned, name) && hit(name, banned), "{banned} {name}");
        }
        assert!(!hit("bob", "bob-2") && !hit("bob", "rob"));
        assert!(hit("192.0.2.0/24", "bob") && !hit("192.0.3.0/24", "bob"));
        assert!(!hit("\"192.0.2.7\"", "bob") && hit("\"192.0.2.7\"", "192.0.2.7"));
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same() {
        for text in
            ["bob", "192.0.2.7", "\"192.0.2.7\"", "2001:db8::/64", "\"\"quoted\"\"", "\"10.0.0.0/99\"", "\"", "☃"]
        {
            assert_eq!(target(text).to_string(), text);
            assert!(target(&target(text).to_string()).is_same(&target(text)));
        }
        assert!(target("Bob").is_same(&target("bOB")) && !target("admin").is_same(&target("аdmin")));
        assert!(!target("192.0.2.7").is_same(&target("\"192.0.2.7\"")));
        for text in ["\"1.2.3\"", "\"1.2.3.4:80\"", "a.b.x", "d'Arc", "x:y"] {
            assert_eq!(target(text).to_string(), text);
        }
        for none in ["1.2.3", "01.2.3.4", "1.2.3.4:80", "[::1]", "fe80::1%lo", "1.2.3.4.5"] {
            assert!(Target::typed(none).is_err(), "{none}");
            assert_eq!(target(none).to_string(), format!("\"{none}\""), "as it was written before");
        }
        assert!(Target::typed("192.0.2.7").is_ok() && Target::typed("192.0.2.0/24").is_ok());
        for none in ["10.0.0.0/99", "a\u{202e}b", "*", "\"\"", "/bob"] {
            assert!(Target::parse(none).is_err(), "{none}");
        }
    }
}
