//! Heads of HTTP requests and responses: how long they are, what body follows, and which exchange
//! turns the connection into a WebSocket.

/// Longest head that is looked for, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Fields of a head that are read.
const FIELDS_MAX: usize = 64;
/// Status of a server that agrees to another protocol.
const SWITCHING_PROTOCOLS: u16 = 101;

/// Request whose response has not arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Its response has no body, whatever it says.
    Head,
    /// It asks for a WebSocket.
    Upgrade,
    Other,
}

/// Body that follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Bytes(u64),
    /// Everything that comes: its end is not looked for.
    Endless,
}

/// Result of looking for a head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// One of so many bytes.
    Whole(T, usize),
    /// More bytes are needed.
    Incomplete,
    /// There is none.
    Malformed,
}

/// Head of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    is_upgrade: bool,
    body: Body,
}

/// Looks for the head of a request at the start of `bytes`.
pub(super) fn request(bytes: &[u8]) -> Found<(Request, Body)> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    found(request.parse(bytes), bytes, || {
        let is_upgrade = has(request.headers, "upgrade", "websocket");
        let kind = match request.method {
            Some("HEAD") => Request::Head,
            Some("GET") if is_upgrade => Request::Upgrade,
            _ => Request::Other,
        };
        (kind, body(request.headers).unwrap_or(Body::Bytes(0)))
    })
}

/// Looks for the head of a response at the start of `bytes`.
pub(super) fn response(bytes: &[u8]) -> Found<Response> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    found(response.parse(bytes), bytes, || {
        let status = response.code.unwrap_or_default();
        let is_upgrade = status == SWITCHING_PROTOCOLS && has(response.headers, "upgrade", "websocket");
        Response { status, is_upgrade, body: body(response.headers).unwrap_or(Body::Endless) }
    })
}

impl Response {
    /// Returns whether it is not the final one.
    pub(super) fn is_interim(self) -> bool {
        (100..200).contains(&self.status) && self.status != SWITCHING_PROTOCOLS
    }

    /// Returns whether it begins the WebSocket that this request asks for.
    pub(super) fn opens_websocket(self, request: Request) -> bool {
        self.is_upgrade && request == Request::Upgrade
    }

    /// Returns the body that follows it as the response to this request.
    pub(super) fn body(self, request: Request) -> Body {
        let has_none = request == Request::Head || matches!(self.status, 100..200 | 204 | 304);
        if has_none { Body::Bytes(0) } else { self.body }
    }
}

fn found<T>(parsed: httparse::Result<usize>, bytes: &[u8], read: impl FnOnce() -> T) -> Found<T> {
    match parsed {
        Ok(httparse::Status::Complete(length)) => Found::Whole(read(), length),
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES_MAX => Found::Incomplete,
        Ok(httparse::Status::Partial) | Err(_) => Found::Malformed,
    }
}

fn value<'a>(fields: &[httparse::Header<'a>], name: &str) -> Option<&'a [u8]> {
    fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

fn has(fields: &[httparse::Header<'_>], name: &str, wanted: &str) -> bool {
    value(fields, name).is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Returns the body that the fields announce, if they do.
fn body(fields: &[httparse::Header<'_>]) -> Option<Body> {
    if value(fields, "transfer-encoding").is_some() {
        return Some(Body::Endless);
    }
    let length = value(fields, "content-length")?;
    let length = std::str::from_utf8(length.trim_ascii()).ok().and_then(|length| length.parse().ok());
    Some(length.map_or(Body::Endless, Body::Bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        let page = b"GET / HTTP/1.1\r\nHost: here\r\n\r\nGET /main.js";
        assert_eq!(request(page), Found::Whole((Request::Other, Body::Bytes(0)), 30));
        assert_eq!(request(&page[..29]), Found::Incomplete);
        let upgrade =
            b"GET /ws HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\r\n";
        assert_eq!(request(upgrade), Found::Whole((Request::Upgrade, Body::Bytes(0)), upgrade.len()));
        let post = b"POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(request(post), Found::Whole((Request::Other, Body::Bytes(12)), post.len()));
        assert_eq!(request(b"GET / HTTP/1.1\r\nno field\r\n\r\n"), Found::Malformed);
        let endless = [&b"GET / HTTP/1.1\r\na: "[..], &[b'x'; HEAD_BYTES_MAX]].concat();
        assert_eq!(request(&endless), Found::Malformed);
    }

    #[test]
    fn the_body_of_a_response_depends_on_its_request() {
        let body = |head: &str, request| match response(head.as_bytes()) {
            Found::Whole(response, length) if length == head.len() => response.body(request),
            other => panic!("{other:?}"),
        };
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(body(page, Request::Other), Body::Bytes(9));
        assert_eq!(body(page, Request::Head), Body::Bytes(0));
        assert_eq!(body("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Request::Other), Body::Bytes(0));
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\n", Request::Other), Body::Endless);
        assert_eq!(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Request::Other), Body::Endless);
    }

    #[test]
    fn only_an_agreed_upgrade_opens_a_websocket() {
        let switches = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        for (head, request, opens) in [
            (switches, Request::Upgrade, true),
            (switches, Request::Other, false),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", Request::Upgrade, false),
            ("HTTP/1.1 403 Forbidden\r\nUpgrade: websocket\r\n\r\n", Request::Upgrade, false),
        ] {
            let Found::Whole(response, _) = response(head.as_bytes()) else { panic!("a head") };
            assert_eq!(response.opens_websocket(request), opens, "{head:?}");
        }
    }
}
