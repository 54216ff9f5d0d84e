//! The request that opens a WebSocket (RFC 6455, 4.2).

use base64ct::{Base64, Encoding as _};
use sha1_smol::Sha1;

use super::host::is_same_origin;
use super::response::{Reply, Response, switching_protocols};
use crate::http_head::RequestHead;

/// Appended to the key before its digest.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY_BYTES: usize = 16;
const VERSION: &str = "13";
/// SHA-1 in base64.
const ACCEPT_BYTES: usize = 28;

/// Answers a request for a WebSocket whose `Host` line is one of this server.
pub(super) fn answer(request: &RequestHead<'_>, scheme: &str, host: &str) -> Reply {
    let is_upgrade = request.lists("Connection", "upgrade") && request.lists("Upgrade", "websocket");
    if !is_upgrade || request.is_version_1_0 || request.method != "GET" {
        let text = "this address is for WebSockets; the chat's page is at /";
        return Reply::Response(Response::of_text("426 Upgrade Required", text).with_line("Upgrade", "websocket"));
    }
    // Browsers always send an origin: without one, the client is no page.
    let origin = request.only_value("Origin").map(|origin| origin.map(std::str::from_utf8));
    if !matches!(origin, Ok(None)) && !matches!(origin, Ok(Some(Ok(origin))) if is_same_origin(origin, scheme, host)) {
        return Reply::Rejection(Response::rejection(
            "403 Forbidden",
            "a page of another site opens no WebSocket here",
        ));
    }
    if !matches!(request.only_value("Sec-WebSocket-Version"), Ok(Some(version)) if version == VERSION.as_bytes()) {
        let rejection = Response::rejection("426 Upgrade Required", "this server speaks version 13 of WebSocket");
        let rejection = rejection.with_line("Upgrade", "websocket").with_line("Sec-WebSocket-Version", VERSION);
        return Reply::Rejection(rejection);
    }
    let key = request.only_value("Sec-WebSocket-Key").ok().flatten().and_then(|key| std::str::from_utf8(key).ok());
    let Some(accept) = key.and_then(accept_value) else {
        let text = "Sec-WebSocket-Key is not 16 bytes in base64";
        return Reply::Rejection(Response::rejection("400 Bad Request", text));
    };
    let lines = format!("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n");
    Reply::WebSocket(switching_protocols(&lines))
}

/// Returns the answer to a key; `None` where it is no key.
fn accept_value(key: &str) -> Option<String> {
    let mut decoded = [0; KEY_BYTES];
    Base64::decode(key, &mut decoded).ok().filter(|bytes| bytes.len() == KEY_BYTES)?;
    let digest = Sha1::from(format!("{key}{GUID}")).digest().bytes();
    let mut accept = [0; ACCEPT_BYTES];
    Base64::encode(&digest, &mut accept).ok().map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_has_its_answer() {
        assert_eq!(accept_value("dGhlIHNhbXBsZSBub25jZQ==").as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        for key in ["", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "!!!!IHNhbXBsZSBub25jZQ=="] {
            assert_eq!(accept_value(key), None, "{key}");
        }
    }
}
