//! Connecting to the first address of a host that answers, and advice where none does.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// All addresses of a host together get this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One address gets this long, so that a dead first one leaves time for the second.
const CONNECT_ONE_TIMEOUT: Duration = Duration::from_secs(4);

/// Connects, or returns what is in the way and what to do.
pub(super) fn connect_to_any(address: &str) -> Result<TcpStream, String> {
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    let candidates = address.to_socket_addrs().map_err(|error| unknown_host(&error))?;
    let mut last_error = io::Error::new(ErrorKind::NotFound, "the host has no address");
    let mut refusing = None;
    for candidate in candidates {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&candidate, left.min(CONNECT_ONE_TIMEOUT)) {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                if error.kind() == ErrorKind::ConnectionRefused {
                    refusing = Some(candidate);
                }
                last_error = error;
            }
        }
    }
    Err(format!("{}; {}", describe(&last_error), advice(&last_error, refusing)))
}

fn unknown_host(error: &io::Error) -> String {
    // The system's text begins with the failed call, which is omitted.
    let words = error.to_string();
    let cause = words.strip_prefix("failed to lookup address information: ").unwrap_or(&words);
    format!(
        "the name of the host cannot be looked up ({cause}); check the name, and that this machine is on the network"
    )
}

/// Advice for an error. `refusing` is an address at which a machine answered that nothing listens.
pub(super) fn advice(error: &io::Error, refusing: Option<SocketAddr>) -> String {
    match refusing.filter(|_| error.kind() == ErrorKind::ConnectionRefused) {
        Some(address) if is_local(address.ip()) => {
            "start a server with `glassline serve`, or just run `glassline`".to_owned()
        }
        Some(address) => {
            let any = if address.is_ipv6() { "[::]" } else { "0.0.0.0" };
            let port = address.port();
            format!(
                "if a chat runs on that machine, it may be open to that machine only: there, `glassline --listen {any}:{port}` \
                 (or `glassline serve --listen {any}:{port}`) opens it to others; if it runs already, check the address and the port"
            )
        }
        None => "check the address, and that this machine is on the network".to_owned(),
    }
}

/// Returns whether an address is this machine's own for sure, on which a server of any kind of
/// listening would have answered.
fn is_local(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

/// Returns the system's error in plain language.
pub(super) fn describe(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "no answer in time".to_owned(),
        ErrorKind::ConnectionReset => "it reset the connection".to_owned(),
        _ => error.to_string(),
    }
}
