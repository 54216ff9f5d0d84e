//! Answers to peers that use an unsupported protocol (D).

use std::net::SocketAddr;

/// The answer to HTTP: a page that explains how to join.
pub(crate) fn page(local: Option<SocketAddr>) -> Vec<u8> {
    let address = local.map_or_else(|| "ADDRESS:PORT".to_string(), |local| local.to_string());
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Glassline</title>\n\
         <h1>This is a Glassline chat server</h1>\n\
         <p>It has no web page yet. To join the chat, run in a terminal:</p>\n\
         <pre>glassline join {address}</pre>\n\
         <p>Everything said here travels as plain text: anyone on the way can read it.</p>\n</html>\n"
    );
    let head = format!(
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: glassline/2\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        page.len()
    );
    (head + &page).into_bytes()
}

/// The answer to TLS: a fatal alert, `protocol_version` (RFC 8446, 6.2), which its library reports
/// in its own words.
pub(crate) fn tls() -> Vec<u8> {
    vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 70]
}

/// The answer to Noise: a line to read.
pub(crate) fn noise() -> Vec<u8> {
    b"this server does not speak Noise; join it in plaintext\n".to_vec()
}
