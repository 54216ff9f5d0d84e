//! The reader of captures: any bytes give whole streams of frames, or a reason.
#![no_main]

use glassline_tap::capture::CapturedConnection;
use glassline_tap::{Capture, Direction, Side};
use libfuzzer_sys::fuzz_target;

fn check(connection: &CapturedConnection) {
    for direction in Direction::BOTH {
        let mut passed = 0;
        for captured in connection.frames.iter().filter(|captured| captured.frame.direction == direction) {
            assert_eq!(captured.frame.offset, passed);
            assert!(captured.packet > 0 && !captured.frame.bytes.is_empty());
            passed += captured.frame.bytes.len() as u64;
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(capture) = Capture::read(bytes) else { return };
    for side in Side::BOTH {
        capture.connections(side).for_each(check);
    }
    for rejected in capture.rejected() {
        assert!(!rejected.reason.to_string().is_empty());
    }
});
