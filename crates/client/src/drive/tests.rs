//! The plain and the JSON mode against a server that a test plays byte by byte, over real sockets.

mod replies;

use std::io::{Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use glassline_testkit::frame::{Frames, frame};
use glassline_wire::envelope::Envelope;
use glassline_wire::event::Event;
use glassline_wire::request::{Ask, Request};

use super::*;
use crate::display_settings::DisplaySettings;
use crate::entropy::SystemEntropy;
use crate::format::messages::Formatter;
use crate::inbox::EVENTS_MAX;
use crate::json::Json;
use crate::line_input::LineInput;
use crate::line_output::LineOutput;
use crate::link::Link;
use crate::options::JoinOptions;
use crate::plain::{Plain, PlainMode};
use crate::preferences::Preferences;
use crate::typing::line::TypedLine;
use crate::web_page::WebPage;
use glassline_session::{Config, DialectChoice};

const PATIENCE: Duration = Duration::from_mins(1);
const WELCOME: &str = concat!(
    r#"{"type":"welcome","name":"bot","token":"secret","server":"test/1","#,
    r#""limits":{"name_chars":32,"name_bytes":64,"text_bytes":16384,"event_bytes":102400},"#,
    r#""rooms":[{"room":"lobby","seq":0,"count":1}]}"#
);

/// Line of the JSON mode about a link without protection.
const PLAINTEXT: &str = r#"{"type":"link","link":"plaintext","readers":"anyone on the way"}"#;

#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no writer panics").clone()).expect("UTF-8")
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An output whose reader has gone.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An input that a test types, open until the sender is dropped.
struct Typed(Receiver<Vec<u8>>, Cursor<Vec<u8>>);

impl Read for Typed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.1.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        let Ok(bytes) = self.0.recv() else { return Ok(0) };
        self.1 = Cursor::new(bytes);
        self.1.read(buffer)
    }
}

#[derive(Clone, Copy)]
enum Shape {
    Pipe,
    Typist,
    Json,
}

/// A client in a thread, and its three streams.
struct Client {
    thread: JoinHandle<Ending>,
    input: Option<Sender<Vec<u8>>>,
    out: Shown,
    err: Shown,
}

impl Client {
    fn start(shape: Shape, dialect: DialectChoice, address: String) -> Self {
        let (out, err) = (Shown::default(), Shown::default());
        Self::start_with(shape, dialect, address, Box::new(out.clone()), out, err)
    }

    fn start_with(
        shape: Shape,
        dialect: DialectChoice,
        address: String,
        writer: Box<dyn Write + Send>,
        out: Shown,
        err: Shown,
    ) -> Self {
        let (input, typed) = channel();
        let err_writer = err.clone();
        let thread = thread::spawn(move || {
            let (inbox, events) = sync_channel(EVENTS_MAX);
            let reader = Typed(typed, Cursor::default());
            let line_input = LineInput::start(reader, 16 * 1024, inbox.clone()).expect("a thread");
            let keys = RoomKeys::open(None, inbox.clone()).expect("no files");
            let mut view: Box<dyn View> = match shape {
                Shape::Json => {
                    let err_writer = Box::new(err_writer);
                    let json = Json::new(line_input, Box::new(SystemEntropy), writer, err_writer, keys.clone());
                    Box::new(json.expect("a first line"))
                }
                Shape::Pipe | Shape::Typist => {
                    let mode =
                        PlainMode { typed: matches!(shape, Shape::Typist), notices_on_stdout: false, hosts: false };
                    let reader = Formatter::new("bot");
                    let settings = DisplaySettings::new(&Preferences::default(), false);
                    let typed = TypedLine::new(16 * 1024);
                    let output = LineOutput::new(writer, Box::new(err_writer), false, None, typed);
                    Box::new(Plain::new(
                        mode,
                        reader,
                        settings,
                        line_input,
                        output,
                        keys.clone(),
                        WebPage::of(&JoinOptions::default()),
                    ))
                }
            };
            let config = Config {
                address: address.clone(),
                name: "bot".into(),
                dialect,
                gives_up_after_ms: Some(60_000),
                follows_people: false,
                context_messages_max: usize::MAX,
            };
            let session = Session::new(config, Box::new(SystemEntropy), 0);
            let driver = Driver {
                session: if matches!(shape, Shape::Json) { session.for_program() } else { session },
                transport: Transport::new(address, Link::default(), inbox, false),
                view: &mut *view,
                keys,
                started: Instant::now(),
                shows: true,
                interrupted: false,
            };
            driver.run(&events)
        });
        Self { thread, input: Some(input), out, err }
    }

