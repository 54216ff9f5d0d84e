//! Layer for tests that has everything a secure link has but the secrecy, so that each assumption
//! of plain TCP in a transport shows.
//!
//! Records carry a length and a checksum and are disguised by their number: bytes that passed by
//! the layer, twice or out of order are noticed. A record counts once it is whole. The handshake
//! takes one and a half round trips (`Hello`, `Reply`, `Finished`); both sides send `Tick` records
//! without a request; the end is a record of its own.
//!
//! ```text
//! kind (1) | payload bytes (2, big-endian) | checksum (1) | payload
//! ```

use std::sync::Arc;

use glassline_wire::layer::{LAYER_BYTES_MAX, Layer, LayerError, LayerFactory, LayerStack, LayerState};

const HEADER_BYTES: usize = 4;
/// Small, so that a message of ordinary length takes several records.
const PAYLOAD_BYTES_MAX: usize = 500;
/// A `Tick` follows each time so many records of data have arrived.
const RECORDS_PER_TICK: u32 = 4;

/// Kind of a record. None is a character of ASCII, so plaintext is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Hello = 0xe1,
    Reply,
    Finished,
    Data,
    Tick,
    Close,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Hello, Self::Reply, Self::Finished, Self::Data, Self::Tick, Self::Close];
}

/// Returns whether servers and clients that know this layer are to speak it.
pub fn is_test_layer_wanted() -> bool {
    std::env::var_os("GLASSLINE_TEST_LAYER").is_some_and(|value| value == "1")
}

/// Returns the layers of a side ([`TestLayer::client`], [`TestLayer::server`]) that knows this layer.
pub fn test_layers(side: fn() -> TestLayer) -> Option<Arc<dyn LayerFactory>> {
    is_test_layer_wanted().then(|| Arc::new(TestLayers(side)) as Arc<dyn LayerFactory>)
}

#[derive(Debug)]
struct TestLayers(fn() -> TestLayer);

impl LayerFactory for TestLayers {
    fn layers(&self) -> LayerStack {
        LayerStack::new(vec![Box::new((self.0)())])
    }
}

/// One side's layer.
#[derive(Debug)]
pub struct TestLayer {
    is_client: bool,
    state: LayerState,
    /// Part of a record.
    held: Vec<u8>,
    output: Vec<u8>,
    received_records: u32,
    sent_records: u32,
    data_records: u32,
    is_closed: bool,
}

impl TestLayer {
    /// Side that connects; it has the first record as its output at once.
    pub fn client() -> Self {
        let mut layer = Self::new(true);
        layer.push(Kind::Hello, &[b"test"]);
        layer
    }

    /// Side that accepts.
    pub fn server() -> Self {
        Self::new(false)
    }

    fn new(is_client: bool) -> Self {
        Self {
            is_client,
            state: LayerState::Handshaking,
            held: Vec::new(),
            output: Vec::new(),
            received_records: 0,
            sent_records: 0,
            data_records: 0,
            is_closed: false,
        }
    }

    fn push(&mut self, kind: Kind, payload: &[&[u8]]) {
        let bytes: usize = payload.iter().map(|part| part.len()).sum();
        let checksum = payload.iter().flat_map(|part| *part).fold(kind as u8, |sum, byte| sum.rotate_left(1) ^ byte);
        let mask = mask(self.sent_records);
        self.output.push(kind as u8);
        self.output.extend(u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes());
        self.output.push(checksum ^ mask);
        self.output.extend(payload.iter().flat_map(|part| *part).map(|byte| byte ^ mask));
        self.sent_records = self.sent_records.wrapping_add(1);
    }

    /// Takes the record at the start of what is held. Returns its length; none where it is not whole.
    fn take_record(&mut self, from: usize, plaintext: &mut Vec<u8>) -> Result<Option<usize>, LayerError> {
        let Some((&[kind, high, low, checksum], rest)) = self.held[from..].split_first_chunk() else {
            return Ok(None);
        };
        let malformed = |text: &str| LayerError::Malformed(text.to_owned());
        let kind = Kind::ALL.into_iter().find(|known| *known as u8 == kind).ok_or_else(|| malformed("no record"))?;
        let bytes = usize::from(u16::from_be_bytes([high, low]));
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(malformed("a record is too long"));
        }
        let Some(payload) = rest.get(..bytes) else { return Ok(None) };
        let (mask, start) = (mask(self.received_records), plaintext.len());
        plaintext.extend(payload.iter().map(|byte| byte ^ mask));
        let sum = plaintext[start..].iter().fold(kind as u8, |sum, byte| sum.rotate_left(1) ^ byte);
        if kind != Kind::Data || sum != checksum ^ mask {
            plaintext.truncate(start);
        }
        if sum != checksum ^ mask {
            return Err(malformed("a checksum is wrong"));
        }
        self.received_records = self.received_records.wrapping_add(1);
        match (self.state, kind) {
            (LayerState::Handshaking, Kind::Hello) if !self.is_client => self.push(Kind::Reply, &[]),
            (LayerState::Handshaking, Kind::Reply) if self.is_client => {
                self.state = LayerState::Open;
                self.push(Kind::Finished, &[]);
            }
            (LayerState::Handshaking, Kind::Finished) if !self.is_client && self.received_records == 2 => {
                self.state = LayerState::Open;
                self.push(Kind::Tick, &[b"as a session ticket would come"]);
            }
            (LayerState::Open, Kind::Data) => {
                self.data_records = self.data_records.wrapping_add(1);
                if self.data_records.is_multiple_of(RECORDS_PER_TICK) && !self.is_closed && self.room() > 0 {
                    self.push(Kind::Tick, &[b"tick"]);
                }
            }
            (LayerState::Open, Kind::Tick) => {}
            (LayerState::Open, Kind::Close) => self.state = LayerState::PeerClosed,
            _ => {
                plaintext.truncate(start);
                return Err(malformed("a record is out of turn"));
            }
        }
        Ok(Some(HEADER_BYTES + bytes))
    }

    /// Bytes of plaintext for which the output has room.
    fn room(&self) -> usize {
        LAYER_BYTES_MAX.saturating_sub(self.output.len() + HEADER_BYTES)
    }
}

