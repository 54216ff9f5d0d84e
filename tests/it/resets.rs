//! Resets in the middle of fan-out, thousands of times (L): nobody else misses a word, and no descriptor is lost.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use crate::harness::{EventClient, PATIENCE, ServerProcess, Tutorial, Wire, frame};

const RESETS: usize = 3_000;
/// Reset together, while messages are on their way to all of them.
const AT_ONCE: usize = 50;
/// Messages that may be on their way: all logs together hold many more, so nobody has a reason to miss one.
const IN_FLIGHT: usize = 50;

/// A connection about to be reset: mostly a member, sometimes one that has not come so far.
fn doomed(address: SocketAddr, n: usize) -> Wire {
    let name = format!("doomed{n}");
    let mut wire = match n % 5 {
        0 | 1 => Tutorial::join(address, &name).into_wire(),
        2 => EventClient::join(address, &name).into_wire(),
        3 => {
            let mut wire = Tutorial::join(address, &name).into_wire();
            wire.send(&frame("never whole")[..13]);
            wire
        }
        _ => Wire::connect(address),
    };
    if n % 10 == 9 {
        wire.send("GLASSLI");
    }
    wire
}

/// Sends numbered messages until `stop` is set; never more than [`IN_FLIGHT`] ahead of the slower
/// listener.
fn talk(mut talker: Tutorial, received: &[Receiver<()>], stop: &AtomicBool) -> Tutorial {
    for n in 0_usize.. {
        if n >= IN_FLIGHT {
            for listener in received {
                listener.recv_timeout(PATIENCE).expect("the listener hears on");
            }
        }
        let last = stop.load(Ordering::SeqCst);
        talker.say(if last { "the end".to_string() } else { format!("message {n}") });
        if last {
            break;
        }
    }
    talker
}

fn listen(mut next: impl FnMut() -> String, received: &Sender<()>) -> usize {
    for n in 0.. {
        let text = next();
        // The talker may have stopped counting.
        let _ = received.send(());
        if text == "the end" {
            return n;
        }
        assert_eq!(text, format!("message {n}"), "out of order, twice or not at all");
    }
    unreachable!("the talker ends")
}

#[test]
fn thousands_of_resets_in_a_fan_out_cost_nobody_anything() {
    let server = ServerProcess::serve(&[]);
    let talker = Tutorial::join(server.address, "talker");
    let mut ear = Tutorial::join(server.address, "ear");
    let mut eye = EventClient::join(server.address, "eye");
    ear.barrier();
    let descriptors = server.descriptors();
    let stop = AtomicBool::new(false);
    let ((from_reader, to_ear), (from_viewer, to_viewer)) = (channel(), channel());
    let _talker = thread::scope(|scope| {
        let stop = &stop;
        let talking = scope.spawn(move || talk(talker, &[to_ear, to_viewer], stop));
        let receiving = scope.spawn(|| listen(|| ear.said().text, &from_reader));
        let seeing =
            scope.spawn(|| listen(|| eye.expect("message")["text"].as_str().unwrap().to_string(), &from_viewer));
        for first in (0..RESETS).step_by(AT_ONCE) {
            let crowd: Vec<Wire> = (first..first + AT_ONCE).map(|n| doomed(server.address, n)).collect();
            crowd.into_iter().for_each(Wire::reset);
        }
        stop.store(true, Ordering::SeqCst);
        let received = receiving.join().expect("the reader received all");
        assert_eq!(seeing.join().expect("the viewer received all"), received);
        assert!(received > IN_FLIGHT, "only {received} messages while {RESETS} connections were reset");
        talking.join().expect("the talker ended")
    });
    let deadline = Instant::now() + PATIENCE;
    while server.descriptors() != descriptors {
        ear.barrier();
        assert!(Instant::now() < deadline, "{} descriptors, there were {descriptors}", server.descriptors());
    }
    ear.say("/names");
    assert_eq!(ear.expect_word("here: "), "3 here: ear, eye, talker");
    server.stop();
}
