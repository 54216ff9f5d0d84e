//! Peers that speak TLS and Noise over a socket.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use glassline_secure::noise::{NoiseClient, NoiseClientOptions, NoiseServer};
use glassline_secure::tls::{Authorities, ServerCertificate, TlsClient, TlsClientOptions, TlsServer};
use glassline_secure::{Fingerprint, Identity, ServerOffer, ServerTrust, Untrusted};
use glassline_wire::layer::{LayerError, LayerFactory, LayerStack, LayerState};
use glassline_wire::link::{LinkFacts, LinkKind};

/// Text of a client that has pinned another key.
pub(crate) const STOP: &str = "this is not the key that was pinned";

/// Accepts one key, or the first that comes.
#[derive(Debug)]
pub(crate) struct Pin(pub(crate) Option<Fingerprint>);

impl ServerTrust for Pin {
    fn check(&self, offer: &ServerOffer) -> Result<(), Untrusted> {
        if self.0.is_none_or(|pinned| pinned == offer.key) { Ok(()) } else { Err(Untrusted(STOP.to_owned())) }
    }
}

/// Keys of a server.
pub(crate) struct ServerKeys {
    pub(crate) certificate: ServerCertificate,
    pub(crate) identity: Identity,
}

impl ServerKeys {
    pub(crate) fn new() -> Self {
        let certificate = ServerCertificate::generate(&[], SystemTime::now()).unwrap();
        Self { certificate, identity: Identity::from_seed(&[3; 32]) }
    }

    pub(crate) fn fingerprint(&self, link: LinkKind) -> Fingerprint {
        match link {
            LinkKind::Tls => self.certificate.fingerprint(),
            LinkKind::Plaintext | LinkKind::Noise => self.identity.fingerprint(),
        }
    }

    pub(crate) fn layers(&self, link: LinkKind) -> LayerStack {
        match link {
            LinkKind::Tls => TlsServer::new(&self.certificate).unwrap().layers(),
            LinkKind::Plaintext | LinkKind::Noise => NoiseServer::new(&self.identity).unwrap().layers(),
        }
    }
}

/// Layers of a client that accepts this key, or any.
pub(crate) fn client_layers(link: LinkKind, pinned: Option<Fingerprint>, identity: Option<Identity>) -> LayerStack {
    let (trust, identity) = (Arc::new(Pin(pinned)), identity.map(Arc::new));
    let server_name = "localhost".to_owned();
    if link == LinkKind::Tls {
        let (authorities, now) = (Authorities::None, SystemTime::now);
        let options = TlsClientOptions { server_name, identity, trust, authorities, key_log: None, now };
        return TlsClient::new(options).unwrap().layers();
    }
    NoiseClient::new(&NoiseClientOptions { server_name, identity, trust }).unwrap().layers()
}

/// One side of a secure link.
pub(crate) struct SecurePeer {
    pub(crate) stream: TcpStream,
    layers: LayerStack,
    plaintext: Vec<u8>,
}

/// End of reading before there was enough.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The peer announced it.
    Announced,
    /// The stream ended so.
    Stream(Result<(), LayerError>),
    /// The link has failed.
    Failed(LayerError),
}

impl SecurePeer {
    pub(crate) fn new(stream: TcpStream, layers: LayerStack) -> Self {
        let mut peer = Self { stream, layers, plaintext: Vec::new() };
        peer.flush();
        peer
    }

    pub(crate) fn facts(&self) -> LinkFacts {
        self.layers.facts()
    }

    fn flush(&mut self) {
        while !self.layers.output().is_empty() {
            // A peer that has gone is noticed by reading.
            let _ = self.stream.write_all(self.layers.output());
            self.layers.consume_output(self.layers.output().len());
        }
    }

    /// Reads once.
    fn step(&mut self) -> Result<(), Ended> {
        if self.layers.state() == LayerState::PeerClosed {
            return Err(Ended::Announced);
        }
        let mut buffer = [0; 16 * 1024];
        let length = self.stream.read(&mut buffer).unwrap_or(0);
        if length == 0 {
            return Err(Ended::Stream(self.layers.end_of_input()));
        }
        let received = self.layers.receive(&buffer[..length], &mut self.plaintext);
        self.flush();
        received.map_err(Ended::Failed)
    }

    /// Completes the handshake.
    pub(crate) fn shake_hands(&mut self) -> Result<(), Ended> {
        while self.layers.state() == LayerState::Handshaking {
            self.step()?;
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.layers.send(&[bytes]);
            self.flush();
            bytes = &bytes[taken..];
        }
    }

    /// Sends bytes, unless the socket takes nothing for that long. Nothing can be sent then.
    pub(crate) fn send_within(&mut self, limit: Duration, bytes: &[u8]) -> bool {
        self.stream.set_write_timeout(Some(limit)).unwrap();
        assert_eq!(self.layers.send(&[bytes]), bytes.len());
        let is_sent = self.stream.write_all(self.layers.output()).is_ok();
        self.layers.consume_output(self.layers.output().len());
        is_sent
    }

    /// Returns the next bytes.
    pub(crate) fn read(&mut self, length: usize) -> Vec<u8> {
        while self.plaintext.len() < length {
            self.step().unwrap();
        }
        self.plaintext.drain(..length).collect()
    }

    /// Returns everything up to the end, and how it ended.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, Ended) {
        loop {
            if let Err(ended) = self.step() {
                return (std::mem::take(&mut self.plaintext), ended);
            }
        }
    }

    /// Announces the end, and closes the sending side.
    pub(crate) fn close(&mut self) {
        self.layers.close();
        self.flush();
        self.cut_off();
    }

    /// Closes the sending side without announcing it.
    pub(crate) fn cut_off(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}
