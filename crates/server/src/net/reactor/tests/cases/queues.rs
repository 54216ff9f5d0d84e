//! Clients that send requests and never read.

use std::net::SocketAddr;

use super::*;

const QUEUES_BYTES_MAX: usize = 256 * 1024;
/// The longest answer to one request.
const ANSWER_BYTES_MAX: usize = 110 * 1024;

/// Logs in through a connection that buffers little.
fn enter_narrow(server: &mut TestServer, n: usize, name: &str) -> Pipe {
    let peer = SocketAddr::from(([10, 0, (n >> 4) as u8, n as u8], 4_000));
    let pipe = server.connect(peer, 512);
    pipe.send(&opened(&format!(r#"{{"type":"hello","name":"{name}"}}"#)));
    turn_until_it_waits(server);
    pipe
}

/// Reads everything that comes until the server waits.
fn read_on(server: &mut TestServer, pipe: &Pipe) -> String {
    let mut output = String::new();
    loop {
        turn_until_it_waits(server);
        let more = received(pipe);
        if more.is_empty() {
            return output;
        }
        output.push_str(&more);
    }
}

#[test]
fn all_queues_together_are_bounded_and_readers_are_served() {
    let limits = Limits { send_queues_bytes_max: QUEUES_BYTES_MAX, ..Limits::default() };
    let config = Config { limits, flood: FloodLimit::Off, replay: 0, ..Config::default() };
    for request in
        [r#"{"type":"rooms"}"#, r#"{"type":"members","room":"lobby"}"#, r#"{"type":"ping","ref":"x"}"#, "no event"]
    {
        let mut server = TestServer::open(config.clone(), None, NOW);
        let reader = enter_narrow(&mut server, 0, "reader");
        read_on(&mut server, &reader);
        let mut silent = Vec::new();
        for n in 1..120 {
            silent.push(enter_narrow(&mut server, n, &format!("silent{n}_{}", "x".repeat(20))));
            for pipe in &silent {
                pipe.send(&frame(request).repeat(20));
            }
            turn_until_it_waits(&mut server);
            let queued_bytes = server.reactor.hub.queued_bytes_total();
            assert!(queued_bytes <= QUEUES_BYTES_MAX + ANSWER_BYTES_MAX, "{queued_bytes} bytes after {n}: {request}");
            reader.send(&frame(format!(r#"{{"type":"rooms","ref":"{n}"}}"#)));
            let output = read_on(&mut server, &reader);
            assert!(output.contains(&format!(r#""ref":"{n}""#)), "the reader is answered: {output}");
        }
        assert!(!reader.is_finished());
    }
}

#[test]
fn who_reads_slowly_is_kept_and_who_never_reads_is_closed() {
    let limits = Limits { send_queues_bytes_max: QUEUES_BYTES_MAX, ..Limits::default() };
    let config = Config { limits, flood: FloodLimit::Off, replay: 0, ..Config::default() };
    let mut server = TestServer::open(config, None, NOW);
    let slow = enter_narrow(&mut server, 0, "slow");
    read_on(&mut server, &slow);
    for n in 0..200 {
        slow.send(&frame(format!(r#"{{"type":"ping","ref":"{n}"}}"#)));
    }
    let mut output = String::new();
    let mut silent = Vec::new();
    for n in 1..200_u64 {
        let now = Now { monotonic_ms: n, ..NOW };
        let pipe = enter_narrow(&mut server, n as usize, &format!("silent{n}_{}", "x".repeat(20)));
        // The first answer is queued whatever others have, and thousands of bytes long.
        pipe.send(&frame(r#"{"type":"members","room":"lobby"}"#).repeat(100));
        silent.push(pipe);
        // It takes a little at a time, and so always has something waiting.
        output.push_str(&String::from_utf8(slow.take(50)).expect("text"));
        for _ in 0..20 {
            server.turn(now).expect("goes on");
        }
    }
    let closed = silent.iter().filter(|pipe| pipe.is_closed()).count();
    assert!(closed > 0 && server.counts().contains(&format!("reads_too_little={closed}")), "{}", server.counts());
    output.push_str(&read_on(&mut server, &slow));
    assert!(output.contains(r#""ref":"199""#) && !slow.is_finished(), "{}", server.counts());
}
