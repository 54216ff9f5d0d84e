//! First bytes from a server, which distinguish servers of other protocols from chats.

use core::net::IpAddr;

use glassline_wire::frame::HeaderError;

use crate::prelude::*;

/// Bytes kept of the start of a connection: more than any of the signs below needs.
const FIRST_BYTES_MAX: usize = 128;

/// First bytes of the present connection, and the kind of server that an earlier one showed.
#[derive(Debug, Default)]
pub(crate) struct FirstBytes {
    first: Vec<u8>,
    /// Bytes were received, on this connection or before.
    has_come: bool,
    /// Kind of server that an earlier connection showed, if that is no chat server.
    foreign: Option<&'static str>,
}

impl FirstBytes {
    pub(crate) fn begin(&mut self) {
        self.first.clear();
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.has_come |= !bytes.is_empty();
        let room = FIRST_BYTES_MAX - self.first.len();
        self.first.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Returns whether the present connection has received nothing.
    pub(crate) fn is_silent(&self) -> bool {
        self.first.is_empty()
    }

    pub(crate) fn has_come(&self) -> bool {
        self.has_come
    }

    /// Keeps the kind of server for the next connection: this one was no dialect of a chat.
    pub(crate) fn note_foreign(&mut self) {
        self.foreign = self.kind();
    }

    /// Returns the kind of server that this or an earlier connection showed.
    pub(crate) fn foreign(&self) -> Option<&'static str> {
        self.kind().or(self.foreign)
    }

    fn kind(&self) -> Option<&'static str> {
        let bytes = &self.first[..];
        let text = String::from_utf8_lossy(bytes).to_ascii_uppercase();
        let begins = |sign: &str| text.starts_with(sign);
        Some(match bytes {
            _ if begins("HTTP/") || begins("<!DOCTYPE") || begins("<HTML") => "an HTTP server",
            [0x15 | 0x16, 0x03, ..] => "a TLS server, of HTTPS perhaps",
            _ if begins("SSH-") => "an SSH server",
            _ if begins("220") && text.contains("SMTP") => "a mail server (SMTP)",
            _ if begins("220") && text.contains("FTP") => "an FTP server",
            _ if begins("220") || begins("421") || begins("554") => "an FTP or mail server",
            _ if begins("+OK") => "a mail server (POP3)",
            _ if begins("* OK") || begins("* PREAUTH") => "a mail server (IMAP)",
            _ if begins(":") || begins("NOTICE ") || begins("ERROR :") || begins("PING ") => "an IRC server",
            _ if begins("-ERR") || begins("-NOAUTH") || begins("-DENIED") => "a Redis server",
            _ if begins("RFB ") => "a VNC server",
            _ if begins("AMQP") => "a message broker (AMQP)",
            _ if begins("<?XML") || begins("<STREAM") => "an XML or Jabber server",
            [0xff, 0xf0..=0xff, ..] => "a telnet server",
            [_, _, 0, 0, 0x0a | 0xff, ..] | [_, _, 0, 1, 0xff, ..] => "a MySQL server",
            [0, 0, _, 4, 0, 0, 0, 0, 0, ..] => "an HTTP/2 server",
            [b'E', 0, 0, ..] => "a PostgreSQL server",
            _ => return None,
        })
    }
}

/// Reports that an address has no chat server, what it is if that is known, and what to do.
pub(crate) fn no_chat_server(address: &str, kind: Option<&str>, error: Option<&HeaderError>) -> String {
    let advice = advice(address);
    match (kind, error) {
        (Some(kind), _) => format!("what answers at {address} is no chat server but {kind}; {advice}"),
        (None, Some(error)) => format!("what answers at {address} is no chat server ({error}); {advice}"),
        (None, None) => format!("what answers at {address} is no chat server; {advice}"),
    }
}

/// On this machine the advice is another port; for another one the address may be wrong.
fn advice(address: &str) -> String {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let host = host.trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
    match port.parse::<u16>() {
        Ok(port) if is_here => {
            let other = port.checked_add(1).unwrap_or(port - 1);
            format!("check the port, or host a chat on another one: `glassline --listen 127.0.0.1:{other}`")
        }
        _ => "check the address and the port".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_first_bytes() {
        for (bytes, kind) in [
            (&b"HTTP/1.0 400 Bad Request"[..], "an HTTP server"),
            (b"\x15\x03\x01\x00\x02\x02", "a TLS server, of HTTPS perhaps"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH server"),
            (b"220 mx ESMTP ready", "a mail server (SMTP)"),
            (b"220 (vsFTPd 3.0.3)", "an FTP server"),
            (b"220 hello", "an FTP or mail server"),
            (b"* OK IMAP4rev1", "a mail server (IMAP)"),
            (b"+OK ready", "a mail server (POP3)"),
            (b":irc.example NOTICE * :***", "an IRC server"),
            (b"-ERR unknown command", "a Redis server"),
            (b"RFB 003.008\n", "a VNC server"),
            (b"\xff\xfd\x18", "a telnet server"),
            (b"J\0\0\0\n8.0.36\0", "a MySQL server"),
        ] {
            let mut first = FirstBytes::default();
            assert!(first.is_silent() && first.kind().is_none());
            for byte in bytes.iter().chain(&[b'x'; 200]) {
                first.take(&[*byte]);
            }
            assert_eq!(first.kind(), Some(kind));
        }
        let mut other = FirstBytes::default();
        other.take(b"5         hello");
        assert_eq!(other.kind(), None);
    }

    #[test]
    fn the_advice_fits_where_it_answers() {
        let error_at = |address: &str| no_chat_server(address, Some("an HTTP server"), None);
        for here in ["127.0.0.1:1234", "localhost:1234", "[::1]:1234"] {
            assert!(error_at(here).contains("is no chat server but an HTTP server"), "{}", error_at(here));
            assert!(error_at(here).ends_with("`glassline --listen 127.0.0.1:1235`"), "{}", error_at(here));
        }
        assert!(error_at("127.0.0.1:65535").contains(":65534"));
        assert!(error_at("192.0.2.7:1234").ends_with("check the address and the port"));
    }
}
