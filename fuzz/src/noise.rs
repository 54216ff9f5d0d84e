//! The Noise link: any bytes to a server or a client give the same in any two slicings, and no more
//! than they hold. The keys are those of `spec/vectors/noise.json`, so that its conversation, as
//! the corpus, leads through the handshake.
#![no_main]

use std::sync::Arc;

use glassline_fuzz::{AnyServer, Counting};
use glassline_secure::Identity;
use glassline_secure::noise::{NoiseClient, NoiseClientOptions, NoiseServer};
use glassline_wire::layer::{LAYER_BYTES_MAX, LayerError, LayerFactory, LayerStack, LayerState};
use libfuzzer_sys::fuzz_target;

fn side(is_client: bool) -> LayerStack {
    let made = if is_client {
        let identity = Some(Arc::new(Identity::from_seed(&[2; 32])));
        let options =
            NoiseClientOptions { server_name: "chat.example".to_owned(), identity, trust: Arc::new(AnyServer) };
        NoiseClient::with_random(&options, Counting(0)).map(|client| client.layers())
    } else {
        NoiseServer::with_random(&Identity::from_seed(&[1; 32]), Counting(64)).map(|server| server.layers())
    };
    made.expect("random numbers and a name that fits")
}

#[derive(Debug, PartialEq)]
struct Outcome {
    plaintext: Vec<u8>,
    output: Vec<u8>,
    state: LayerState,
    error: Option<LayerError>,
}

fn receive<'a>(is_client: bool, pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut side = side(is_client);
    let (mut plaintext, mut error) = (Vec::new(), None);
    for piece in pieces {
        if let Err(found) = side.receive(piece, &mut plaintext) {
            error = Some(found);
            break;
        }
    }
    side.close();
    assert!(side.output().len() <= LAYER_BYTES_MAX);
    Outcome { plaintext, output: side.output().to_vec(), state: side.state(), error }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&shape, stream)) = bytes.split_first() else { return };
    let is_client = shape & 1 == 1;
    let whole = receive(is_client, std::iter::once(stream));
    assert!(whole.plaintext.len() <= stream.len());
    assert_eq!(whole, receive(is_client, stream.chunks(1 + usize::from(shape >> 1))));
});
