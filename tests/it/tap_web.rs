//! `glassline tap` between the WebSocket of a browser and the server, in plaintext and within TLS.

use glassline_wire::link::LinkKind;

use crate::harness::{LinkClient, ServerProcess, Wire, frame, websocket_answers};
use crate::tap::Tap;

/// Bytes of each message: no frame ends where one does.
const MESSAGE_BYTES: usize = 50;

/// Returns everything that is sent to a member that comes in over a WebSocket, says something, and
/// leaves.
fn talk(wire: Wire, host: &str, scheme: &str) -> String {
    let id = "0123456789abcdef".repeat(2);
    let requests = [
        r#"{"type":"hello","name":"eve"}"#.to_owned(),
        format!(r#"{{"type":"send","room":"lobby","text":"meet me at noon","id":"{id}"}}"#),
        r#"{"type":"bye"}"#.to_owned(),
    ];
    let frames: Vec<u8> = requests.into_iter().flat_map(frame).collect();
    let content = [b"GLASSLINE2", &frames[..]].concat();
    let origin = format!("{scheme}://{host}");
    let sent = websocket_answers(wire, (host, &origin), &content, MESSAGE_BYTES, [0x37, 0xfa, 0x21, 0x3d]);
    String::from_utf8_lossy(&sent).into_owned()
}

#[test]
fn the_frames_of_a_websocket_are_shown_and_changed() {
    let server = ServerProcess::serve(&["--history", "none"]);
    let rule = r#"edit to=server text~noon replace.text="noon=>midnight""#;
    let tap = Tap::start(server.address, &["--json", "--intercept", "--rule", rule]);
    let (host, tls) = (tap.address.to_string(), LinkClient::new(LinkKind::Tls, None));
    for (wire, scheme) in [(Wire::connect(tap.address), "http"), (tls.connect(tap.address), "https")] {
        let sent = talk(wire, &host, scheme);
        assert!(sent.contains(r#""text":"meet me at midnight""#), "{scheme}: {sent}");
        let head = tap.observe(|seen| seen["kind"] == "http" && seen["direction"] == "to_server");
        assert_eq!((&head["content"]["line"], &head["frame"]), (&"GET /ws HTTP/1.1".into(), &1.into()));
        let hello = tap.observe(|seen| seen["content"]["type"] == "hello");
        assert_eq!((&hello["dialect"], &hello["websocket"]), (&"event".into(), &true.into()));
        let said = tap.observe(|seen| seen["content"]["text"] == "meet me at noon");
        assert_eq!((&said["speaker"], &said["direction"]), (&"eve".into(), &"to_server".into()));
        let close = tap.observe(|seen| seen["kind"] == "control");
        assert_eq!((&close["content"]["type"], &close["content"]["code"]), (&"ws_close".into(), &1_000.into()));
    }
}
