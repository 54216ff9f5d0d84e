//! The layer: bytes in, bytes out, through offer, handshake and records.

use std::sync::Arc;

use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerState};
use glassline_wire::link::{IdentityKey, LinkFacts, LinkKind};

use super::LocalKeys;
use super::framing::MessageReader;
use super::handshake::{ClientHandshake, Established, ServerHandshake};
use super::offer::{Offer, OfferReader};
use super::records::{RECORD_OVERHEAD_BYTES, Record, Records, SENT_PLAINTEXT_BYTES_MAX};
use crate::ServerTrust;
use crate::gather::Slices;

/// Room that the output keeps for the record that announces the end.
const SENT_BYTES_MAX: usize = LAYER_BYTES_MAX - RECORD_OVERHEAD_BYTES;
/// Capacity that an empty output keeps, so that an idle connection costs little.
const IDLE_OUTPUT_BYTES: usize = 512;

/// One side of a Noise link.
#[derive(Debug)]
pub(super) struct NoiseLayer {
    stage: Stage,
    reader: MessageReader,
    output: Vec<u8>,
    /// Nothing more is sent; the end is announced as soon as there are keys.
    is_closing: bool,
}

/// Progress, with what it needs.
#[derive(Debug)]
enum Stage {
    /// Server: the offer arrives.
    Offer {
        keys: Arc<LocalKeys>,
        offer: OfferReader,
    },
    /// Server: message 1 arrives.
    First {
        keys: Arc<LocalKeys>,
        offer: Offer,
    },
    /// Server: message 3 arrives.
    Third(Box<ServerHandshake>),
    /// Client: message 2 arrives.
    Second(Box<ClientHandshake>),
    Open(Link),
    PeerClosed(Link),
    /// Nothing more is taken or sent.
    Failed {
        error: LayerError,
        state: LayerState,
    },
}

/// A link whose handshake is over.
#[derive(Debug)]
struct Link {
    records: Box<Records>,
    peer: Option<IdentityKey>,
}

impl NoiseLayer {
    /// Side that accepts.
    pub(super) fn server(keys: Arc<LocalKeys>) -> Self {
        Self::new(Stage::Offer { keys, offer: OfferReader::default() }, Vec::new())
    }

    /// Side that connects; its offer and message 1 are its output at once.
    pub(super) fn client(keys: &Arc<LocalKeys>, offer: &Offer, trust: Arc<dyn ServerTrust>) -> Self {
        let mut output = Vec::new();
        let stage = match ClientHandshake::start(keys, offer, trust, &mut output) {
            Ok(handshake) => Stage::Second(Box::new(handshake)),
            Err(error) => Stage::Failed { error, state: LayerState::Handshaking },
        };
        Self::new(stage, output)
    }

    fn new(stage: Stage, output: Vec<u8>) -> Self {
        Self { stage, reader: MessageReader::default(), output, is_closing: false }
    }

    /// Takes what `input` has for this stage. Returns the next stage, and whether there may be more
    /// for it.
    fn advance(
        &mut self,
        stage: Stage,
        input: &mut &[u8],
        plaintext: &mut Vec<u8>,
    ) -> Result<(Stage, Progress), LayerError> {
        match stage {
            Stage::Offer { keys, mut offer } => Ok(match offer.next(input)? {
                Some(offer) => (Stage::First { keys, offer }, Progress::Continue),
                None => (Stage::Offer { keys, offer }, Progress::Wait),
            }),
            Stage::First { keys, offer } => {
                let Some(message) = self.reader.next(input, ServerHandshake::check_first_length)? else {
                    return Ok((Stage::First { keys, offer }, Progress::Wait));
                };
                let handshake = ServerHandshake::start(&keys, &offer, &message, &mut self.output)?;
                Ok((Stage::Third(Box::new(handshake)), Progress::Continue))
            }
            Stage::Third(handshake) => match self.reader.next(input, ServerHandshake::check_length)? {
                Some(message) => Ok(self.open(handshake.finish(&message)?)),
                None => Ok((Stage::Third(handshake), Progress::Wait)),
            },
            Stage::Second(handshake) => match self.reader.next(input, ClientHandshake::check_length)? {
                Some(message) => {
                    let established = handshake.finish(&message, &mut self.output)?;
                    Ok(self.open(established))
                }
                None => Ok((Stage::Second(handshake), Progress::Wait)),
            },
            Stage::Open(mut link) => match self.reader.next(input, Records::check_length)? {
                Some(record) => match link.records.open(&record, plaintext)? {
                    Record::Data => Ok((Stage::Open(link), Progress::Continue)),
                    Record::End => Ok((Stage::PeerClosed(link), Progress::Wait)),
                },
                None => Ok((Stage::Open(link), Progress::Wait)),
            },
            closed @ Stage::PeerClosed(_) => Ok((closed, Progress::Wait)),
            Stage::Failed { error, .. } => Err(error),
        }
    }

