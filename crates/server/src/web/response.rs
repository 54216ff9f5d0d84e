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

/// Reply to a request.
#[derive(Debug)]
pub(crate) enum Reply {
    Response(Response),
    /// Answer to a request that is not served: the connection ends, and the log has it.
    Rejection(Response),
    /// Answer with which a WebSocket begins.
    WebSocket(Vec<u8>),
}

/// Answer to a request.
#[derive(Debug)]
pub(crate) struct Response {
    status: &'static str,
    content: Option<Content>,
    /// Further header lines, each with its end.
    lines: String,
    /// The connection ends with it.
    is_last: bool,
}

#[derive(Debug)]
struct Content {
    content_type: &'static str,
    bytes: Cow<'static, [u8]>,
}

impl Response {
    fn new(status: &'static str, content: Option<Content>) -> Self {
        Self { status, content, lines: String::new(), is_last: false }
    }

    /// Returns an answer with this content.
    pub(super) fn of_content(content_type: &'static str, bytes: &'static [u8]) -> Self {
        Self::new("200 OK", Some(Content { content_type, bytes: Cow::Borrowed(bytes) }))
    }

    /// Returns an answer that is a line of text.
    pub(super) fn of_text(status: &'static str, text: &str) -> Self {
        let bytes = Cow::Owned(format!("{text}\n").into_bytes());
        Self::new(status, Some(Content { content_type: "text/plain; charset=utf-8", bytes }))
    }

    /// Returns the answer to a client that has the content already.
    pub(super) fn not_modified() -> Self {
        Self::new("304 Not Modified", None)
    }

    /// Returns the answer to a request that is not served; the connection ends with it.
    pub(crate) fn rejection(status: &'static str, text: &str) -> Self {
        Self::of_text(status, text).into_last()
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
        let Self { status, content, lines, is_last } = self;
        let mut head = format!("HTTP/1.1 {status}\r\n{SECURITY_LINES}{lines}");
        if let Some(Content { content_type, bytes }) = content {
            let _ = write!(head, "Content-Type: {content_type}\r\nContent-Length: {}\r\n", bytes.len());
        }
        head.push_str(if *is_last { "Connection: close\r\n\r\n" } else { "\r\n" });
        let mut answer = head.into_bytes();
        if let Some(content) = content.as_ref().filter(|_| !is_head_only) {
            answer.extend_from_slice(&content.bytes);
        }
        answer
    }
}

/// Returns the bytes of an answer after which HTTP ends; `lines` are further header lines.
pub(super) fn switching_protocols(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 101 Switching Protocols\r\n{SECURITY_LINES}{lines}\r\n").into_bytes()
}