    fn type_in(&self, text: &str) {
        let input = self.input.as_ref().expect("still open");
        input.send(text.as_bytes().to_vec()).expect("the client reads");
    }

    fn end_input(&mut self) {
        self.input = None;
    }

    fn ending(mut self) -> (Ending, String, String) {
        self.end_input();
        let ending = self.thread.join().expect("no panic");
        (ending, self.out.text(), self.err.text())
    }
}

/// The server's side of one connection.
struct Peer {
    stream: TcpStream,
    frames: Frames,
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

impl Peer {
    fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        Self { stream, frames: Frames::default() }
    }

    /// Accepts and welcomes.
    fn event(listener: &TcpListener) -> (Self, glassline_wire::request::Hello) {
        let mut peer = Self::accept(listener);
        let mut opening = [0; 10];
        peer.stream.read_exact(&mut opening).expect("ten bytes");
        assert_eq!(&opening, b"GLASSLINE2");
        let Ask::Hello(hello) = peer.request().content else { panic!("hello first") };
        peer.say(WELCOME);
        (peer, hello)
    }

    fn say(&mut self, payload: &str) {
        self.stream.write_all(&frame(payload)).expect("written");
    }

    /// The next frame; `None` at the end.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 4_096];
        loop {
            if let Some(payload) = self.frames.next_payload().expect("frames") {
                return Some(payload.to_vec());
            }
            let bytes = match self.stream.read(&mut buffer) {
                // A machine that paused the process wakes a read that has a deadline.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.expect("bytes or an end in time"),
            };
            if bytes == 0 {
                assert!(self.frames.rest().is_empty(), "a frame is cut off");
                return None;
            }
            self.frames.push(&buffer[..bytes]);
        }
    }

    fn request(&mut self) -> Request {
        Request::from_json(&self.frame().expect("a frame")).expect("a request")
    }

    /// Acknowledges the next `send` and gives its text.
    fn acknowledge(&mut self, seq: u64) -> String {
        let Ask::Send(send) = self.request().content else { panic!("a send") };
        let text = serde_json::to_string(&send.text).expect("a string");
        let id = send.id;
        self.say(&format!(r#"{{"type":"message","room":"lobby","seq":{seq},"from":"bot","text":{text},"id":"{id}"}}"#));
        send.text
    }

    fn take_bye(&mut self) {
        let bye = self.request();
        assert!(matches!(bye.content, Ask::Bye {}));
        let reference = bye.reference.expect("a ref");
        self.say(&format!(r#"{{"type":"bye","text":"goodbye","ref":"{reference}"}}"#));
    }
}

#[test]
fn a_pipe_sends_its_lines_prints_events_and_leaves_at_the_end() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Pipe, DialectChoice::Auto, address);
    client.type_in("one\n\ntw");
    client.type_in("o\r\nlast");
    client.end_input();
    let (mut server, _) = Peer::event(&listener);
    server.say(r#"{"type":"message","room":"lobby","seq":1,"from":"bob","text":"hi\nthere"}"#);
    for (seq, text) in [(2, "one"), (3, "two"), (4, "last")] {
        assert_eq!(server.acknowledge(seq), text);
    }
    server.take_bye();
    let (ending, out, err) = client.ending();
    assert_eq!((ending, out.as_str()), (Ending::Left, "bob > hi\n  there\n"));
    assert!(err.contains("connected to") && !err.contains("hi"), "{err}");
}

#[test]
fn words_and_lines_come_out_in_the_order_in_which_they_happened() {
    for (shape, marks) in [
        (
            Shape::Pipe,
            ["* connected to", "* earlier in lobby", "bob > hi", "* now", "bob > new", "* error: no"].as_slice(),
        ),
        (Shape::Json, &["\"schema\"", "* connected to", "\"notice\"", "\"history\"", "\"message\"", "\"error\""]),
    ] {
        let (listener, address) = listener();
        // One sink for both, and a buffer before what is no terminal, as in the program.
        let both = Shown::default();
        let writer = Box::new(io::BufWriter::new(both.clone()));
        let mut client =
            Client::start_with(shape, DialectChoice::Event, address, writer, Shown::default(), both.clone());
        let (mut server, _) = Peer::event(&listener);
        server.say(r#"{"type":"history","room":"lobby","messages":[{"room":"lobby","from":"bob","text":"hi"}]}"#);
        server.say(r#"{"type":"message","room":"lobby","seq":1,"from":"bob","text":"new"}"#);
        server.say(r#"{"type":"error","code":"rate","text":"no"}"#);
        client.end_input();
        server.take_bye();
        client.ending();
        let notice = both.text();
        let places: Vec<Option<usize>> = marks.iter().map(|mark| notice.find(mark)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} of {marks:?} in {notice}");
    }
}

#[test]
fn an_unsendable_line_is_reported_and_changes_the_exit_code() {
    let (listener, address) = listener();
    let client = Client::start(Shape::Pipe, DialectChoice::Event, address);
    client.type_in(&format!("{}\n/dance\nfine\n", "x".repeat(16_385)));
    let (mut server, _) = Peer::event(&listener);
    assert_eq!(server.acknowledge(1), "fine");
    let waiting = thread::spawn(move || server.take_bye());
    let (ending, out, err) = client.ending();
    waiting.join().expect("a bye");
    assert!(matches!(&ending, Ending::InputOutput(text) if text.starts_with("2 ")), "{ending:?}");
    assert_eq!(ending.exit_code(), 1);
    assert!(out.is_empty() && err.contains("16385 bytes; the limit is 16384") && err.contains("/dance"), "{err}");
}

#[test]
fn three_empty_lines_leave_when_a_person_types_them() {
    let (listener, address) = listener();
    let client = Client::start(Shape::Typist, DialectChoice::Tutorial, address);
    client.type_in("\n\nno\n\n\n\n");
    let mut server = Peer::accept(&listener);
    assert_eq!(server.frame().as_deref(), Some(b"bot".as_slice()));
    assert_eq!(server.frame().as_deref(), Some(b"no".as_slice()));
    assert_eq!(server.frame(), None, "a half-close");
    server.say("bob");
    server.say("bye");
    drop(server);
    // The input is still open: the empty lines have ended it.
    let ending = client.thread.join().expect("no panic");
    assert_eq!((ending, client.out.text().as_str()), (Ending::Left, "bob > bye\n"));
}

#[test]
fn a_server_without_welcome_is_rejoined_in_the_tutorial_dialect() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Json, DialectChoice::Auto, address);
    client.type_in("{\"type\":\"send\",\"text\":\"hi\"}\n{\"type\":\"ping\",\"ref\":\"p\"}\n");
    let silent = Peer::accept(&listener);
    let mut server = Peer::accept(&listener);
    drop(silent);
    assert_eq!(server.frame().as_deref(), Some(b"bot".as_slice()));
    assert_eq!(server.frame().as_deref(), Some(b"hi".as_slice()));
    server.say("bob");
    server.say("hello");
    client.end_input();
    assert_eq!(server.frame(), None);
    drop(server);
    let (ending, out, err) = client.ending();
    assert_eq!(ending.exit_code(), 1, "a request was refused");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[..2], [r#"{"type":"schema","version":1}"#, PLAINTEXT]);
    assert!(lines.contains(&r#"{"type":"message","room":"lobby","from":"bob","text":"hello"}"#), "{out}");
    let notice = lines.iter().position(|line| line.starts_with(r#"{"type":"notice","text":"connected to"#));
    let own = lines
        .iter()
        .find(|line| line.starts_with(r#"{"type":"message","room":"lobby","from":"bot","text":"hi","id":""#));
    assert!(notice.is_some() && own.is_some_and(|line| line.contains("\"ref\":")), "{out}");
    assert_eq!(lines.last(), Some(&r#"{"type":"bye","text":"the link is closed"}"#));
    assert!(out.contains(r#""code":"unknown_type""#) && out.contains(r#""ref":"p""#), "{out}");
    assert!(err.contains("tutorial dialect"), "{err}");
}

#[test]
fn every_json_line_is_an_event_and_a_bad_line_gets_an_error() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Json, DialectChoice::Auto, address);
    client.type_in("nonsense\n\n{\"type\":\"send\",\"text\":\"hi\",\"ref\":\"r\"}\n");
    let (mut server, _) = Peer::event(&listener);
    assert_eq!(server.acknowledge(1), "hi");
    client.end_input();
    server.take_bye();
    let (ending, out, _) = client.ending();
    assert!(matches!(&ending, Ending::InputOutput(text) if text.starts_with("1 line ")), "{ending:?}");
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some(r#"{"type":"schema","version":1}"#));
    assert_eq!(lines.next(), Some(PLAINTEXT));
    let (events, refs): (Vec<Event>, Vec<Option<String>>) = lines
        .map(|line| Envelope::<Event>::from_json(line.as_bytes()).expect(line))
        .map(|envelope| (envelope.content, envelope.reference))
        .unzip();
    let [Event::Notice(_), Event::Welcome(welcome), Event::Error(_), Event::Message(_), Event::Bye(_)] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(welcome.token, "", "the secret stays in the process");
    assert_eq!(refs.last(), Some(&None), "nobody asked by this name");
}

#[test]
fn a_lost_link_is_remade_and_nothing_is_sent_under_two_ids() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Pipe, DialectChoice::Auto, address);
    client.type_in("one\ntwo\n");
    client.end_input();
    let (mut server, hello) = Peer::event(&listener);
    assert_eq!((hello.token, server.acknowledge(1).as_str()), (None, "one"));
    let first = server.request();
    drop(server);
    let (mut server, hello) = Peer::event(&listener);
    assert_eq!(hello.token.as_deref(), Some("secret"));
    let again = server.request();
    assert_eq!(again, first);
    let Ask::Send(send) = again.content else { panic!("a send") };
    let id = send.id;
    server.say(&format!(r#"{{"type":"message","room":"lobby","seq":2,"from":"bot","text":"two","id":"{id}"}}"#));
    server.take_bye();
    let (ending, _, err) = client.ending();
    assert!(ending == Ending::Left && err.contains("is lost") && err.contains("connected again"), "{err}");
}

#[test]
fn an_output_without_a_reader_is_a_quiet_way_to_leave() {
    let (listener, address) = listener();
    let shown = (Shown::default(), Shown::default());
    let client = Client::start_with(Shape::Pipe, DialectChoice::Auto, address, Box::new(Gone), shown.0, shown.1);
    let (mut server, _) = Peer::event(&listener);
    server.say(r#"{"type":"notice","text":"x"}"#);
    server.take_bye();
    assert_eq!(client.thread.join().expect("no panic"), Ending::Left);
}

// Memory does not grow with what the server leaves unread.
#[test]
fn a_server_that_stops_reading_holds_the_input_back() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Pipe, DialectChoice::Tutorial, address);
    let line = format!("{}\n", "x".repeat(16_000));
    let mut server = Peer::accept(&listener);
    for _ in 0..1_000 {
        client.type_in(&line);
    }
    client.end_input();
    assert_eq!(server.frame().as_deref(), Some(b"bot".as_slice()));
    for number in 0..1_000 {
        assert_eq!(server.frame().map(|frame| frame.len()), Some(16_000), "line {number}");
    }
    assert_eq!(server.frame(), None);
    drop(server);
    assert_eq!(client.ending().0, Ending::Left);
}

#[test]
fn lines_behind_the_goodbye_are_not_sent_and_counted() {
    for (shape, input) in [
        (Shape::Pipe, "one\n/quit\n\ntwo\nthree\n".to_owned()),
        (
            Shape::Json,
            r#"{"type":"send","text":"one"}{"type":"bye"}{"type":"send","text":"two","ref":"t"}{"type":"ping"}"#
                .replace("}{", "}\n{")
                + "\n",
        ),
    ] {
        let (listener, address) = listener();
        let mut client = Client::start(shape, DialectChoice::Event, address);
        client.type_in(&input);
        client.end_input();
        let (mut server, _) = Peer::event(&listener);
        assert_eq!(server.acknowledge(1), "one");
        server.take_bye();
        assert_eq!(server.frame(), None);
        let (ending, out, _) = client.ending();
        // The server's goodbye may come before the end of the input is seen: then there may be
        // more.
        let counted = |text: &str| text.starts_with("2 lines ") || text.starts_with("2 or more lines ");
        assert!(matches!(&ending, Ending::InputOutput(text) if counted(text)), "{ending:?}");
        if matches!(shape, Shape::Json) {
            let late = r#"{"type":"error","code":"out_of_order","text":"already leaving","ref":"t"}"#;
            assert!(out.contains(late), "{out}");
        }
    }
}

#[test]
fn a_program_is_notified_of_a_lost_and_restored_link() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Json, DialectChoice::Event, address);
    client.type_in("{\"type\":\"rooms\",\"ref\":\"r\"}\n");
    let (mut server, _) = Peer::event(&listener);
    assert!(matches!(server.request().content, Ask::Rooms {}));
    drop(server);
    let (mut server, _) = Peer::event(&listener);
    client.end_input();
    server.take_bye();
    let (ending, out, err) = client.ending();
    let kinds: Vec<String> = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line)["type"].to_string())
        .collect();
    assert_eq!(kinds.join(" ").replace('"', ""), "schema link notice welcome notice error notice welcome bye", "{out}");
    assert!(out.contains(r#""code":"busy""#) && out.contains(r#""ref":"r""#), "{out}");
    assert!(err.contains("is lost") && err.contains("connected again"), "{err}");
    assert_eq!(ending.exit_code(), 1, "a request was not answered");
}

#[test]
fn a_goodbye_with_unacknowledged_messages_is_no_clean_end() {
    let (listener, address) = listener();
    let client = Client::start(Shape::Pipe, DialectChoice::Event, address);
    client.type_in("one\n/quit\n");
    let (mut server, _) = Peer::event(&listener);
    assert!(matches!(server.request().content, Ask::Send(_)));
    server.take_bye();
    let (ending, _, err) = client.ending();
    assert!(
        matches!(&ending, Ending::InputOutput(text) if text.starts_with("1 line of the input was not ack")),
        "{ending:?}"
    );
    assert!(err.contains("1 of your messages was not acknowledged"), "{err}");
}

// What follows `bye` gets an answer of its own, instead of silence.
#[test]
fn requests_after_a_programs_goodbye_are_refused() {
    let (listener, address) = listener();
    let client = Client::start(Shape::Json, DialectChoice::Event, address);
    client.type_in("{\"type\":\"bye\"}\n{\"type\":\"ping\",\"ref\":\"late\"}\n");
    let (mut server, _) = Peer::event(&listener);
    server.take_bye();
    let (ending, out, _) = client.ending();
    assert!(out.contains(r#""code":"out_of_order""#) && out.contains(r#""ref":"late""#), "{out}");
    assert_eq!(ending.exit_code(), 1);
}

#[test]
fn a_command_refused_by_the_server_changes_the_exit_code_too() {
    let (listener, address) = listener();
    let mut client = Client::start(Shape::Pipe, DialectChoice::Event, address);
    client.type_in("/nick bob\n");
    let (mut server, _) = Peer::event(&listener);
    let reference = server.request().reference.expect("a ref");
    server.say(&format!(r#"{{"type":"error","code":"name_taken","text":"bob is here","ref":"{reference}"}}"#));
    client.end_input();
    server.take_bye();
    let (ending, _, err) = client.ending();
    assert!(ending.exit_code() == 1 && err.contains("* error: bob is here"), "{ending:?} {err}");
}
