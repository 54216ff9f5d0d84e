//! Order and bounds of what waits, in the time of the test.

use std::borrow::Cow;
use std::fs;

use glassline_testkit::Folder;

use super::*;
use crate::frame::Direction;
use crate::recording::Addresses;

const AT_US: u64 = 1_764_429_300_000_000;

/// A recording beside a key log.
struct Fixture {
    folder: Folder,
    recorder: DelayedRecorder,
}

impl Fixture {
    fn new() -> Self {
        let folder = Folder::new();
        let recorder = Recorder::create(&folder.join("recording"), AT_US).expect("a file");
        let recorder = DelayedRecorder::new(recorder, &folder.join("keys")).expect("no key log yet");
        Self { folder, recorder }
    }

    fn open(&mut self, connection: u64) {
        let address = |port: u64| format!("127.0.0.1:{port}").parse().expect("an address");
        let (client, local) = (address(40_000 + connection), address(50_000 + connection));
        let addresses = Addresses { client, listen: address(1235), local, server: address(1234) };
        self.recorder.record(connection, Event::Opened(addresses), AT_US).expect("recorded");
    }

    fn pass(&mut self, connection: u64, direction: Direction, bytes: &[u8]) {
        let event = Event::Relayed { direction, bytes: Cow::Borrowed(bytes) };
        self.recorder.record(connection, event, AT_US).expect("recorded");
    }

    fn log(&self, lines: &str) {
        let path = self.folder.join("keys");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + lines).expect("written");
    }

    fn advance(&mut self, by_us: u64) {
        self.recorder.flush_due(AT_US + by_us).expect("recorded");
    }

    /// Completes the recording, and returns where these stand in it.
    fn places(self, wanted: &[&str]) -> Vec<Option<usize>> {
        self.recorder.finish(AT_US).expect("complete");
        let file = fs::read(self.folder.join("recording")).expect("a file");
        let place = |wanted: &&str| file.windows(wanted.len()).position(|bytes| bytes == wanted.as_bytes());
        wanted.iter().map(place).collect()
    }
}

/// Beginning of a `ClientHello` whose random is this byte, 32 times.
fn client_hello(random: u8) -> Vec<u8> {
    [&[0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3][..], &[random; 32], b"client hello"].concat()
}

fn secrets(random: u8) -> String {
    let random = format!("{random:02x}").repeat(32);
    NEEDED.map(|label| format!("{label} {random} {}\n", "ab".repeat(48))).concat()
}

#[test]
fn secrets_stand_before_the_server_hello() {
    let mut fixture = Fixture::new();
    fixture.open(1);
    // The opening in pieces.
    let hello = client_hello(7);
    for piece in hello.chunks(9) {
        fixture.pass(1, Direction::ToServer, piece);
    }
    fixture.pass(1, Direction::ToClient, b"server hello");
    fixture.log(&secrets(8));
    let lines = secrets(7);
    let (first, rest) = lines.split_at(100);
    fixture.log(first);
    fixture.advance(100_000);
    assert!(!fixture.recorder.queue.is_empty(), "half of them do not suffice");
    fixture.log(rest);
    fixture.advance(200_000);
    assert!(fixture.recorder.queue.is_empty() && fixture.recorder.waiting_bytes == 0);
    let [own, foreign] = [7, 8].map(|random| format!("{random:02x}").repeat(32));
    let places = fixture.places(&[&own, "server hello", &foreign]);
    assert!(places[0].expect("secrets") < places[1].expect("a packet"), "{places:?}");
    assert_eq!(places[2], None, "secrets of others are not recorded");
}

#[test]
fn what_waits_keeps_its_order_and_nothing_else_waits() {
    let mut fixture = Fixture::new();
    for connection in 1..=3 {
        fixture.open(connection);
    }
    fixture.pass(3, Direction::ToServer, b"GLASSLINE2");
    assert!(fixture.recorder.queue.is_empty(), "plaintext has no secrets");
    for connection in [1, 2] {
        fixture.pass(connection, Direction::ToServer, &client_hello(connection as u8));
        fixture.pass(connection, Direction::ToClient, format!("server hello {connection}").as_bytes());
    }
    fixture.pass(3, Direction::ToServer, b"between");
    fixture.pass(1, Direction::ToClient, b"later");
    fixture.log(&secrets(1));
    fixture.advance(100_000);
    // What precedes the connection that waits still is recorded; its hello is the first that is not.
    assert_eq!(fixture.recorder.queue.len(), 4);
    fixture.log(&secrets(2));
    let places = fixture.places(&["server hello 1", &"02".repeat(32), "server hello 2", "between", "later"]);
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
}

#[test]
fn secrets_that_do_not_come_are_waited_for_within_bounds() {
    let mut fixture = Fixture::new();
    fixture.open(1);
    fixture.pass(1, Direction::ToServer, &client_hello(1));
    fixture.pass(1, Direction::ToClient, b"server hello");
    assert!(fixture.recorder.due_us().is_some_and(|due_us| due_us <= AT_US + LOOK_EVERY_US));
    fixture.advance(WAIT_MAX_US - 1);
    assert_eq!((fixture.recorder.queue.len(), fixture.recorder.take_problems().len()), (1, 0));
    fixture.advance(WAIT_MAX_US + LOOK_EVERY_US);
    let problems = fixture.recorder.take_problems();
    assert!(problems[0].starts_with("connection 1 stays encrypted in the recording"), "{problems:?}");
    assert!(fixture.recorder.queue.is_empty());

    fixture.open(2);
    fixture.pass(2, Direction::ToServer, &client_hello(2));
    let chunk = vec![b'x'; 60_000];
    for _ in 0..=WAITING_BYTES_MAX / chunk.len() {
        fixture.pass(2, Direction::ToClient, &chunk);
        assert!(fixture.recorder.waiting_bytes <= WAITING_BYTES_MAX);
    }
    let problems = fixture.recorder.take_problems();
    assert!(problems[0].contains("connection 2") && problems[0].contains("too much waits"), "{problems:?}");
}

#[test]
fn a_key_log_is_followed_from_its_end_and_when_it_begins_anew() {
    let folder = Folder::new();
    let path = folder.join("keys");
    let read = |log: &mut KeyLog| {
        let mut lines = Vec::new();
        while log.read(|line| lines.push(line.to_owned())).expect("read") {}
        lines
    };
    fs::write(&path, "old 1 2\n").expect("written");
    let mut log = KeyLog::follow(&path).expect("a file");
    assert_eq!(read(&mut log), [""; 0]);
    let too_long = "x".repeat(100_000);
    fs::write(&path, format!("old 1 2\nnew 3 4\r\n{too_long}\nlast\nhalf")).expect("written");
    assert_eq!(read(&mut log), ["new 3 4", "", "last"], "a line that is too long is none");
    fs::write(&path, "fresh 5 6\n").expect("written");
    assert_eq!(read(&mut log), ["fresh 5 6"]);
    assert!(KeyLog::follow(folder.path()).is_err(), "a folder is no key log");
}
