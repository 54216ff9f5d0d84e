//! Relay between programs that speak the test layer and peers in another language that do not:
//! `glassline-relay to-server|to-client ADDRESS`.
//!
//! It listens on a free port of the host of `ADDRESS` and says so on stdout. `to-server` accepts
//! plain connections and speaks the layer to the server at `ADDRESS`; `to-client` accepts
//! connections that speak the layer, and is plain to the server at `ADDRESS`. A peer's connection
//! goes on from the peer's own IP address, so that the server sees it. The end of stdin, such as
//! that of the parent, ends the program.

fn main() -> std::process::ExitCode {
    #[cfg(unix)]
    return relay::main();
    #[cfg(not(unix))]
    {
        eprintln!("the relay needs a Unix system");
        std::process::ExitCode::FAILURE
    }
}

#[cfg(unix)]
mod relay {
    use std::io;
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::process::ExitCode;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use glassline_testkit::{Relay, TestLayer};
    use glassline_wire::layer::{Layer, LayerStack};
    use socket2::{Domain, SockRef, Socket, Type};

    /// Connections at a time; more are reset.
    const CONNECTIONS_MAX: usize = 2_000;
    /// Each of the two socket buffers between the server and a peer that does not read: bounded, so
    /// that unread messages stay with the server, and several segments of the loopback interface
    /// long, as less than that makes its acknowledgements wait.
    const BUFFER_BYTES: usize = 256 * 1024;
    /// Stack of a connection's thread, which has its buffers on the heap.
    const STACK_BYTES: usize = 128 * 1024;

    /// Side of the layer that the relay takes.
    #[derive(Debug, Clone, Copy)]
    enum Direction {
        ToServer,
        ToClient,
    }

    pub(super) fn main() -> ExitCode {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let direction = match words[..] {
            ["to-server", _] => Direction::ToServer,
            ["to-client", _] => Direction::ToClient,
            _ => {
                eprintln!("usage: glassline-relay to-server|to-client ADDRESS");
                return ExitCode::from(2);
            }
        };
        match words[1].parse().map_err(io::Error::other).and_then(|target| serve(direction, target)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("cannot relay to {}: {error}", words[1]);
                ExitCode::FAILURE
            }
        }
    }

    /// Accepts connections until stdin ends.
    fn serve(direction: Direction, target: SocketAddr) -> io::Result<()> {
        let listener = TcpListener::bind((target.ip(), 0))?;
        // Accepted sockets inherit it.
        SockRef::from(&listener).set_send_buffer_size(BUFFER_BYTES)?;
        println!("listening on {}", listener.local_addr()?);
        thread::spawn(move || accept(direction, target, &listener));
        io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
    }

    fn accept(direction: Direction, target: SocketAddr, listener: &TcpListener) {
        let open = Arc::new(());
        loop {
            let Ok((peer, from)) = listener.accept() else {
                // Descriptors come back when connections end.
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            if Arc::strong_count(&open) > CONNECTIONS_MAX {
                reset(&peer);
                continue;
            }
            let counted = Arc::clone(&open);
            let connection = move || {
                if let Err(error) = relay(direction, target, peer, from) {
                    eprintln!("a connection of {from} was reset: {error}");
                }
                drop(counted);
            };
            if let Err(error) = thread::Builder::new().stack_size(STACK_BYTES).spawn(connection) {
                eprintln!("a connection of {from} was closed: {error}");
            }
        }
    }

    /// Connects to the target and moves bytes until both connections have ended.
    fn relay(direction: Direction, target: SocketAddr, peer: TcpStream, from: SocketAddr) -> io::Result<()> {
        let target = connect(target, from).inspect_err(|_| reset(&peer))?;
        let (plain, layered, layer): (_, _, Box<dyn Layer>) = match direction {
            Direction::ToServer => (peer, target, Box::new(TestLayer::client())),
            Direction::ToClient => (target, peer, Box::new(TestLayer::server())),
        };
        Relay::new(plain, layered, LayerStack::new(vec![layer]))?.run();
        Ok(())
    }

    /// Connects from the peer's own IP address.
    fn connect(target: SocketAddr, from: SocketAddr) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(target), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(from.ip(), 0).into())?;
        socket.set_recv_buffer_size(BUFFER_BYTES)?;
        socket.connect(&target.into())?;
        Ok(socket.into())
    }

    /// Has the connection reset when it is dropped.
    fn reset(peer: &TcpStream) {
        // A connection that is gone already needs no reset.
        let _ = SockRef::from(peer).set_linger(Some(Duration::ZERO));
    }
}
