//! The first bytes of a connection, and the dialect that they select (D).

/// The first ten bytes of the event dialect: one header long, and no header.
pub const EVENT_OPENING: &[u8; 10] = b"GLASSLINE2";
/// The first ten bytes of a Noise link.
pub const NOISE_OPENING: &[u8; 10] = b"GLASSNOISE";
const TLS_OPENING: &[u8] = &[0x16, 0x03];
const HTTP_OPENINGS: [&[u8]; 9] =
    [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE ", b"CONNECT "];

/// Dialect that the first bytes of a connection select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Frames from the first byte on.
    Tutorial,
    /// `GLASSLINE2`, then frames of JSON.
    Event,
    /// `GLASSNOISE`: a Noise handshake follows.
    Noise,
    /// A TLS handshake record.
    Tls,
    /// An HTTP request line.
    Http,
}

/// Result of sniffing the bytes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffed {
    /// They decide.
    Is(Opening),
    /// They are the start of several openings, or of an incomplete one (D1).
    NeedsMore,
    /// No opening starts like this.
    Unknown,
}

/// Looks at the first bytes of a connection; never asks for more than the shortest prefix that decides (D1).
pub fn sniff(first_bytes: &[u8]) -> Sniffed {
    match first_bytes.first() {
        None => return Sniffed::NeedsMore,
        Some(b'0'..=b'9' | b' ') => return Sniffed::Is(Opening::Tutorial),
        Some(_) => {}
    }
    let known = [
        (EVENT_OPENING.as_slice(), Opening::Event),
        (NOISE_OPENING.as_slice(), Opening::Noise),
        (TLS_OPENING, Opening::Tls),
    ];
    let openings = known.into_iter().chain(HTTP_OPENINGS.map(|method| (method, Opening::Http)));
    let mut sniffed = Sniffed::Unknown;
    for (prefix, opening) in openings {
        if first_bytes.starts_with(prefix) {
            return Sniffed::Is(opening);
        }
        if prefix.starts_with(first_bytes) {
            sniffed = Sniffed::NeedsMore;
        }
    }
    sniffed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_opening_is_known_by_its_shortest_prefix() {
        let cases: [(&[u8], Opening); 8] = [
            (b"5", Opening::Tutorial),
            (b" ", Opening::Tutorial),
            (b"GLASSLINE2", Opening::Event),
            (b"GLASSNOISE", Opening::Noise),
            (&[0x16, 0x03], Opening::Tls),
            (b"GET ", Opening::Http),
            (b"POST ", Opening::Http),
            (b"CONNECT ", Opening::Http),
        ];
        for (bytes, opening) in cases {
            assert_eq!(sniff(bytes), Sniffed::Is(opening));
            for end in 0..bytes.len() {
                assert_eq!(sniff(&bytes[..end]), Sniffed::NeedsMore, "{:?}", &bytes[..end]);
            }
        }
    }

    #[test]
    fn what_no_opening_starts_with_is_unknown_at_once() {
        for bytes in [b"x".as_slice(), b"GLASSLINE3", b"GLASSX", b"-", &[0x16, 0x02], &[0], b"get ", b"SSH-2.0"] {
            assert_eq!(sniff(bytes), Sniffed::Unknown, "{bytes:?}");
        }
    }
}
