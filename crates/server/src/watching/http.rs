//! `GET /metrics` and `GET /healthz` over HTTP, on threads of their own: a scraper that is stuck costs the server nothing.
//!
//! By hand over the standard library: two fixed pages need no router, and the small servers there are set no deadline for a
//! connection, so that a few silent ones would stop them.

use std::io::{self, Read, Write};
use std::net::{Shutdown as Direction, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tracing::warn;

use crate::shutdown::Shutdown;
use crate::watching::exposition::CONTENT_TYPE;
use crate::watching::numbers::render;
use crate::watching::{ANSWER_TIMEOUT, Watch};

/// Connections served at once; others wait in the kernel's queue. A scraper and a probe or two are all there should be.
const THREADS: usize = 4;
/// Longest head of a request: a scraper's has a few hundred bytes.
const REQUEST_BYTES_MAX: usize = 4 * 1024;
/// How long a request may take to arrive: whoever wants a page asks at once.
const HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// From accepting a connection to closing it, whatever the other side does.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// After the answer, how long the other side has to close first, so that what it still sends does not take the answer away.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);
/// Wait after a connection could not be accepted.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(500);

/// Starts answering on `listener` what `watch` sees of the server that ends with `shutdown`. Goes on for as long as the process lives.
///
/// # Errors
/// The system gives no thread, or no second handle of the listener.
pub fn serve_http(listener: &TcpListener, watch: &Watch, shutdown: &Shutdown) -> io::Result<()> {
    for _ in 0..THREADS {
        let (listener, watch, shutdown) = (listener.try_clone()?, watch.clone(), shutdown.clone());
        let named = thread::Builder::new().name("metrics".to_string());
        named.spawn(move || {
            loop {
                match listener.accept() {
                    // A peer that does not keep to its time or goes away is nobody's business.
                    Ok((stream, _)) => drop(converse(stream, &watch, &shutdown)),
                    Err(error) => {
                        warn!(%error, "cannot accept who asks for metrics; trying again");
                        thread::sleep(ACCEPT_BACKOFF);
                    }
                }
            }
        })?;
    }
    Ok(())
}

fn converse(mut stream: TcpStream, watch: &Watch, shutdown: &Shutdown) -> io::Result<()> {
    let accepted = Instant::now();
    let mut head = [0; REQUEST_BYTES_MAX];
    let answer = match read_head(&mut stream, &mut head, accepted + HEAD_TIMEOUT)? {
        Head::Whole(bytes) => answer_to(&head[..bytes], watch, shutdown),
        Head::TooLong => Answer::error("431 Request Header Fields Too Large", "this request is too long"),
        Head::CutOff => return Ok(()),
    };
    let until = accepted + CONNECTION_TIMEOUT;
    write_until(&mut stream, &answer.to_bytes(), until)?;
    stream.shutdown(Direction::Write)?;
    // Bytes left unread would turn the close into a reset.
    let until = until.min(Instant::now() + FAREWELL_TIMEOUT);
    while read_until(&mut stream, &mut head, until)? > 0 {}
    Ok(())
}

enum Head {
    /// So many bytes, with the empty line that ends it.
    Whole(usize),
    TooLong,
    CutOff,
}

fn read_head(stream: &mut TcpStream, head: &mut [u8], until: Instant) -> io::Result<Head> {
    let mut filled = 0;
    while filled < head.len() {
        let bytes = read_until(stream, &mut head[filled..], until)?;
        if bytes == 0 {
            return Ok(Head::CutOff);
        }
        filled += bytes;
        if is_whole(&head[..filled]) {
            return Ok(Head::Whole(filled));
        }
    }
    Ok(Head::TooLong)
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n") || head.windows(2).any(|end| end == b"\n\n")
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn read_until(stream: &mut TcpStream, buffer: &mut [u8], until: Instant) -> io::Result<usize> {
    loop {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn write_until(stream: &mut TcpStream, mut bytes: &[u8], until: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.set_write_timeout(Some(left(until)?))?;
        match stream.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Answer {
    fn words(status: &'static str, words: &str) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", body: format!("{words}\n") }
    }

    fn error(status: &'static str, words: &str) -> Self {
        Self::words(status, &format!("{words}; ask with GET for /metrics or /healthz"))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let Self { status, content_type, body } = self;
        let allow = if status.starts_with("405") { "Allow: GET\r\n" } else { "" };
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{allow}Cache-Control: no-store\r\n\
             Connection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

fn answer_to(head: &[u8], watch: &Watch, shutdown: &Shutdown) -> Answer {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Answer::error("400 Bad Request", "this is no HTTP request");
    };
    if !version.starts_with(b"HTTP/1.") {
        return Answer::error("400 Bad Request", "this is no request in HTTP/1");
    }
    // A query is nothing to us.
    match (method, target.split(|&byte| byte == b'?').next().unwrap_or_default()) {
        (b"GET", b"/metrics") => metrics(watch, shutdown),
        (b"GET", b"/healthz") => health(watch, shutdown),
        (b"GET", _) => Answer::error("404 Not Found", "there is no such page"),
        _ => Answer::error("405 Method Not Allowed", "this cannot be done here"),
    }
}

fn metrics(watch: &Watch, shutdown: &Shutdown) -> Answer {
    // A loop that says goodbye answers no more; what it told last is all there is.
    let timeout = if shutdown.is_requested() { Duration::ZERO } else { ANSWER_TIMEOUT };
    let seen = watch.ask(shutdown, timeout);
    Answer { status: "200 OK", content_type: CONTENT_TYPE, body: render(&seen.snapshot, seen.is_answer) }
}

fn health(watch: &Watch, shutdown: &Shutdown) -> Answer {
    if shutdown.is_requested() {
        Answer::words("503 Service Unavailable", "closing down")
    } else if watch.is_alive(shutdown, ANSWER_TIMEOUT) {
        Answer::words("200 OK", "ok")
    } else {
        Answer::words("503 Service Unavailable", "the server's loop does not answer; restart it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watching::Snapshot;

    /// Answers a request while a loop turns, or does not.
    fn answered(request: &[u8], turns: bool) -> Answer {
        let (watch, shutdown) = (Watch::new(), Shutdown::new());
        thread::scope(|scope| {
            let asker = scope.spawn(|| answer_to(request, &watch, &shutdown));
            while !asker.is_finished() {
                if turns {
                    watch.answer(watch.asked(), Snapshot { members: 5, ..Snapshot::default() });
                }
                thread::yield_now();
            }
            asker.join().expect("no panic")
        })
    }

    #[test]
    fn health_follows_the_loop() {
        let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_eq!(answered(request, true), Answer::words("200 OK", "ok"));
        let stuck = answered(request, false);
        assert!(stuck.status.starts_with("503 ") && stuck.body.contains("does not answer"), "{stuck:?}");
        let (watch, shutdown) = (Watch::new(), Shutdown::new());
        shutdown.request();
        let closing = answer_to(request, &watch, &shutdown);
        assert!(closing.status.starts_with("503 ") && closing.body == "closing down\n", "{closing:?}");
    }

    #[test]
    fn metrics_come_from_a_stuck_loop_too_and_say_that_they_are_old() {
        let request = b"GET /metrics HTTP/1.1\r\n\r\n";
        let fresh = answered(request, true).body;
        assert!(fresh.contains("\nglassline_members 5\n") && fresh.contains("\nglassline_loop_answers 1\n"), "{fresh}");
        let old = answered(request, false).body;
        assert!(old.contains("\nglassline_members 0\n") && old.contains("\nglassline_loop_answers 0\n"), "{old}");
    }

    #[test]
    fn what_is_not_asked_properly_is_answered_with_its_fault() {
        let (watch, shutdown) = (Watch::new(), Shutdown::new());
        for (request, status) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], "404"),
            (b"GET /metrics/ HTTP/1.1\r\n\r\n", "404"),
            (b"get /metrics HTTP/1.1\r\n\r\n", "405"),
            (b"POST /metrics HTTP/1.0\r\n\r\n", "405"),
            (b"HEAD /healthz HTTP/1.1\r\n\r\n", "405"),
            (b"GET /metrics\r\n\r\n", "400"),
            (b"GET  /metrics HTTP/1.1\r\n\r\n", "400"),
            (b"GET /metrics HTTP/2.0\r\n\r\n", "400"),
            (b"\n\n", "400"),
            (b"", "400"),
            (b"\xff\x00 \xff \xff\r\n\r\n", "400"),
        ] {
            let answer = answer_to(request, &watch, &shutdown);
            assert!(answer.status.starts_with(status), "{:?}: {answer:?}", request.escape_ascii().to_string());
        }
    }
}
