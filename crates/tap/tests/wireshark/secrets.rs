//! Recordings of TLS with the secrets that decrypt them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::SystemTime;

use glassline_secure::tls::{Authorities, KeyLogSink, ServerCertificate, TlsClient, TlsClientOptions, TlsServer};
use glassline_tap::{Addresses, Direction, Interceptor, Recorder, Side};
use glassline_testkit::Folder;
use glassline_testkit::frame::frame;
use glassline_wire::layer::{LayerFactory, LayerStack};
use glassline_wire::link::LinkKind;

use crate::relay_fixture::RelayFixture;
use crate::secure_peer::{Pin, SecurePeer, ServerKeys, client_layers};
use crate::tools::{frames, has_tshark, tshark};

const AT_US: u64 = 1_764_429_300_000_000;

#[derive(Debug, Default)]
struct Lines(Mutex<String>);

impl KeyLogSink for Lines {
    fn line(&self, line: &str) {
        let mut lines = self.0.lock().expect("nobody has failed");
        lines.push_str(line);
        lines.push('\n');
    }
}

fn options(lines: Arc<Lines>) -> TlsClientOptions {
    TlsClientOptions {
        server_name: "localhost".into(),
        identity: None,
        trust: Arc::new(Pin(None)),
        authorities: Authorities::None,
        key_log: Some(lines),
        now: SystemTime::now,
    }
}