impl Layer for TestLayer {
    fn state(&self) -> LayerState {
        self.state
    }

    fn receive(&mut self, bytes: &[u8], plaintext: &mut Vec<u8>) -> Result<(), LayerError> {
        self.held.extend_from_slice(bytes);
        let mut taken_bytes = 0;
        while self.state != LayerState::PeerClosed
            && let Some(record_bytes) = self.take_record(taken_bytes, plaintext)?
        {
            taken_bytes += record_bytes;
        }
        let is_over = self.state == LayerState::PeerClosed;
        self.held.drain(..if is_over { self.held.len() } else { taken_bytes });
        Ok(())
    }

    fn send(&mut self, plaintext: &[&[u8]]) -> usize {
        if self.state == LayerState::Handshaking || self.is_closed {
            return 0;
        }
        let mut sent_bytes = 0;
        for chunk in plaintext.iter().flat_map(|slice| slice.chunks(PAYLOAD_BYTES_MAX)) {
            if self.room() < chunk.len() {
                break;
            }
            self.push(Kind::Data, &[chunk]);
            sent_bytes += chunk.len();
        }
        sent_bytes
    }

    fn close(&mut self) {
        if !self.is_closed && self.state != LayerState::Handshaking {
            self.push(Kind::Close, &[]);
        }
        self.is_closed = true;
    }

    fn output(&self) -> &[u8] {
        &self.output
    }

    fn consume_output(&mut self, bytes: usize) {
        self.output.drain(..bytes.min(self.output.len()));
    }
}

/// Byte that disguises a record's payload.
fn mask(record: u32) -> u8 {
    0x55 ^ (record as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two sides that have shaken hands.
    fn pair() -> (TestLayer, TestLayer) {
        let (mut client, mut server) = (TestLayer::client(), TestLayer::server());
        for _ in 0..2 {
            pass(&mut client, &mut server).expect("goes on");
            pass(&mut server, &mut client).expect("goes on");
        }
        assert_eq!((client.state(), server.state()), (LayerState::Open, LayerState::Open));
        (client, server)
    }

    fn pass(from: &mut TestLayer, to: &mut TestLayer) -> Result<Vec<u8>, LayerError> {
        let (bytes, mut plaintext) = (from.output().to_vec(), Vec::new());
        from.consume_output(bytes.len());
        to.receive(&bytes, &mut plaintext).map(|()| plaintext)
    }

    #[test]
    fn plaintext_changed_and_repeated_bytes_are_noticed() {
        let mut plaintext = Vec::new();
        for bytes in [&b"5         alice"[..], b"GLASSLINE2"] {
            assert!(matches!(TestLayer::server().receive(bytes, &mut plaintext), Err(LayerError::Malformed(_))));
        }
        let (mut client, mut server) = pair();
        assert_eq!(client.send(&[b"hello"]), 5);
        let bytes = client.output().to_vec();
        server.receive(&bytes, &mut plaintext).expect("goes on");
        assert_eq!(plaintext, b"hello");
        assert!(server.receive(&bytes, &mut plaintext).is_err() && plaintext == b"hello", "again");
        let (mut client, mut server) = pair();
        client.send(&[b"hello"]);
        *client.output.last_mut().expect("bytes") ^= 1;
        assert!(pass(&mut client, &mut server).is_err());
    }

    #[test]
    fn each_side_has_unsolicited_output() {
        let (mut client, mut server) = pair();
        for _ in 0..RECORDS_PER_TICK {
            client.send(&[b"x"]);
        }
        assert_eq!(pass(&mut client, &mut server).expect("goes on"), b"xxxx");
        assert!(!server.output().is_empty());
        assert_eq!(pass(&mut server, &mut client).expect("goes on"), b"", "a tick is no plaintext");
    }

    #[test]
    fn output_that_nobody_takes_is_bounded() {
        let (mut client, mut server) = pair();
        while client.send(&[&[7; PAYLOAD_BYTES_MAX]]) > 0 {}
        assert!(client.output().len() <= LAYER_BYTES_MAX);
        for _ in 0..100 {
            let mut plaintext = Vec::new();
            server.receive(client.output(), &mut plaintext).unwrap_or_default();
        }
        assert!(server.output().len() <= LAYER_BYTES_MAX, "{}", server.output().len());
    }

    #[test]
    fn each_side_sends_on_after_the_other_has_closed() {
        let (mut client, mut server) = pair();
        client.close();
        client.close();
        assert_eq!(client.send(&[b"x"]), 0);
        pass(&mut client, &mut server).expect("goes on");
        assert_eq!((server.state(), server.end_of_input()), (LayerState::PeerClosed, Ok(())));
        server.send(&[b"goodbye"]);
        server.close();
        assert_eq!(pass(&mut server, &mut client).expect("goes on"), b"goodbye");
        assert_eq!(client.state(), LayerState::PeerClosed);
    }
}
