//! The program's own schemes without one of their protections, chosen at run time.

use std::fmt::Debug;
use std::sync::Arc;

use glassline_matrix::schemes::{MemberRule, Noise, Sealed, Tls, Unsealed};
use glassline_matrix::{LinkScheme, MemberKeys, Memory, RoomSeal, Scheme, Secret, ServerKeys};
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
    /// Noise: every key of a server is accepted.
    NoisePin,
    /// Noise: a missing end is no error.
    NoiseEnd,
    /// Seal: names keep no key.
    SealPin,
    /// Seal: repeated, missing and late messages are heard like others.
    SealOrder,
    /// Seal: different views of the room are not compared.
    SealView,
    /// Seal: the server's name for a sender is not compared with the sealed one.
    SealName,
    /// Seal: the server may say that the room is not sealed.
    SealMemory,
}

impl Sabotage {
    /// Name of the whole scheme, as in the table.
    pub(crate) fn base(self) -> &'static str {
        match self {
            Self::TlsPin | Self::TlsEnd => "tls",
            Self::NoisePin | Self::NoiseEnd => "noise",
            Self::SealPin | Self::SealOrder | Self::SealView | Self::SealName | Self::SealMemory => "sealed over noise",
        }
    }

    /// The scheme without this protection.
    pub(crate) fn scheme(self) -> Scheme {
        let (link, seal): (Arc<dyn LinkScheme>, Arc<dyn RoomSeal>) = match self {
            Self::TlsPin => (Arc::new(Tls::with_trust(anybody)), Arc::new(Unsealed)),
            Self::TlsEnd => (Arc::new(Endless(Tls::default())), Arc::new(Unsealed)),
            Self::NoisePin => (Arc::new(Noise::with_trust(anybody)), Arc::new(Unsealed)),
            Self::NoiseEnd => (Arc::new(Endless(Noise::default())), Arc::new(Unsealed)),
            Self::SealPin => sealed(MemberRule::PinNames),
            Self::SealOrder => sealed(MemberRule::HeedOrder),
            Self::SealView => sealed(MemberRule::HeedView),
            Self::SealName => sealed(MemberRule::CompareNames),
            Self::SealMemory => sealed(MemberRule::StaySealed),
        };
        Scheme::new(self.base(), link, seal)
    }
}

fn sealed(rule: MemberRule) -> (Arc<dyn LinkScheme>, Arc<dyn RoomSeal>) {
    (Arc::new(Noise::default()), Arc::new(Sealed::without(rule)))
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
