//! The program's own schemes without one of their protections, chosen at run time.

use std::fmt::Debug;
use std::sync::Arc;

use glassline_matrix::schemes::{MemberRule, Noise, Sealed, Tls, Unsealed};
use glassline_matrix::{Compromised, LinkScheme, MemberKeys, Memory, RoomSeal, Scheme, Secret, ServerKeys};
use glassline_secure::{ServerOffer, ServerTrust, Untrusted};
use glassline_wire::layer::{Layer, LayerError, LayerStack, LayerState};
use glassline_wire::link::LinkFacts;

/// Protection that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sabotage {
    /// TLS: every key of a server is accepted.
    TlsPin,
    /// TLS: a missing end is no error.
    TlsEnd,
    /// TLS: a client whose server does not answer in TLS goes on in plain text.
    TlsStrict,
    /// Noise: every key of a server is accepted.
    NoisePin,
    /// Noise: a missing end is no error.
    NoiseEnd,
    /// Noise: a client whose server does not answer in Noise goes on in plain text.
    NoiseStrict,
    /// Seal: names keep no key.
    SealPin,
    /// Seal: repeated, missing and late messages are heard like others.
    SealOrder,
    /// Seal: different views of the room are not compared.
    SealView,
    /// Seal: the server's name for a sender is not compared with the sealed one.
    SealName,
    /// Seal: neither names nor keys of senders are compared with anything.
    SealSender,
    /// Seal: the server may say that the room is not sealed.
    SealMemory,
    /// Seal: texts under an older key are heard like others.
    SealEpoch,
    /// Seal: texts of another room are heard like those of this one.
    SealRoom,
}

impl Sabotage {
    /// Name of the whole scheme, as in the table.
    pub(crate) fn base(self) -> &'static str {
        match self {
            Self::TlsPin | Self::TlsEnd | Self::TlsStrict => "tls",
            Self::NoisePin | Self::NoiseEnd | Self::NoiseStrict => "noise",
            Self::SealPin
            | Self::SealOrder
            | Self::SealView
            | Self::SealName
            | Self::SealSender
            | Self::SealMemory
            | Self::SealEpoch
            | Self::SealRoom => "sealed over noise",
        }
    }

    /// The scheme without this protection.
    pub(crate) fn scheme(self) -> Scheme {
        let (link, seal): (Arc<dyn LinkScheme>, Arc<dyn RoomSeal>) = match self {
            Self::TlsPin => (Arc::new(Tls::with_trust(anybody)), Arc::new(Unsealed)),
            Self::TlsEnd => (Arc::new(Endless(Tls::default())), Arc::new(Unsealed)),
            Self::TlsStrict => (Arc::new(FallingBack(Tls::default())), Arc::new(Unsealed)),
            Self::NoisePin => (Arc::new(Noise::with_trust(anybody)), Arc::new(Unsealed)),
            Self::NoiseEnd => (Arc::new(Endless(Noise::default())), Arc::new(Unsealed)),
            Self::NoiseStrict => (Arc::new(FallingBack(Noise::default())), Arc::new(Unsealed)),
            Self::SealPin => sealed(&[MemberRule::PinNames]),
            Self::SealOrder => sealed(&[MemberRule::HeedOrder]),
            Self::SealView => sealed(&[MemberRule::HeedView]),
            Self::SealName => sealed(&[MemberRule::CompareNames]),
            Self::SealSender => sealed(&[MemberRule::PinNames, MemberRule::CompareNames]),
            Self::SealMemory => sealed(&[MemberRule::StaySealed]),
            Self::SealEpoch => sealed(&[MemberRule::HeedEpoch]),
            Self::SealRoom => sealed(&[MemberRule::CompareRooms]),
        };
        Scheme::new(self.base(), link, seal)
    }
}

fn sealed(rules: &'static [MemberRule]) -> (Arc<dyn LinkScheme>, Arc<dyn RoomSeal>) {
    (Arc::new(Noise::default()), Arc::new(Sealed::without(rules)))
}

