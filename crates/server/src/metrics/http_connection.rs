//! One HTTP connection: a request is read, answered, and the connection closed; nothing waits.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::http_head::{self, Parsed};
use crate::metrics::pages::{Page, Response};

/// Longest head of a request: a scraper's has a few hundred bytes.
const HEAD_BYTES_MAX: usize = 4 * 1024;
/// Time for a head to arrive: a scraper sends it at once.
const HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// Time from the request to the end of the answer, in any case.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// Time after the answer for the other side to close first, so that what it still sends does not
/// take the answer away.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);
/// Bytes read and dropped in that time.
const FAREWELL_BYTES_MAX: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct HttpConnection {
    stream: TcpStream,
    serial: u64,
    accepted: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Vec<u8>),
    /// The requested page has to be rendered.
    Asked(Page),
    Reply {
        bytes: Vec<u8>,
        sent_bytes: usize,
        until: Instant,
    },
    /// Answered; further input is dropped.
    Farewell {
        dropped_bytes: usize,
        until: Instant,
    },
}

impl HttpConnection {
    pub(super) fn new(stream: TcpStream, serial: u64, now: Instant) -> Self {
        Self { stream, serial, accepted: now, state: State::Head(Vec::new()) }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(super) fn page(&self) -> Option<Page> {
        if let State::Asked(page) = self.state { Some(page) } else { None }
    }

    /// Time at which it is closed in any case; `None` while the page is rendered.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Head(_) => Some(self.accepted + HEAD_TIMEOUT),
            State::Asked(_) => None,
            State::Reply { until, .. } | State::Farewell { until, .. } => Some(until),
        }
    }

    /// Order in which connections are closed to make room: those without a request, then
    /// those that were answered, the oldest first; none whose page is being rendered.
    pub(super) fn rank(&self) -> Option<(u8, u64)> {
        match self.state {
            State::Head(_) => Some((0, self.serial)),
            State::Farewell { .. } => Some((1, self.serial)),
            State::Reply { .. } => Some((2, self.serial)),
            State::Asked(_) => None,
        }
    }

    pub(super) fn reply(&mut self, response: &Response, now: Instant) {
        self.state = State::Reply { bytes: response.to_bytes(), sent_bytes: 0, until: now + REPLY_TIMEOUT };
    }

    /// Proceeds as far as possible without blocking. False once the connection is over.
    pub(super) fn advance(&mut self, now: Instant) -> io::Result<bool> {
        loop {
            let stepped = match self.state {
                State::Asked(_) => return Ok(true),
                State::Head(_) => self.read_head(now),
                State::Reply { .. } => self.write(now),
                State::Farewell { .. } => self.drop_input(),
            };
            match stepped {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(true) => {}
                Ok(false) => return Ok(false),
            }
        }
    }

    fn read_head(&mut self, now: Instant) -> io::Result<bool> {
        let State::Head(head) = &mut self.state else { return Ok(true) };
        let mut buffer = [0; HEAD_BYTES_MAX];
        let bytes = self.stream.read(&mut buffer[..HEAD_BYTES_MAX - head.len()])?;
        if bytes == 0 {
            return Ok(false);
        }
        head.extend_from_slice(&buffer[..bytes]);
        match asked(head) {
            Asked::Incomplete => {}
            Asked::Page(page) => self.state = State::Asked(page),
            Asked::Bad(response) => self.reply(&response, now),
        }
        Ok(true)
    }

    fn write(&mut self, now: Instant) -> io::Result<bool> {
        let State::Reply { bytes, sent_bytes, .. } = &mut self.state else { return Ok(true) };
        *sent_bytes += self.stream.write(&bytes[*sent_bytes..])?;
        if *sent_bytes == bytes.len() {
            self.stream.shutdown(Shutdown::Write)?;
            // Bytes left unread would turn the close into a reset.
            self.state = State::Farewell { dropped_bytes: 0, until: now + FAREWELL_TIMEOUT };
        }
        Ok(true)
    }

    fn drop_input(&mut self) -> io::Result<bool> {
        let State::Farewell { dropped_bytes, .. } = &mut self.state else { return Ok(true) };
        let bytes = self.stream.read(&mut [0; HEAD_BYTES_MAX])?;
        *dropped_bytes += bytes;
        Ok(bytes > 0 && *dropped_bytes <= FAREWELL_BYTES_MAX)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Incomplete,
    Page(Page),
    Bad(Response),
}

fn asked(head: &[u8]) -> Asked {
    match http_head::parse(head, HEAD_BYTES_MAX, |request| Page::of(request.method, request.path())) {
        Parsed::Incomplete => Asked::Incomplete,
        Parsed::TooLong => {
            Asked::Bad(Response::error("431 Request Header Fields Too Large", "this request is too long"))
        }
        Parsed::Malformed => Asked::Bad(Response::error("400 Bad Request", "this is no request in HTTP/1")),
        Parsed::Request(page, _) => page.map_or_else(Asked::Bad, Asked::Page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_requests_are_answered_with_their_fault() {
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(65));
        let long = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
        for (request, status) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], "404"),
            (b"GET /metrics/ HTTP/1.1\r\n\r\n", "404"),
            (b"get /metrics HTTP/1.1\r\n\r\n", "405"),
            (b"POST /metrics HTTP/1.0\r\n\r\n", "405"),
            (b"HEAD /healthz HTTP/1.1\r\n\r\n", "405"),
            (b"GET /metrics\r\n\r\n", "400"),
            (b"GET  /metrics HTTP/1.1\r\n\r\n", "400"),
            (b"GET /metrics HTTP/2.0\r\n\r\n", "400"),
            (b"\xff\x00 \xff \xff\r\n\r\n", "400"),
            (many.as_bytes(), "431"),
            (long.as_bytes(), "431"),
        ] {
            let answer = asked(request);
            let Asked::Bad(response) = &answer else { panic!("{:?}: {answer:?}", request.escape_ascii().to_string()) };
            assert!(response.status().starts_with(status), "{:?}: {answer:?}", request.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_request_counts_once_it_is_whole() {
        let request = b"\r\nGET /healthz?probe=1 HTTP/1.1\r\nHost: x\r\n\r\n";
        for bytes in 0..request.len() {
            assert_eq!(asked(&request[..bytes]), Asked::Incomplete, "{bytes} bytes");
        }
        assert_eq!(asked(request), Asked::Page(Page::Health));
        assert_eq!(asked(b"GET /metrics HTTP/1.0\n\n"), Asked::Page(Page::Metrics));
    }
}
