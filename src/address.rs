//! Addresses as people write them: the port may be left out.

use std::net::{IpAddr, SocketAddr};

/// Where a line is when nobody says otherwise.
pub(crate) const DEFAULT_PORT: u16 = 1234;

/// The line of this machine.
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

/// A host with a port; whether there is such a host shows when it is looked up.
pub(crate) fn parse_join(text: &str) -> Result<String, String> {
    if without_scheme(text) != text {
        let plain = without_scheme(text);
        return Err(format!("this is no web address and has no scheme; write it as {plain}"));
    }
    let address = with_default_port(text);
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(address),
        _ => Err(format!("{text:?} is no address; write it as 127.0.0.1, example.org:1234 or [::1]:1234")),
    }
}

pub(crate) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let advice = || format!("{text:?} is no address; write it as 127.0.0.1:1234, 0.0.0.0:0 or [::1]:1234");
    with_default_port(text).replace("localhost:", "127.0.0.1:").parse().map_err(|_| advice())
}

/// Where metrics are asked for; no port is usual enough to be meant by leaving it out.
pub(crate) fn parse_metrics(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("localhost:").map_or_else(|| text.to_string(), |port| format!("127.0.0.1:{port}"));
    address.parse().map_err(|_| format!("{text:?} is no address with a port; write it as 127.0.0.1:9464 or [::1]:9464"))
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
            "this is no web address and has no scheme; write it as example.org"
        );
        assert_eq!(without_scheme("telnet://bob@[::1]:7/x?y#z"), "[::1]:7");
        assert_eq!(joinable(SocketAddr::from(([192, 0, 2, 7], 1234))), "192.0.2.7");
        assert_eq!(joinable(SocketAddr::from(([192, 0, 2, 7], 5))), "192.0.2.7:5");
        for wrong in ["127.0.0.1:99999", "host:port", "host:", ":1234", "host:0", ""] {
            assert!(parse_join(wrong).is_err(), "{wrong}");
        }
    }
}
