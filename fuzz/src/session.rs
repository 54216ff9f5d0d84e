//! Sniffing and server sessions: any bytes from a new connection, beside a member that must not be
//! affected.
#![no_main]

use glassline_server::TestSession;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&shape, stream)) = bytes.split_first() else { return };
    let mut session = TestSession::new(shape & 1 == 1);
    let step = 1 + usize::from(shape >> 1);
    for piece in stream.chunks(step) {
        if !session.take(piece) {
            break;
        }
    }
    session.check();
});
