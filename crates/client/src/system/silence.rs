//! TCP keepalive: the system detects that the peer of a silent connection is gone.

use std::net::TcpStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// Time without input before the first probe.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
/// Interval of the probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Unanswered probes after which the connection is lost.
#[cfg(unix)]
const KEEPALIVE_PROBES: u32 = 3;
/// Time for which sent bytes may be unacknowledged before the connection is lost (L, "dead peer").
#[cfg(any(target_os = "linux", target_os = "android"))]
const DEAD_AFTER: Duration = Duration::from_secs(75);

/// Enables the probes, so that a connection whose peer is gone is reported as lost: the tutorial
/// dialect has no `ping`.
pub(crate) fn enable_keepalive(stream: &TcpStream) {
    // Where the system refuses an option, the link works with the system's own time limits.
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_INTERVAL);
    #[cfg(unix)]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(DEAD_AFTER));
}
