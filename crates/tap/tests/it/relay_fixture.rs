//! A relay in a thread of its own, with a server that the test plays.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use glassline_tap::relay::{Observations, channel};
use glassline_tap::{Observation, Recorder, Relay, RelayError, RelayHandle, RelayOptions, Summary};
use socket2::SockRef;

/// Longest wait for anything; what takes longer has failed.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);
const ANY_PORT: &str = "127.0.0.1:0";

/// A running relay.
pub(crate) struct RelayFixture {
    pub(crate) address: SocketAddr,
    pub(crate) handle: RelayHandle,
    server: TcpListener,
    relay: Option<JoinHandle<Result<Summary, RelayError>>>,
}

impl RelayFixture {
    /// Starts a relay with these options.
    pub(crate) fn start(prepare: impl FnOnce(RelayOptions) -> RelayOptions) -> Self {
        Self::start_relay(prepare, |_| {})
    }

    /// Starts a relay with these options that records to a file of this path.
    pub(crate) fn recording(path: &Path, prepare: impl FnOnce(RelayOptions) -> RelayOptions) -> Self {
        Self::start_relay(prepare, |relay| relay.record(Recorder::create(path, 0).unwrap()))
    }

    /// Starts a relay that records to a file of this path, with the secrets of a key log.
    #[allow(dead_code, reason = "the tests with tshark use it")]
    pub(crate) fn recording_with_key_log(path: &Path, key_log: &Path) -> Self {
        let recorder = Recorder::create(path, 0).unwrap();
        Self::start_relay(|options| options, |relay| relay.record_with_key_log(recorder, key_log).unwrap())
    }

    fn start_relay(prepare: impl FnOnce(RelayOptions) -> RelayOptions, record: impl FnOnce(&mut Relay)) -> Self {
        let server = TcpListener::bind(ANY_PORT).unwrap();
        let to = server.local_addr().unwrap();
        let mut relay = Relay::bind(prepare(RelayOptions::new(ANY_PORT.parse().unwrap(), to))).unwrap();
        record(&mut relay);
        let (address, handle) = (relay.address(), relay.handle());
        let relay = Some(thread::spawn(move || relay.run()));
        Self { address, handle, server, relay }
    }

    /// Starts a relay that reports its frames.
    pub(crate) fn observed() -> (Self, Observations) {
        let (observer, observations) = channel(10_000, 64 << 20);
        (Self::start(|options| options.observe(observer)), observations)
    }

    /// Connects a client, and accepts its connection to the server.
    pub(crate) fn connect(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.address).unwrap();
        let (server, _) = self.server.accept().unwrap();
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
            stream.set_write_timeout(Some(WAIT_MAX)).unwrap();
        }
        (client, server)
    }

    /// Gives the server's side of later connections the smallest buffer for what it receives.
    pub(crate) fn shrink_server_windows(&self) {
        SockRef::from(&self.server).set_recv_buffer_size(1).unwrap();
    }

    /// Stops the relay, and waits until it has ended.
    pub(crate) fn stop(mut self) {
        self.handle.stop();
        self.relay.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for RelayFixture {
    fn drop(&mut self) {
        self.handle.stop();
    }
}

/// Sends bytes, and returns what arrives at the other end.
pub(crate) fn sent(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    from.write_all(bytes).unwrap();
    let mut arrived = vec![0; bytes.len()];
    to.read_exact(&mut arrived).unwrap();
    arrived
}

/// Returns everything up to the end of the stream, and how it ended.
pub(crate) fn rest(stream: &mut TcpStream) -> (Vec<u8>, std::io::Result<()>) {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    (bytes, ended.map(|_| ()))
}

/// Waits for an observation that `wanted` accepts.
#[track_caller]
pub(crate) fn wait_for(observations: &Observations, mut wanted: impl FnMut(&Observation) -> bool) -> Observation {
    loop {
        let observation = observations.receive_within(WAIT_MAX).unwrap();
        if wanted(&observation) {
            return observation;
        }
    }
}
