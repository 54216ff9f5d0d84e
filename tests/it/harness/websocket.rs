//! Bytes of a WebSocket's client, written by hand from RFC 6455.

use super::Wire;

/// Returns everything that the server sends to a client that asks for a WebSocket, sends this content
/// in messages of at most `message_bytes` (below 126) with this mask, and waits for the end.
pub(crate) fn websocket_answers(
    mut wire: Wire,
    (host, origin): (&str, &str),
    content: &[u8],
    message_bytes: usize,
    mask: [u8; 4],
) -> Vec<u8> {
    wire.send(format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ));
    for message in content.chunks(message_bytes) {
        let header = [&[0x82, 0x80 | message.len() as u8][..], &mask].concat();
        let masked = message.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        wire.send(header.into_iter().chain(masked).collect::<Vec<u8>>());
    }
    wire.rest()
}
