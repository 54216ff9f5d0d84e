//! Heads of HTTP requests, read within bounds.

/// Most header lines of a request.
const HEADERS_MAX: usize = 64;

/// Result of reading the bytes of a request that have arrived.
#[derive(Debug)]
pub(crate) enum Parsed<T> {
    /// More bytes are needed.
    Incomplete,
    /// The head is longer than the limit, or has too many lines.
    TooLong,
    /// It is no request of HTTP/1.
    Malformed,
    /// Result of the reader, and the length of the head in bytes.
    Request(T, usize),
}

/// Head of a request.
#[derive(Debug)]
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a str,
    /// Target as it was sent, with its query.
    pub(crate) target: &'a str,
    /// HTTP/1.0, whose connections end with their answer.
    pub(crate) is_version_1_0: bool,
    headers: &'a [httparse::Header<'a>],
}

impl<'a> RequestHead<'a> {
    /// Target without its query.
    pub(crate) fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Values of all lines with this name, in their order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
    }

    /// Value of the only line with this name; an error where there are several.
    pub(crate) fn only_value(&self, name: &str) -> Result<Option<&'a [u8]>, Repeated> {
        let mut values = self.values(name);
        let first = values.next();
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// Returns whether a line with this name lists this token, in any case (RFC 9110, 5.6.1).
    pub(crate) fn lists(&self, name: &str, token: &str) -> bool {
        let listed = self.values(name).flat_map(|value| value.split(|&byte| byte == b','));
        listed.into_iter().any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// A header line that may stand once stands there several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated;

/// Reads the head of a request of at most `bytes_max` bytes from the start of `bytes`.
pub(crate) fn parse<T>(bytes: &[u8], bytes_max: usize, read: impl FnOnce(&RequestHead<'_>) -> T) -> Parsed<T> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() >= bytes_max => Parsed::TooLong,
        Ok(httparse::Status::Complete(head_bytes)) if head_bytes > bytes_max => Parsed::TooLong,
        Ok(httparse::Status::Partial) => Parsed::Incomplete,
        Err(httparse::Error::TooManyHeaders) => Parsed::TooLong,
        Err(_) => Parsed::Malformed,
        Ok(httparse::Status::Complete(head_bytes)) => {
            let head = RequestHead {
                method: request.method.unwrap_or_default(),
                target: request.path.unwrap_or_default(),
                is_version_1_0: request.version == Some(0),
                headers: request.headers,
            };
            Parsed::Request(read(&head), head_bytes)
        }
    }
}
