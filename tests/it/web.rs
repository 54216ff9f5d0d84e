//! The page and its WebSocket as users have them: flags, greeting, links.

use glassline_wire::link::LinkKind;

use crate::harness::{EventClient, LinkClient, ServerProcess, Wire, frame, websocket_answers};
use crate::program::{Folder, PROGRAM, command, run};

/// Close frame of a server, without a reason.
const CLOSED: &[u8] = b"\x88\x02\x03\xe8";

fn serve(arguments: &[&str]) -> ServerProcess {
    ServerProcess::serve(&[&["--history", "none"], arguments].concat())
}

/// Answer to a request for a path, after which the connection ends.
fn get(mut wire: Wire, host: &str, path: &str) -> String {
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    String::from_utf8(wire.rest()).expect("text")
}

/// Everything that is sent to a member that comes in over a WebSocket and leaves at once.
fn visit(wire: Wire, host: &str, origin: &str) -> Vec<u8> {
    let requests = [frame(r#"{"type":"hello","name":"guest"}"#), frame(r#"{"type":"bye"}"#)].concat();
    let content = [b"GLASSLINE2", &requests[..]].concat();
    websocket_answers(wire, (host, origin), &content, content.len(), [0; 4])
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

#[test]
fn a_browser_is_served_where_everybody_is() {
    let server = serve(&[]);
    let mut bob = EventClient::join(server.address, "bob");
    let host = server.address.to_string();
    let page = get(Wire::connect(server.address), &host, "/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("<!doctype html>"), "{page}");
    let sent = visit(Wire::connect(server.address), &host, &format!("http://{host}"));
    assert!(sent.starts_with(b"HTTP/1.1 101 ") && contains(&sent, r#""type":"welcome""#), "{sent:?}");
    assert!(sent.ends_with(CLOSED), "{sent:?}");
    assert_eq!(bob.expect("joined")["names"], serde_json::json!(["guest"]));
    bob.expect("left");
    let ended = server.stop();
    assert!(ended.stderr.contains(&format!("in a browser: http://{host}\n")), "{ended:?}");
}

#[test]
fn foreign_pages_and_names_get_nothing() {
    let server = serve(&["--web-name", "chat.example.org"]);
    let connect = || Wire::connect(server.address);
    for (host, status) in [
        ("evil.example", "421"),
        ("CHAT.example.org:81", "200"),
        ("localhost", "200"),
        ("[::1]:9", "200"),
        ("chat.example.org.evil.example", "421"),
    ] {
        let answer = get(connect(), host, "/");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
    for (host, origin, status) in [
        ("localhost:1", "http://localhost:1", "101"),
        ("localhost:1", "http://evil.example", "403"),
        ("localhost:1", "https://localhost:1", "403"),
        ("rebound.example", "http://rebound.example", "421"),
    ] {
        let answer = visit(connect(), host, origin);
        assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{host} {origin}");
    }
}

#[test]
fn the_page_is_served_over_tls() {
    let server = serve(&["--require", "tls"]);
    let host = server.address.to_string();
    let redirect = get(Wire::connect(server.address), &host, "/?x");
    assert!(redirect.starts_with("HTTP/1.1 308 "), "{redirect}");
    assert!(redirect.contains(&format!("\r\nLocation: https://{host}/?x\r\n")), "{redirect}");
    let tls = LinkClient::new(LinkKind::Tls, None);
    let page = get(tls.connect(server.address), &host, "/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    let sent = visit(tls.connect(server.address), &host, &format!("https://{host}"));
    assert!(contains(&sent, r#""type":"welcome""#) && sent.ends_with(CLOSED), "{sent:?}");
    let foreign = visit(tls.connect(server.address), &host, &format!("http://{host}"));
    assert!(foreign.starts_with(b"HTTP/1.1 403 "));
    let ended = server.stop();
    assert!(ended.stderr.contains(&format!("in a browser: https://{host}\n")), "{ended:?}");
}

#[test]
fn without_a_page_the_terminal_is_explained() {
    for (arguments, answer) in [(&["--no-web"][..], "HTTP/1.1 426 "), (&["--require", "noise"], "HTTP/1.1 426 ")] {
        let server = serve(arguments);
        let page = get(Wire::connect(server.address), "localhost", "/");
        assert!(page.starts_with(answer) && page.contains("glassline join"), "{page}");
        assert!(!server.stop().stderr.contains("in a browser"), "{arguments:?}");
    }
    let pure = ServerProcess::serve(&["--pure"]);
    assert_eq!(get(Wire::connect(pure.address), "localhost", "/"), "");
    assert!(!pure.stop().stderr.contains("in a browser"));
}

#[test]
fn a_name_for_browsers_is_a_host_name() {
    let ended = ServerProcess::ended(&["--web-name", "http://chat.example.org:1234"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("chat.example.org; ports do not matter"), "{ended:?}");
}

#[test]
fn a_host_shows_the_address_of_its_page_unless_it_has_none() {
    const FILE: &str = ".config/glassline/config.toml";
    let home = Folder::new();
    let host = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut host = command(PROGRAM, &home);
        host.args(["--listen", "127.0.0.1:0", "--history", "none", "--name", "host"]);
        host.args(arguments).envs(variables.iter().copied());
        run(host)
    };
    let is_shown = |arguments: &[&str], variables: &[(&str, &str)]| {
        let ended = host(arguments, variables);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stderr.contains("in a browser: http://127.0.0.1:")
    };
    assert!(is_shown(&[], &[]));
    assert!(!is_shown(&["--no-web"], &[]) && !is_shown(&[], &[("GLASSLINE_WEB", "off")]));
    home.write(FILE, "web = false\nweb_names = [\"chat.example.org\"]\n");
    assert!(!is_shown(&[], &[]) && is_shown(&[], &[("GLASSLINE_WEB", "on")]));
    home.write(FILE, "web_names = [\"chat.example.org:1234\"]\n");
    let ended = host(&[], &[]);
    assert!(ended.code == Some(2) && ended.stderr.contains("a list of host names"), "{ended:?}");
}