    fn open(&mut self, established: Established) -> (Stage, Progress) {
        let mut link = Link { records: Box::new(established.records), peer: established.peer };
        if self.is_closing {
            link.records.seal(&[], &mut self.output);
        }
        (Stage::Open(link), Progress::Continue)
    }

    /// Keys of a link on which something can be sent.
    fn records(&mut self) -> Option<&mut Records> {
        match &mut self.stage {
            Stage::Open(link) | Stage::PeerClosed(link) => Some(&mut link.records),
            _ => None,
        }
    }
}

/// Outcome of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The input may hold more for the next stage.
    Continue,
    /// Nothing is left that counts.
    Wait,
}

impl Layer for NoiseLayer {
    fn state(&self) -> LayerState {
        match &self.stage {
            Stage::Open(_) => LayerState::Open,
            Stage::PeerClosed(_) => LayerState::PeerClosed,
            Stage::Failed { state, .. } => *state,
            Stage::Offer { .. } | Stage::First { .. } | Stage::Second(_) | Stage::Third(_) => LayerState::Handshaking,
        }
    }

    fn facts(&self) -> Option<LinkFacts> {
        match &self.stage {
            Stage::Open(link) | Stage::PeerClosed(link) => Some(LinkFacts { kind: LinkKind::Noise, peer: link.peer }),
            _ => None,
        }
    }

    fn receive(&mut self, mut bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        loop {
            let state = self.state();
            let unset = Stage::Failed { error: LayerError::Truncated, state };
            let current = std::mem::replace(&mut self.stage, unset);
            match self.advance(current, &mut bytes, plaintext) {
                Ok((next, progress)) => {
                    self.stage = next;
                    if progress == Progress::Wait {
                        return Ok(());
                    }
                }
                Err(error) => {
                    self.stage = Stage::Failed { error: error.clone(), state };
                    self.reader = MessageReader::default();
                    return Err(error);
                }
            }
        }
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        if self.is_closing {
            return 0;
        }
        let mut output = std::mem::take(&mut self.output);
        let taken = self.records().map_or(0, |records| send_records(records, plaintext, &mut output));
        self.output = output;
        taken
    }

    fn close(&mut self) {
        if self.is_closing {
            return;
        }
        self.is_closing = true;
        let mut output = std::mem::take(&mut self.output);
        if let Some(records) = self.records() {
            records.seal(&[], &mut output);
        }
        self.output = output;
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn consume_output(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
        if self.output.is_empty() && self.output.capacity() > IDLE_OUTPUT_BYTES {
            self.output = Vec::new();
        }
    }

    fn end_of_input(&self) -> Result<(), LayerError> {
        match &self.stage {
            Stage::Failed { error, .. } => Err(error.clone()),
            Stage::Open(_) => Err(LayerError::Truncated),
            _ => Ok(()),
        }
    }
}

/// Appends records with as much of `plaintext` as the output has room for. Returns its bytes.
fn send_records(records: &mut Records, plaintext: &[&[u8]], output: &mut Vec<u8>) -> usize {
    let mut slices = Slices::new(plaintext);
    let mut taken = 0;
    loop {
        let room = SENT_BYTES_MAX.saturating_sub(output.len() + RECORD_OVERHEAD_BYTES);
        let piece = slices.next(room.min(SENT_PLAINTEXT_BYTES_MAX));
        if piece.is_empty() || !records.seal(piece, output) {
            return taken;
        }
        taken += piece.len();
    }
}
