//! Answers of HTTP as bytes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Lines of every answer: the page loads nothing from elsewhere, is shown in no frame, and tells
/// nobody where it is.
const SECURITY_LINES: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
                              img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                              frame-ancestors 'none'; require-trusted-types-for 'script'\r\n\
                              X-Content-Type-Options: nosniff\r\n\
                              Referrer-Policy: no-referrer\r\n";

/// Answer to a request.
#[derive(Debug)]
pub(crate) struct Response {
    status: &'static str,
    content_type: &'static str,
    body: Cow<'static, [u8]>,
    /// Further header lines, each with its end.
    lines: String,
    /// The connection ends with it.
    is_last: bool,
}

impl Response {
    /// Returns an answer with this content.
    pub(super) fn of_content(content_type: &'static str, content: &'static [u8]) -> Self {
        let (status, lines) = ("200 OK", String::new());
        Self { status, content_type, body: Cow::Borrowed(content), lines, is_last: false }
    }

    /// Returns an answer that is a line of text.
    pub(super) fn of_text(status: &'static str, text: &str) -> Self {
        let body = Cow::Owned(format!("{text}\n").into_bytes());
        Self { status, content_type: "text/plain; charset=utf-8", body, lines: String::new(), is_last: false }
    }

    /// Returns the answer to a client that has the content already.
    pub(super) fn not_modified() -> Self {
        Self { content_type: "", ..Self::of_content("", &[]) }.with_status("304 Not Modified")
    }

    /// Returns the answer to a request that is not served; the connection ends with it.
    pub(crate) fn rejection(status: &'static str, text: &str) -> Self {
        Self::of_text(status, text).into_last()
    }

    fn with_status(self, status: &'static str) -> Self {
        Self { status, ..self }
    }

    pub(super) fn with_line(mut self, name: &str, value: &str) -> Self {
        // Writing to a string does not fail.
        let _ = write!(self.lines, "{name}: {value}\r\n");
        self
    }

    pub(super) fn into_last(self) -> Self {
        Self { is_last: true, ..self }
    }

    /// Returns whether the connection ends with it.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Status and reason, such as `404 Not Found`.
    pub(crate) fn status(&self) -> &'static str {
        self.status
    }

    /// Returns the bytes, without the content where only the head was asked for.
    pub(crate) fn to_bytes(&self, is_head_only: bool) -> Vec<u8> {
        let Self { status, content_type, body, lines, is_last } = self;
        let mut head = format!("HTTP/1.1 {status}\r\n{SECURITY_LINES}{lines}");
        if !content_type.is_empty() {
            let _ = write!(head, "Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
        }
        head.push_str(if *is_last { "Connection: close\r\n\r\n" } else { "\r\n" });
        let mut bytes = head.into_bytes();
        if !is_head_only {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

/// Returns the bytes of an answer after which HTTP ends; `lines` are further header lines.
pub(super) fn switching_protocols(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 101 Switching Protocols\r\n{SECURITY_LINES}{lines}\r\n").into_bytes()
}
