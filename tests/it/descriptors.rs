//! More connections than descriptors (L): no spinning, and the door is open again as soon as there are some.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::{PROMPT, ServerProcess, Tutorial, Wire};

const DESCRIPTORS: usize = 64;
const CONNECTIONS: usize = 200;
/// Time for which the exhaustion is watched.
const WATCH: Duration = Duration::from_secs(2);

#[test]
fn without_descriptors_it_neither_spins_nor_drops_its_members() {
    let server = ServerProcess::serve_with_descriptors(DESCRIPTORS);
    let mut alice = Tutorial::join(server.address, "alice");
    let mut bob = Tutorial::join(server.address, "bob");
    // A kernel with a short queue lets fewer wait.
    let crowd: Vec<TcpStream> = (0..CONNECTIONS)
        .filter_map(|_| TcpStream::connect_timeout(&server.address, Duration::from_millis(200)).ok())
        .collect();
    assert!(crowd.len() > DESCRIPTORS, "{} connections exhaust nothing", crowd.len());
    alice.barrier();
    assert!(server.descriptors() > DESCRIPTORS - 4, "{} descriptors are open", server.descriptors());

    let before_ticks = server.cpu_ticks();
    let mut waiting = Wire::connect(server.address);
    // Whether it is turned away or left waiting, the time goes by.
    let watched = Instant::now();
    while watched.elapsed() < WATCH {
        if waiting.ends_within(WATCH.saturating_sub(watched.elapsed()).max(Duration::from_millis(1))) {
            waiting = Wire::connect(server.address);
        }
    }
    let ticks = server.cpu_ticks() - before_ticks;
    assert!(ticks < 30, "{ticks} of 200 hundredths of a second were computed: it spins");

    let said = Instant::now();
    alice.say("still here");
    bob.expect_message("alice", "still here");
    assert!(said.elapsed() < PROMPT, "a round trip took {:?}", said.elapsed());

    drop((crowd, waiting));
    let released = Instant::now();
    let mut carol = loop {
        // What was still in the queue may be turned away; a new attempt is what a client makes too.
        let mut carol = Tutorial::connect(server.address);
        if carol.enters_as("carol") {
            break carol;
        }
        assert!(released.elapsed() < PROMPT, "no entrance after release");
    };
    assert!(released.elapsed() < PROMPT, "accepted after {:?}", released.elapsed());
    carol.say("hello");
    bob.expect_message("carol", "hello");
    let log = server.stop().stderr;
    assert!(log.contains("cannot accept; raise the descriptor limit"), "{log}");
}