/// Packets of a TLS chat, and the secrets of its client.
fn chat() -> (Vec<(Direction, Vec<u8>)>, String) {
    let lines = Arc::new(Lines::default());
    let certificate = ServerCertificate::generate(&[], SystemTime::now()).expect("a certificate");
    let mut client = TlsClient::new(options(lines.clone())).expect("a client").layers();
    let mut server = TlsServer::new(&certificate).expect("a server").layers();
    let mut packets = Vec::new();
    while carry(Direction::ToServer, &mut client, &mut server, &mut packets)
        | carry(Direction::ToClient, &mut server, &mut client, &mut packets)
    {}
    // Several records in a packet, several frames in a record, and a frame in two records.
    let hello = frame(r#"{"type":"hello","name":"alice"}"#);
    let id = "0123456789abcdef".repeat(8);
    let said = frame(format!(r#"{{"type":"send","room":"lobby","id":"{id}","text":"meet me at noon"}}"#));
    for piece in [&b"GLASSLINE2"[..], &hello, &said[..20], &said[20..]] {
        assert_eq!(client.send(&[piece]), piece.len());
    }
    carry(Direction::ToServer, &mut client, &mut server, &mut packets);
    let welcome = frame(r#"{"type":"welcome","name":"alice"}"#);
    let message = frame(r#"{"type":"message","from":"alice","text":"meet me at noon"}"#);
    assert!(server.send(&[&welcome, &message]) > 0);
    assert!(server.send(&[&message]) > 0);
    carry(Direction::ToClient, &mut server, &mut client, &mut packets);
    client.close();
    carry(Direction::ToServer, &mut client, &mut server, &mut packets);
    let lines = lines.0.lock().expect("nobody has failed").clone();
    (packets, lines)
}

/// Carries what one side has put out to the other, as one packet. Returns whether there was any.
fn carry(
    direction: Direction,
    from: &mut LayerStack,
    to: &mut LayerStack,
    packets: &mut Vec<(Direction, Vec<u8>)>,
) -> bool {
    let bytes = from.output().to_vec();
    if bytes.is_empty() {
        return false;
    }
    from.consume_output(bytes.len());
    to.receive(&bytes, &mut Vec::new()).expect("a link");
    packets.push((direction, bytes));
    true
}

/// Records a chat on one side, with its secrets before this packet, counted from 0.
fn recorded(packet_of_secrets: usize) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let path = folder.join("tls.pcapng");
    let mut recorder = Recorder::create(&path, AT_US).expect("a file");
    let address = |port: u16| format!("127.0.0.1:{port}").parse().expect("an address");
    let addresses =
        Addresses { client: address(40_000), listen: address(1235), local: address(50_000), server: address(1234) };
    recorder.opened(1, &addresses, AT_US).expect("written");
    let (packets, secrets) = chat();
    assert_eq!(packets[1].0, Direction::ToClient, "the packet with the ServerHello");
    for (index, (direction, bytes)) in packets.iter().enumerate() {
        if index == packet_of_secrets {
            recorder.secrets(&secrets, AT_US).expect("written");
        }
        recorder.relayed(1, *direction, bytes, AT_US).expect("written");
    }
    recorder.finish().expect("written");
    (folder, path)
}

/// Texts and numbers of the frames on one side, as tshark decodes them.
fn said(path: &std::path::Path, side: Side) -> Vec<String> {
    let filter = format!("glassline && frame.interface_name == \"{}\"", side.interface_name());
    let field = |frame: &serde_json::Value, name: &str| {
        frame[format!("glassline.{name}")].as_str().unwrap_or_default().to_owned()
    };
    let described =
        |frame: &serde_json::Value| ["direction", "number", "type", "text"].map(|name| field(frame, name)).join("|");
    let mut all: Vec<String> = frames(path, &filter).iter().map(|(_, frame)| described(frame)).collect();
    all.sort();
    all
}

const SAID: [&str; 6] = [
    "to_client|1|welcome|",
    "to_client|2|message|meet me at noon",
    "to_client|3|message|meet me at noon",
    "to_server|1||",
    "to_server|2|hello|",
    "to_server|3|send|meet me at noon",
];

#[test]
fn secrets_before_the_server_hello_decrypt_a_recording() {
    if !has_tshark() {
        return;
    }
    for packet_of_secrets in [0, 1] {
        let (_folder, path) = recorded(packet_of_secrets);
        for side in Side::BOTH {
            assert_eq!(said(&path, side), SAID, "{side:?}");
        }
        // Each pass gives the same.
        assert_eq!(tshark(&path, &["-2", "-Y", "glassline"]), tshark(&path, &["-Y", "glassline"]));
    }
}

#[test]
fn secrets_after_the_server_hello_decrypt_nothing() {
    if !has_tshark() {
        return;
    }
    let (_folder, path) = recorded(2);
    for side in Side::BOTH {
        assert_eq!(said(&path, side), [""; 0]);
    }
    assert!(tshark(&path, &["-Y", "tls.app_data"]).lines().count() >= 4, "the records are there");
}

#[test]
fn an_intercepted_link_is_recorded_with_its_secrets() {
    if !has_tshark() {
        return;
    }
    let folder = Folder::new();
    let path = folder.join("intercepted.pcapng");
    let interceptor = Interceptor::new("127.0.0.1:1234".parse().expect("an address")).expect("keys");
    let rule = "edit to=server text~noon replace.text=noon=>midnight".parse().expect("a rule");
    let rules = Arc::new(glassline_tap::RuleSet::new(1, vec![rule]).expect("rules"));
    let fixture = RelayFixture::recording(&path, |options| options.intercept(interceptor).apply(rules));
    let (client, server) = fixture.connect();
    let mut client = SecurePeer::new(client, client_layers(LinkKind::Tls, None, None));
    let mut server = SecurePeer::new(server, ServerKeys::new().layers(LinkKind::Tls));
    let server = thread::spawn(move || server.shake_hands().map(|()| server));
    client.shake_hands().expect("a handshake");
    let mut server = server.join().expect("no panic").expect("a handshake");
    let hello = [b"GLASSLINE2".to_vec(), frame(r#"{"type":"hello","name":"alice"}"#)].concat();
    client.send(&hello);
    server.read(hello.len());
    client.send(&frame(r#"{"type":"send","room":"lobby","text":"at noon"}"#));
    let edited = frame(r#"{"type":"send","room":"lobby","text":"at midnight"}"#);
    assert_eq!(server.read(edited.len()), edited);
    client.close();
    server.rest();
    server.close();
    client.rest();
    fixture.stop();
    let (opening, hello) = ("to_server|1||", "to_server|2|hello|");
    assert_eq!(said(&path, Side::Client), [opening, hello, "to_server|3|send|at noon"]);
    assert_eq!(said(&path, Side::Server), [opening, hello, "to_server|3|send|at midnight"]);
    let comments =
        tshark(&path, &["-Y", "frame.comment", "-T", "fields", "-e", "frame.interface_id", "-e", "frame.comment"]);
    assert_eq!(comments, "1\tedit-1: edited: text \"at noon\" > \"at midnight\"\n");
}

#[test]
fn a_key_log_that_is_late_delays_the_file_only() {
    if !has_tshark() {
        return;
    }
    let folder = Folder::new();
    let (path, key_log) = (folder.join("recording.pcapng"), folder.join("keys"));
    let fixture = RelayFixture::recording_with_key_log(&path, &key_log);
    let lines = Arc::new(Lines::default());
    let (client, server) = fixture.connect();
    let mut client = SecurePeer::new(client, TlsClient::new(options(lines.clone())).expect("a client").layers());
    let mut server = SecurePeer::new(server, ServerKeys::new().layers(LinkKind::Tls));
    let server = thread::spawn(move || server.shake_hands().map(|()| server));
    client.shake_hands().expect("a handshake");
    let mut server = server.join().expect("no panic").expect("a handshake");
    let said_by_client = [b"GLASSLINE2".to_vec(), frame(r#"{"type":"send","room":"lobby","text":"at noon"}"#)].concat();
    client.send(&said_by_client);
    assert_eq!(server.read(said_by_client.len()), said_by_client);
    std::fs::write(key_log, &*lines.0.lock().expect("nobody has failed")).expect("written");
    client.close();
    server.rest();
    server.close();
    client.rest();
    fixture.stop();
    for side in Side::BOTH {
        assert_eq!(said(&path, side), ["to_server|1||", "to_server|2|send|at noon"]);
    }
}
