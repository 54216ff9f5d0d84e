//! A silent connection: the system finds out whether the other side is still
//! there.

use std::net::TcpStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// A connection without input for this long is probed,
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// this often,
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// so many times;
#[cfg(unix)]
const KEEPALIVE_PROBES: u32 = 3;
/// and what was sent and not taken for this long is as good a sign (L, "dead peer").
#[cfg(any(target_os = "linux", target_os = "android"))]
const DEAD_AFTER: Duration = Duration::from_secs(75);

/// Lets a connection whose other side has vanished be reported as lost. A tutorial
/// server cannot be asked for a sign of life.
pub(crate) fn enable_keepalive(stream: &TcpStream) {
    // Where the system refuses an option the link works all the same, with the system's own
    // patience.
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_INTERVAL);
    #[cfg(unix)]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(DEAD_AFTER));
}
