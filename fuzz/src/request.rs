//! Requests of HTTP: any bytes get one whole answer of known form or none, whatever their slicing,
//! and only one of this server's names opens a WebSocket.
#![no_main]

use glassline_server::TestSession;
use libfuzzer_sys::fuzz_target;

/// First line of the answer to a connection's first request; `None` where there is none.
fn answer<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Option<String> {
    let mut session = TestSession::new(false);
    for piece in pieces {
        if !session.take(piece) || !session.output().is_empty() {
            break;
        }
    }
    let output = String::from_utf8_lossy(session.output()).into_owned();
    session.check();
    (!output.is_empty()).then(|| {
        let (head, _) = output.split_once("\r\n\r\n").expect("a whole head");
        let status = head.lines().next().expect("a status");
        assert!(head.contains("Content-Security-Policy: ") && status.starts_with("HTTP/1.1 "), "{head}");
        status.to_string()
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&step, rest)) = bytes.split_first() else { return };
    let request = [b"GET /", rest].concat();
    let whole = answer(std::iter::once(&request[..]));
    assert_eq!(whole, answer(request.chunks(1 + usize::from(step))));
    if whole.is_some_and(|answer| answer.starts_with("HTTP/1.1 101 ")) {
        let head = String::from_utf8_lossy(&request).to_lowercase();
        assert!(head.contains("host:") && head.contains("sec-websocket-key:"), "{head}");
    }
});
