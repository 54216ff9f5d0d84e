//! Addresses of servers, in the one form in which keys are kept for them.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;

use crate::KeyringError;

/// Longest host taken: that of a name in the DNS.
const HOST_BYTES_MAX: usize = 253;

/// `host:port` as it was dialled. Equal addresses in different spellings are one: the host is in
/// lower case and has no dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerAddress(String);

impl ServerAddress {
    /// Reads `host:port`, `192.0.2.7:1234` or `[::1]:1234`.
    ///
    /// # Errors
    /// [`KeyringError::NotAnAddress`].
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(Self(socket.to_string()));
        }
        let refused = || KeyringError::NotAnAddress(text.chars().take(HOST_BYTES_MAX).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let host = host.trim_end_matches('.').to_lowercase();
        let port: u16 = port.parse().map_err(|_| refused())?;
        let is_host = (1..=HOST_BYTES_MAX).contains(&host.len())
            && !host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#\\:[]".contains(c));
        if is_host { Ok(Self(format!("{host}:{port}"))) } else { Err(refused()) }
    }

    /// The host, without the brackets of an IPv6 address: the name that a certificate must have.
    pub fn host(&self) -> &str {
        let host = self.0.rsplit_once(':').map_or(self.0.as_str(), |(host, _)| host);
        host.trim_matches(['[', ']'])
    }

    /// `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the server of a file named by [`file_name`](Self::file_name).
    pub(crate) fn of_file_name(name: &str) -> Option<Self> {
        let mut bytes = Vec::with_capacity(name.len());
        let mut parts = name.split('%');
        bytes.extend_from_slice(parts.next()?.as_bytes());
        for part in parts {
            bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        Self::parse(&String::from_utf8(bytes).ok()?).ok()
    }

    /// Name of a file for this server, which leads nowhere else.
    pub(crate) fn file_name(&self) -> String {
        let mut name = String::new();
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && !name.is_empty()) {
                name.push(byte.into());
            } else {
                // Writing to memory has no way to fail.
                let _ = write!(name, "%{byte:02x}");
            }
        }
        name
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_server_are_equal() {
        for (written, kept, host) in [
            ("Example.ORG:1234", "example.org:1234", "example.org"),
            ("example.org.:01234", "example.org:1234", "example.org"),
            ("[::1]:5", "[::1]:5", "::1"),
            ("[0:0:0::1]:5", "[::1]:5", "::1"),
            ("192.0.2.7:1", "192.0.2.7:1", "192.0.2.7"),
        ] {
            let address = ServerAddress::parse(written).expect(written);
            assert_eq!((address.as_str(), address.host()), (kept, host));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in ["", "host", ":1", "host:", "host:99999", "a b:1", "a/b:1", "::1:5", "a\nb:1", "."] {
            assert!(ServerAddress::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(ServerAddress::parse(&format!("{}:1", "x".repeat(254))).is_err());
    }

    #[test]
    fn a_file_of_a_server_stays_in_its_folder() {
        let name = |text: &str| ServerAddress::parse(text).expect(text).file_name();
        assert_eq!(name("example.org:1234"), "example.org%3a1234");
        assert_eq!(name("..x:1"), "%2e.x%3a1");
        for text in ["example.org:1234", "..x:1", "[::1]:5", "häß:7"] {
            let address = ServerAddress::parse(text).expect(text);
            assert_eq!(ServerAddress::of_file_name(&address.file_name()), Some(address));
        }
        for other in ["", "%", "%zz", "%3", "x", "%ff%3a1", "x%3a1.new"] {
            assert_eq!(ServerAddress::of_file_name(other), None, "{other}");
        }
    }
}
