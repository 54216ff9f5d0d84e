//! Sealed messages: any bytes are no message, or one whose parts are within their bounds, and what
//! is sealed with the bytes as its text is opened again, and not once one of its bytes has changed.
#![no_main]

use std::sync::LazyLock;

use glassline_fuzz::Counting;
use glassline_secure::Identity;
use glassline_secure::seal::{Envelope, EpochKey, EpochRecord, Kind, Passphrase, Placed, SealedRoom};
use glassline_wire::limits::TEXT_BYTES_MAX;
use glassline_wire::message_id::MessageId;
use libfuzzer_sys::fuzz_target;

/// The derivation is far too slow for each input.
static EPOCH: LazyLock<(EpochRecord, EpochKey)> = LazyLock::new(|| {
    let passphrase = Passphrase::new("fuzz").expect("a passphrase");
    let begun = EpochRecord::begin("den", None, &passphrase, &Identity::from_seed(&[1; 32]), &mut Counting(0));
    begun.expect("random numbers and a name that fits")
});

fn room() -> SealedRoom {
    let mut room = SealedRoom::new("den", None, &mut Counting(7)).expect("random numbers");
    room.accept(&EPOCH.0, EPOCH.1.clone()).expect("its own record");
    room
}

fn open_any(bytes: &[u8]) {
    let placed = Placed::InTurn { id: None, seq: Some(1) };
    for envelope in [Envelope::from_bytes(bytes.to_vec()), Envelope::from_field(&String::from_utf8_lossy(bytes))] {
        // Only the corpus has messages under the key, which a fuzzer cannot make.
        if let Ok(opened) = envelope.and_then(|envelope| room().open(&envelope, placed)) {
            assert!(opened.content.text.len() <= TEXT_BYTES_MAX);
        }
    }
    let _ = EpochRecord::read(bytes);
}

fuzz_target!(|bytes: &[u8]| {
    open_any(bytes);
    let Some((&at, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    if text.len() > TEXT_BYTES_MAX {
        return;
    }
    let identity = Identity::from_seed(&[2; 32]);
    let field = room().seal(&identity, MessageId(1), "ann", Kind::Text, &text, &mut Counting(at));
    let field = field.expect("a text within its limit");
    let placed = Placed::InTurn { id: Some(MessageId(1)), seq: Some(1) };
    let opened = room().open(&Envelope::from_field(&field).expect("its own form"), placed).expect("its own message");
    assert_eq!(opened.content.text, text);

    let mut changed = field.into_bytes();
    let place = usize::from(at) * changed.len() / 256;
    changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    assert!(Envelope::from_field(&changed).and_then(|envelope| room().open(&envelope, placed)).is_err());
});
