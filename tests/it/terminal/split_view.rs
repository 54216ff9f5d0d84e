//! A server that shows the members of a sealed room different histories (S6): what their screens say.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use glassline_testkit::frame::Frames;
use serde_json::Value;

use super::harness::{Opening, Terminal};
use crate::harness::{PATIENCE, Server, accepted, connected, frame};

/// A hostile server: what an honest one sends passes through it, and while it splits the view, each
/// member gets its own messages only, under consecutive numbers.
struct SplitView {
    address: SocketAddr,
    is_split: Arc<AtomicBool>,
    /// One for each message that a member was not shown.
    withheld: Receiver<()>,
}

impl SplitView {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let is_split = Arc::new(AtomicBool::new(false));
        let (sender, withheld) = channel();
        let (splits, withholds) = (Arc::clone(&is_split), sender);
        // Ends with the tests.
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (accepted(client.expect("a client")), connected(server));
                let (mut from, mut to) = (client.try_clone().expect("one more"), server.try_clone().expect("one more"));
                thread::spawn(move || std::io::copy(&mut from, &mut to));
                let view = MemberView {
                    name: String::new(),
                    is_split: Arc::clone(&splits),
                    withheld: withholds.clone(),
                    hidden: 0,
                };
                thread::spawn(move || view.pass_on(server, client));
            }
        });
        Self { address, is_split, withheld }
    }

    fn begin(&self) {
        self.is_split.store(true, Ordering::SeqCst);
    }

    fn end(&self) {
        self.is_split.store(false, Ordering::SeqCst);
    }

    /// Waits until a member was not shown a message.
    #[track_caller]
    fn wait_for_withheld(&self) {
        self.withheld.recv_timeout(PATIENCE).expect("a message is withheld");
    }
}

/// History as one member is shown it.
struct MemberView {
    name: String,
    is_split: Arc<AtomicBool>,
    withheld: Sender<()>,
    hidden: u64,
}

impl MemberView {
    fn pass_on(mut self, mut server: TcpStream, mut client: TcpStream) {
        let (mut frames, mut buffer) = (Frames::default(), [0; 4096]);
        loop {
            let count = match server.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            frames.push(&buffer[..count]);
            while let Some(payload) = frames.next_payload().expect("a server writes frames") {
                let event = serde_json::from_slice(payload).expect("an event");
                if let Some(event) = self.shown(event)
                    && client.write_all(&frame(event.to_string())).is_err()
                {
                    return;
                }
            }
        }
    }

    /// Returns an event as the member gets it; `None` if it gets none.
    fn shown(&mut self, mut event: Value) -> Option<Value> {
        match event["type"].as_str() {
            Some("welcome") => event["name"].as_str().expect("a name").clone_into(&mut self.name),
            Some("message") if event["room"] == "den" => {
                if self.is_split.load(Ordering::SeqCst) && event["from"] != self.name.as_str() {
                    self.hidden += 1;
                    // The test may be over.
                    let _ = self.withheld.send(());
                    return None;
                }
                event["seq"] = (event["seq"].as_u64().expect("a number") - self.hidden).into();
            }
            _ => {}
        }
        Some(event)
    }
}

/// A member in lines at a terminal, in the sealed room.
#[track_caller]
fn member(address: SocketAddr, name: &str) -> Terminal {
    let mut member = Opening::join(address, name).size(40, 240).argument("--linear").start();
    member.see("connected to");
    member.keys_until("/join den\r", "you are talking in den now");
    member.keys_until("/seal\r", "passphrase of den");
    member.keys_until("correct horse battery staple\r", "den is sealed under key");
    member
}

#[test]
fn different_histories_are_noticed_on_both_screens() {
    let server = Server::start();
    let hostile = SplitView::before(server.address);
    let mut alice = member(hostile.address, "alice");
    let mut bob = member(hostile.address, "bob");
    alice.keys("one\r");
    bob.see("alice > one");
    bob.keys("two\r");
    alice.see("bob > two");

    hostile.begin();
    alice.keys("for alice's history\r");
    hostile.wait_for_withheld();
    bob.keys("for bob's history\r");
    hostile.wait_for_withheld();
    hostile.end();
    alice.keys("three\r");
    let missing = "[1 message of theirs before it is missing]";
    let split = "[its sender has seen other messages than you: the server shows members different things]";
    bob.see(&format!("alice > {missing} {split} three"));
    bob.keys("four\r");
    alice.see(&format!("bob > {missing} four"));

    // Both have seen the same since.
    alice.keys("five\r");
    bob.see("alice > five");
    bob.keys("six\r");
    alice.see("bob > six");
    assert_eq!((alice.count_written(split), bob.count_written(split)), (0, 1), "{}", alice.written());
    assert_eq!((alice.count_written("for bob's"), bob.count_written("for alice's")), (0, 0));
}
