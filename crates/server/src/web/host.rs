//! Rules for `Host` and `Origin`: no page of another site, and no name that was rebound to this
//! machine's address, gets a WebSocket (W).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Returns whether a `Host` line names this server: with an IP address, since rebinding needs a
/// name; as `localhost`; or with one of `names`. Ports are not compared: forwarded ones differ.
pub(super) fn is_own(host: &str, names: &[String]) -> bool {
    let Some(name) = without_port(host) else { return false };
    let bracketed = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = bracketed {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    name.parse::<Ipv4Addr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Returns whether an `Origin` line names the page of this scheme and `Host` line.
pub(super) fn is_same_origin(origin: &str, scheme: &str, host: &str) -> bool {
    let of_scheme = origin.split_once("://").filter(|(of, _)| *of == scheme);
    of_scheme.is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// Cuts off the port, where there is one; `None` where it is no number.
fn without_port(host: &str) -> Option<&str> {
    let end_of_name = host.rfind(']').map_or(0, |at| at + 1);
    let (name, port) = match host[end_of_name..].find(':') {
        Some(colon) => (&host[..end_of_name + colon], &host[end_of_name + colon + 1..]),
        None => (host, ""),
    };
    port.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_hosts_are_addresses_localhost_and_given_names() {
        let names = ["class.local".to_string(), "chat.example.org".to_string()];
        for host in [
            "127.0.0.1",
            "192.168.1.5:1234",
            "[::1]:1234",
            "[2001:db8::7]",
            "localhost",
            "LOCALHOST:8080",
            "Class.Local:1234",
            "chat.example.org",
            "localhost:",
        ] {
            assert!(is_own(host, &names), "{host}");
        }
        for host in [
            "",
            ":1234",
            "example.org",
            "evil.example:1234",
            "localhost.evil.example",
            "class.local.evil.example",
            "xclass.local",
            "chat.example.org.",
            "127.0.0.1.evil.example",
            "127.1",
            "0x7f000001",
            "[::1",
            "::1",
            "[::1]x",
            "[evil]",
            "localhost:80x",
            "user@localhost",
            "localhost/",
            "localhost localhost",
        ] {
            assert!(!is_own(host, &names), "{host}");
        }
    }

    #[test]
    fn an_origin_has_the_same_scheme_and_host() {
        assert!(is_same_origin("http://localhost:1234", "http", "localhost:1234"));
        assert!(is_same_origin("https://Chat.example.org", "https", "chat.example.org"));
        for origin in [
            "null",
            "",
            "http://localhost",
            "https://localhost:1234",
            "http://localhost:12345",
            "http://localhost:1234/",
            "http://localhost:1234.evil.example",
            "http://evil.example",
            "localhost:1234",
            "file://",
        ] {
            assert!(!is_same_origin(origin, "http", "localhost:1234"), "{origin}");
        }
    }
}
