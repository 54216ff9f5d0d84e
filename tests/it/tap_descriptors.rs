//! `glassline tap` with thousands of connections, and with fewer descriptors than clients.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::program::{Folder, PROGRAM, Process, command};

/// Connections of the largest classroom.
const CONNECTIONS: usize = 9_000;
/// Descriptors of the tests that run beside this one.
const OTHER_DESCRIPTORS: usize = 1_000;

struct Tap {
    process: Process,
    address: SocketAddr,
    server: TcpListener,
    _home: Folder,
}

impl Tap {
    /// Starts a tap that shows no frames, in a shell after these commands.
    fn start(before: &str) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let (home, to) = (Folder::new(), server.local_addr().unwrap());
        let mut shell = command("sh", &home);
        shell.args(["-c", &format!("{before} exec {PROGRAM} tap --quiet --listen 127.0.0.1:0 --to {to}")]);
        let mut process = Process::start(shell);
        process.close_stdin();
        let first = process.line();
        let address = first.strip_prefix("listening on ").expect(&first).parse().expect(&first);
        Self { process, address, server, _home: home }
    }

    fn accept(&self) -> TcpStream {
        self.server.accept().unwrap().0
    }
}

/// Sends a number, and checks that it arrives.
#[track_caller]
fn pass(from: &mut TcpStream, to: &mut TcpStream, number: usize) {
    let bytes = format!("{number:>8}");
    from.write_all(bytes.as_bytes()).unwrap();
    let mut arrived = [0; 8];
    to.read_exact(&mut arrived).unwrap();
    assert_eq!(arrived, bytes.as_bytes());
}

/// Raises the limit on descriptors of this process, as the tap raises its own. Returns how many
/// connections it permits; if fewer than wanted, says so, or fails under `CI=true`.
fn connections_permitted() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let descriptors = limit.maximum.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    // Client and server are of this process.
    let permitted = CONNECTIONS.min(descriptors.saturating_sub(OTHER_DESCRIPTORS) / 2);
    if permitted < CONNECTIONS {
        let reason = format!("{descriptors} descriptors permit {permitted} connections (ulimit -Hn)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{reason}");
        // Past the test's own capture of what it prints.
        let _ = writeln!(std::io::stderr(), "NOT RUN with {CONNECTIONS} connections: {reason}");
    }
    permitted
}

#[test]
fn thousands_of_connections_pass_through_the_tap() {
    let count = connections_permitted();
    let tap = Tap::start("");
    let mut connections: Vec<(TcpStream, TcpStream)> =
        (0..count).map(|_| (TcpStream::connect(tap.address).unwrap(), tap.accept())).collect();
    for (number, (client, server)) in connections.iter_mut().enumerate() {
        pass(client, server, number);
        pass(server, client, number);
    }
    // The first one ends; the others stay.
    let (first, mut its_server) = connections.remove(0);
    drop(first);
    assert_eq!(its_server.read(&mut [0; 8]).unwrap(), 0);
    let (client, server) = connections.last_mut().unwrap();
    pass(client, server, count);
    tap.process.signal("INT");
    assert_eq!(tap.process.ended().code, Some(0));
}

#[test]
fn without_descriptors_clients_of_the_tap_wait() {
    const CLIENTS: usize = 40;
    let tap = Tap::start("ulimit -n 32;");
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| TcpStream::connect(tap.address).unwrap()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(format!("{number:>8}").as_bytes()).unwrap();
    }
    while !tap.process.line().contains("no more clients are accepted until others leave") {}
    // Nobody was turned away: each is served when others have left.
    let mut numbers: Vec<usize> = Vec::new();
    while numbers.len() < CLIENTS {
        let mut server = tap.accept();
        let mut number = [0; 8];
        server.read_exact(&mut number).unwrap();
        let number: usize = std::str::from_utf8(&number).unwrap().trim().parse().unwrap();
        pass(&mut server, &mut clients[number], number);
        drop(server);
        let ended = clients[number].read(&mut [0; 8]);
        assert!(ended.is_ok_and(|length| length == 0));
        clients[number]
            .shutdown(std::net::Shutdown::Both)
            .or_else(|error| if error.kind() == ErrorKind::NotConnected { Ok(()) } else { Err(error) })
            .unwrap();
        numbers.push(number);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..CLIENTS).collect::<Vec<_>>());
}
