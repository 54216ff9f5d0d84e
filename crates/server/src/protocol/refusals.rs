//! Answers to peers whose opening is refused, in a form that they understand (D).

use std::net::SocketAddr;

use glassline_hub::Dialect;
use glassline_wire::event::{ErrorCode, Event, Rejection};
use glassline_wire::link::LinkKind;

use crate::links::Links;

/// Alert of TLS to a client that is offered no version (RFC 8446, 6.2).
const PROTOCOL_VERSION: u8 = 70;
/// Alert of TLS to a handshake that has no place here.
const UNEXPECTED_MESSAGE: u8 = 10;

/// The answer to HTTP: a page that explains how to join, and who can read what is said.
pub(crate) fn page(local: Option<SocketAddr>, links: &Links) -> Vec<u8> {
    let address = local.map_or_else(|| "ADDRESS:PORT".to_string(), |local| local.to_string());
    let plaintext =
        "No link to this server is encrypted: anyone on the way can read what is said, except in sealed rooms.";
    let (flags, readers) = match (links.required, links.recommended()) {
        (None | Some(LinkKind::Plaintext), None) => (String::new(), plaintext.to_string()),
        (Some(kind), _) => {
            (format!(" --link {kind}"), format!("This server takes connections over {} only.", kind.title()))
        }
        (None, Some(kind)) => (
            format!(" --link {kind}"),
            format!(
                "Over {} your way to this server is encrypted. Members may be here in plaintext: anyone on the way to them \
                 can read what they are sent, except in sealed rooms.",
                kind.title()
            ),
        ),
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Glassline</title>\n\
         <h1>This is a Glassline chat server</h1>\n\
         <p>It has no web page yet. To join the chat, run in a terminal:</p>\n\
         <pre>glassline join{flags} {address}</pre>\n\
         <p>{readers}</p>\n</html>\n"
    );
    let head = format!(
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: glassline/2\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        page.len()
    );
    (head + &page).into_bytes()
}

/// The answer to a link that this server does not take from its peers: to TLS a fatal alert, which
/// its library reports in its own words; to Noise a line to read.
pub(crate) fn link_not_taken(refused: LinkKind, links: &Links) -> Vec<u8> {
    match (refused, links.required) {
        (LinkKind::Tls, _) => alert(PROTOCOL_VERSION),
        (_, Some(required)) => format!("this server takes connections over {} only\n", required.title()).into_bytes(),
        (_, None) => {
            let instead = links.recommended().map_or("in plaintext", LinkKind::title);
            format!("this server does not speak {}; join it {instead}\n", refused.title()).into_bytes()
        }
    }
}

/// The answer to a link inside a link.
pub(crate) fn nested_link(refused: LinkKind) -> Vec<u8> {
    match refused {
        LinkKind::Tls => alert(UNEXPECTED_MESSAGE),
        _ => b"this connection is protected already; begin with GLASSLINE2, or with a name in a frame\n".to_vec(),
    }
}

/// The answer to anything but the event dialect inside a WebSocket.
pub(crate) fn not_in_websocket() -> Vec<u8> {
    let text = "a WebSocket carries the event dialect only: begin with GLASSLINE2";
    Dialect::Event.encode(&Event::Error(Rejection::new(ErrorCode::NotAnEvent, text)).into())
}

/// The answer to a dialect over a link that this server does not take.
pub(crate) fn link_required(dialect: Dialect, required: LinkKind) -> Vec<u8> {
    let text = format!(
        "this server takes connections over {} only; connect over {0}, as `glassline join --link {required}` does",
        required.title()
    );
    dialect.encode(&match dialect {
        Dialect::Event => Event::Error(Rejection::new(ErrorCode::LinkRequired, text)).into(),
        Dialect::Tutorial => Event::notice(text).into(),
    })
}

/// Record of TLS with a fatal alert.
fn alert(description: u8) -> Vec<u8> {
    vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, description]
}