fn anybody(_: Arc<Memory>) -> Arc<dyn ServerTrust> {
    Arc::new(Anybody)
}

#[derive(Debug)]
struct Anybody;

impl ServerTrust for Anybody {
    fn check(&self, _: &ServerOffer) -> Result<(), Untrusted> {
        Ok(())
    }
}

/// Link on which the end of a stream is never an error.
#[derive(Debug)]
struct Endless<L>(L);

impl<L: LinkScheme> LinkScheme for Endless<L> {
    fn public(&self, own: &Secret) -> Vec<u8> {
        self.0.public(own)
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        LayerStack::new(vec![Box::new(EndlessLayer(self.0.client(keys, memory, random)))])
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        LayerStack::new(vec![Box::new(EndlessLayer(self.0.server(keys, random)))])
    }

    fn compromised<'a>(&'a self, keys: &ServerKeys, random: Secret) -> Compromised<'a> {
        self.0.compromised(keys, random)
    }
}

#[derive(Debug)]
struct EndlessLayer(LayerStack);

impl Layer for EndlessLayer {
    fn state(&self) -> LayerState {
        self.0.state()
    }

    fn facts(&self) -> Option<LinkFacts> {
        Some(self.0.facts())
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        self.0.receive(bytes, plaintext)
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        self.0.send(plaintext)
    }

    fn close(&mut self) {
        self.0.close();
    }

    fn output(&self) -> &[u8] {
        self.0.output()
    }

    fn consume_output(&mut self, bytes: usize) {
        self.0.consume_output(bytes);
    }

    fn end_of_input(&self) -> Result<(), LayerError> {
        Ok(())
    }
}

/// Link whose clients go on in plain text where the first answer is not of this link.
#[derive(Debug)]
struct FallingBack<L>(L);

impl<L: LinkScheme> LinkScheme for FallingBack<L> {
    fn public(&self, own: &Secret) -> Vec<u8> {
        self.0.public(own)
    }

    fn client(&self, keys: &MemberKeys, memory: &Arc<Memory>, random: Secret) -> LayerStack {
        let link = self.0.client(keys, memory, random);
        LayerStack::new(vec![Box::new(FallingBackLayer { link, plain: None })])
    }

    fn server(&self, keys: &ServerKeys, random: Secret) -> LayerStack {
        self.0.server(keys, random)
    }

    fn compromised<'a>(&'a self, keys: &ServerKeys, random: Secret) -> Compromised<'a> {
        self.0.compromised(keys, random)
    }
}

#[derive(Debug)]
struct FallingBackLayer {
    link: LayerStack,
    /// Output of the client that goes on in plain text.
    plain: Option<Vec<u8>>,
}

impl Layer for FallingBackLayer {
    fn state(&self) -> LayerState {
        if self.plain.is_some() { LayerState::Open } else { self.link.state() }
    }

    fn facts(&self) -> Option<LinkFacts> {
        self.plain.is_none().then(|| self.link.facts())
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        if self.plain.is_some() {
            plaintext.extend_from_slice(bytes);
            return Ok(());
        }
        match self.link.receive(bytes, plaintext) {
            Err(LayerError::Malformed(_) | LayerError::Refused(_)) if self.link.state() == LayerState::Handshaking => {
                self.plain = Some(Vec::new());
                Ok(())
            }
            received => received,
        }
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        let Some(plain) = &mut self.plain else { return self.link.send(plaintext) };
        let before = plain.len();
        plain.extend(plaintext.iter().copied().flatten());
        plain.len() - before
    }

    fn close(&mut self) {
        self.link.close();
    }

    fn output(&self) -> &[u8] {
        self.plain.as_deref().unwrap_or_else(|| self.link.output())
    }

    fn consume_output(&mut self, bytes: usize) {
        match &mut self.plain {
            Some(plain) => drop(plain.drain(..bytes.min(plain.len()))),
            None => self.link.consume_output(bytes),
        }
    }

    fn end_of_input(&self) -> Result<(), LayerError> {
        if self.plain.is_some() { Ok(()) } else { self.link.end_of_input() }
    }
}
