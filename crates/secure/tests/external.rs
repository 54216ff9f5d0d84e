//! Schemes that are programs: the example in Python as a link and as a seal, and programs that
//! answer wrongly.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use glassline_secure::external::{
    ClientKeys, ExternalError, ExternalLinks, ExternalMember, KnownServer, Membership, Message, Program, ServerSecrets,
    SharedProgram, UnsealedText,
};
use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerState};

/// The example, as a process.
#[derive(Debug)]
struct Example {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Example {
    fn start() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/schemes/python/shared_key.py");
        let mut child = Command::new("python3")
            .args(["-B", file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs the example");
        let (requests, answers) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Self { child, requests, answers: BufReader::new(answers) }
    }
}

impl Program for Example {
    fn exchange(&mut self, line: &str) -> Result<String, String> {
        let mut answer = String::new();
        writeln!(self.requests, "{line}").map_err(|error| error.to_string())?;
        self.answers.read_line(&mut answer).map_err(|error| error.to_string())?;
        if answer.is_empty() { Err("it has ended".to_owned()) } else { Ok(answer) }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that gives these answers, in turn, and then ends.
#[derive(Debug)]
struct Scripted(Vec<String>);

impl Program for Scripted {
    fn exchange(&mut self, _: &str) -> Result<String, String> {
        if self.0.is_empty() { Err("it has ended".to_owned()) } else { Ok(self.0.remove(0)) }
    }
}

#[derive(Debug, Default)]
struct Memory(Mutex<Vec<Vec<u8>>>);

impl KnownServer for Memory {
    fn record(&self, public: &[u8]) {
        self.0.lock().expect("no panic before").push(public.to_vec());
    }
}

fn client(links: &ExternalLinks, shared: &[u8]) -> Box<dyn Layer> {
    let keys = ClientKeys { own: &[1; 32], shared, known: None, random: &[2; 32] };
    links.client(keys, Arc::<Memory>::default())
}

fn sides(links: &ExternalLinks) -> (Box<dyn Layer>, Box<dyn Layer>) {
    (client(links, &[9; 32]), links.server(ServerSecrets { own: &[3; 32], shared: &[9; 32], random: &[4; 32] }))
}

/// Moves all output of one side to the other. Returns the plaintext.
fn pass(from: &mut dyn Layer, to: &mut dyn Layer) -> Result<Vec<u8>, LayerError> {
    let (bytes, mut plaintext) = (from.output().to_vec(), Vec::new());
    from.consume_output(bytes.len());
    to.receive(&bytes, &mut plaintext).map(|()| plaintext)
}

fn open(links: &ExternalLinks) -> (Box<dyn Layer>, Box<dyn Layer>) {
    let (mut client, mut server) = sides(links);
    pass(&mut *client, &mut *server).expect("random bytes");
    pass(&mut *server, &mut *client).expect("random bytes and a proof");
    pass(&mut *client, &mut *server).expect("a proof");
    assert_eq!((client.state(), server.state()), (LayerState::Open, LayerState::Open));
    (client, server)
}

fn example() -> (SharedProgram, ExternalLinks) {
    let (program, features) = SharedProgram::greet(Example::start()).expect("the example answers");
    assert!(features.link && features.seal && features.name == "shared key", "{features:?}");
    (program.clone(), ExternalLinks::new(program))
}

#[test]
fn the_example_in_python_is_a_layer() {
    let (_, links) = example();
    let (mut client, mut server) = open(&links);
    let text: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
    let (mut sent, mut arrived) = (0, Vec::new());
    while arrived.len() < text.len() {
        let (first, rest) = text[sent..].split_at((text.len() - sent).min(7));
        sent += client.send(&[first, rest]);
        arrived.extend(pass(&mut *client, &mut *server).expect("honest bytes"));
    }
    assert!(arrived == text);
    server.send(&[b"answer"]);
    assert_eq!(pass(&mut *server, &mut *client), Ok(b"answer".to_vec()));
    assert_eq!(server.end_of_input(), Err(LayerError::Truncated));
    client.close();
    assert_eq!(client.send(&[b"x"]), 0);
    assert_eq!(pass(&mut *client, &mut *server), Ok(Vec::new()));
    assert_eq!((server.state(), server.end_of_input()), (LayerState::PeerClosed, Ok(())));
}

#[test]
fn the_example_in_python_notices_changed_records() {
    let (_, links) = example();
    let (mut sender, mut receiver) = open(&links);
    sender.send(&[b"hello"]);
    let mut record = sender.output().to_vec();
    *record.last_mut().expect("a record") ^= 1;
    let failed = receiver.receive(&record, &mut Vec::new());
    assert!(matches!(&failed, Err(LayerError::Malformed(text)) if text.contains("changed")), "{failed:?}");
    assert_eq!(receiver.receive(b"more", &mut Vec::new()), failed, "it stays failed");

    let (_, mut server) = sides(&links);
    let mut newcomer = client(&links, &[8; 32]);
    pass(&mut *newcomer, &mut *server).expect("random bytes");
    assert!(pass(&mut *server, &mut *newcomer).is_err(), "another key");
}

#[test]
fn the_example_in_python_is_a_seal() {
    let (program, _) = example();
    let enter = |name, passphrase| {
        let settings = Membership { name, room: "den", passphrase, own: &[1; 32], random: &[2; 32] };
        ExternalMember::enter(&program, settings).expect("the example answers")
    };
    let (mut ann, mut bob, mut eve) = (enter("ann", "open"), enter("bob", "open"), enter("eve", "guess"));
    let sealed = ann.seal("id-1", "hello").expect("the example answers");
    assert!(sealed.sealed.is_some() && !sealed.text.contains("hello"), "{sealed:?}");
    let mut message = Message {
        number: 1,
        room: "den".to_owned(),
        id: "id-1".to_owned(),
        from: "ann".to_owned(),
        text: sealed.text,
        sealed: sealed.sealed,
    };
    assert_eq!(bob.unseal(&message), Ok(UnsealedText { text: Some("hello".to_owned()), warning: None }));
    assert_eq!(eve.unseal(&message).expect("an answer").text, None);
    message.from = "bob".to_owned();
    assert_eq!(bob.unseal(&message).expect("an answer").text, None, "another sender");
}

#[test]
fn a_program_that_answers_wrongly_is_said_to() {
    let greet = |answers: &[&str]| {
        SharedProgram::greet(Scripted(answers.iter().map(|&answer| answer.to_owned()).collect())).map(|made| made.1)
    };
    assert_eq!(greet(&[]), Err(ExternalError::Silent("it has ended".to_owned())));
    assert_eq!(greet(&[r#"{"version":2,"name":"x"}"#]), Err(ExternalError::Version(2)));
    let Err(error) = greet(&["Traceback \x1b[31m(most recent call last)"]) else { panic!("an answer") };
    let text = error.to_string();
    assert!(text.contains("with `Traceback \u{fffd}[31m(most recent call last)`"), "{text}");
}

#[test]
fn a_fault_of_the_program_is_no_fault_of_the_peer() {
    let hello = r#"{"version":1,"name":"x","link":true}"#;
    let open = r#"{"state":"open"}"#;
    let too_much = format!(r#"{{"state":"open","output":"{}"}}"#, "00".repeat(LAYER_BYTES_MAX + 1));
    for (last, cause) in [
        ("", "does not answer"),
        ("7", "invalid type"),
        (r#"{"state":"closed"}"#, "unknown variant `closed`"),
        (r#"{"state":"open","output":"0"}"#, "pairs of hexadecimal digits"),
        (r#"{"state":"open","output":"0g"}"#, "hexadecimal digits"),
        (too_much.as_str(), "nobody has taken"),
    ] {
        let answers = [hello, open, last].into_iter().filter(|answer| !answer.is_empty()).map(str::to_owned).collect();
        let (program, _) = SharedProgram::greet(Scripted(answers)).expect("an answer");
        let mut layer = client(&ExternalLinks::new(program), &[]);
        let failed = layer.receive(b"bytes", &mut Vec::new());
        assert!(matches!(&failed, Err(LayerError::Unavailable(text)) if text.contains(cause)), "{failed:?}");
        assert_eq!(layer.send(&[b"text"]), 0);
    }
}

#[test]
fn a_key_that_the_program_names_is_remembered() {
    let answers = [
        r#"{"version":1,"name":"x","link":true}"#,
        r#"{"state":"handshaking"}"#,
        r#"{"state":"open","server":"0aff","error":{"untrusted":"another key"}}"#,
    ];
    let (program, _) = SharedProgram::greet(Scripted(answers.map(str::to_owned).to_vec())).expect("an answer");
    let memory = Arc::<Memory>::default();
    let keys = ClientKeys { own: &[], shared: &[], known: None, random: &[] };
    let mut layer = ExternalLinks::new(program).client(keys, memory.clone());
    let failed = layer.receive(b"bytes", &mut Vec::new());
    assert_eq!(failed, Err(LayerError::Untrusted("another key".to_owned())));
    assert_eq!(*memory.0.lock().expect("no panic before"), [[0x0a, 0xff]]);
}
