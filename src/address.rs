//! Addresses as users write them; the port is optional.

use std::net::{IpAddr, SocketAddr};

pub(crate) const DEFAULT_PORT: u16 = 1234;

pub(crate) fn default_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT))
}

/// `host`, `host:port`, `::1` or `[::1]:port`.
fn with_default_port(address: &str) -> String {
    if let Ok(ip) = address.trim_matches(['[', ']']).parse::<IpAddr>() {
        return SocketAddr::new(ip, DEFAULT_PORT).to_string();
    }
    if address.contains(':') { address.to_string() } else { format!("{address}:{DEFAULT_PORT}") }
}

/// Returns the shortest form of an address that `glassline join` takes: the default port is left
/// out.
pub(crate) fn joinable(address: SocketAddr) -> String {
    if address.port() == DEFAULT_PORT { address.ip().to_string() } else { address.to_string() }
}

/// Returns `example.org:7` of `http://bob@example.org:7/page`, and any other text unchanged.
pub(crate) fn without_scheme(text: &str) -> &str {
    let Some((_, rest)) = text.split_once("://") else { return text };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Returns a host with a port; the host is not looked up.
pub(crate) fn parse_join(text: &str) -> Result<String, String> {
    if without_scheme(text) != text {
        let plain = without_scheme(text);
        return Err(format!("a chat is no web page, so its address has no scheme; write it as {plain}"));
    }
    if let Some(advice) = port_advice(text) {
        return Err(advice);
    }
    let address = with_default_port(text);
    match address.rsplit_once(':') {
        Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(address),
        _ => Err(format!("{text:?} is no address; write it as 127.0.0.1, example.org:1234 or [::1]:1234")),
    }
}

/// Reports whether a text may be a host: it has none of the characters that separate one from the
/// rest of a web or mail address.
fn is_host(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "/@?#\\".contains(c))
}

/// Returns what to write instead of a port alone, and of a port that no host has.
fn port_advice(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    // Further colons belong to an IPv6 address.
    if !is_number || (host.contains(':') && !host.ends_with(']')) {
        return None;
    }
    match port.parse::<u16>() {
        Ok(port) if host.is_empty() && port > 0 => {
            Some(format!("{text:?} is a port without a host; write it as 127.0.0.1:{port}"))
        }
        Ok(_) => None,
        Err(_) => Some(format!("{text:?} has no valid port: ports are numbers up to 65535; the usual one is 1234")),
    }
}

pub(crate) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    if let Some(advice) = port_advice(text) {
        return Err(advice);
    }
    let advice = || format!("{text:?} is no address; write it as 127.0.0.1:1234, 0.0.0.0:0 or [::1]:1234");
    with_default_port(text).replace("localhost:", "127.0.0.1:").parse().map_err(|_| advice())
}

/// Parses the address of the metrics; no port is usual enough to be meant by leaving it out.
pub(crate) fn parse_metrics(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("localhost:").map_or_else(|| text.to_string(), |port| format!("127.0.0.1:{port}"));
    address.parse().map_err(|_| format!("{text:?} is no address with a port; write it as 127.0.0.1:9464 or [::1]:9464"))
}

/// Returns whether a text is the name of a host (RFC 1123).
pub(crate) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(parse_metrics("localhost:7"), Ok(SocketAddr::from(([127, 0, 0, 1], 7))));
        assert!(parse_metrics("127.0.0.1").is_err() && parse_metrics("nowhere:1").is_err());
        assert_eq!(parse_join("example.org").as_deref(), Ok("example.org:1234"));
        assert_eq!(
            parse_join("http://example.org/room").unwrap_err(),
            "a chat is no web page, so its address has no scheme; write it as example.org"
        );
        assert_eq!(without_scheme("telnet://bob@[::1]:7/x?y#z"), "[::1]:7");
        assert_eq!(joinable(SocketAddr::from(([192, 0, 2, 7], 1234))), "192.0.2.7");
        assert_eq!(joinable(SocketAddr::from(([192, 0, 2, 7], 5))), "192.0.2.7:5");
        for wrong in [
            "127.0.0.1:99999",
            "host:port",
            "host:",
            ":1234",
            "host:0",
            "",
            "host/",
            "bob@host",
            "192.0.2.7/1234",
            "a b",
        ] {
            assert!(parse_join(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_port_is_answered_with_an_address_that_can_be_typed() {
        for text in ["5000", ":5000"] {
            for refused in [parse_join(text).unwrap_err(), parse_listen(text).unwrap_err()] {
                assert!(refused.ends_with("write it as 127.0.0.1:5000"), "{refused}");
            }
        }
        for text in ["host:65536", "[::1]:99999", "127.0.0.1:123456789012", "80000"] {
            for refused in [parse_join(text).unwrap_err(), parse_listen(text).unwrap_err()] {
                assert!(refused.contains("up to 65535"), "{refused}");
            }
        }
        assert_eq!(parse_listen("::1"), Ok(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 1234))));
    }

    #[test]
    fn a_host_name_is_made_of_labels() {
        for name in ["host", "Host-7.example.org", "7"] {
            assert!(is_host_name(name), "{name}");
        }
        for name in ["", "a_b", "-a", "a-.b", "a..b", "ä", &"x".repeat(64)] {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
