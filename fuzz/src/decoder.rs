//! The decoder: any bytes, in any two slicings, give the same frames or the same refusal.
#![no_main]

use glassline_wire::frame::{Decoder, Frame, HeaderError};
use libfuzzer_sys::fuzz_target;

const PAYLOAD_BYTES_MAX: usize = 1_024;

type Read = (Vec<Option<Vec<u8>>>, Option<HeaderError>);

fn read(mut decoder: Decoder, pieces: &[&[u8]]) -> Read {
    let mut frames = Vec::new();
    for &piece in pieces {
        let mut input = piece;
        loop {
            match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some(Frame::Payload(payload))) => frames.push(Some(payload.to_vec())),
                Ok(Some(Frame::Goodbye)) => frames.push(None),
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(decoder.held_bytes() <= PAYLOAD_BYTES_MAX + 10);
    }
    (frames, None)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&cut, stream)) = bytes.split_first() else { return };
    for decoder in [Decoder::tutorial, Decoder::event] {
        let whole = read(decoder(PAYLOAD_BYTES_MAX), &[stream]);
        let (head, tail) = stream.split_at(usize::from(cut).min(stream.len()));
        let halves = read(decoder(PAYLOAD_BYTES_MAX), &[head, tail]);
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        let bytewise = read(decoder(PAYLOAD_BYTES_MAX), &single);
        for sliced in [halves, bytewise] {
            assert_eq!(whole.0, sliced.0);
            // A header cut short is refused earlier, with less of it shown; the cause is the same.
            assert_eq!(whole.1.as_ref().map(<&str>::from), sliced.1.as_ref().map(<&str>::from));
        }
    }
});
