//! Records without a key, for tests: their signatures hold, as anybody's do, and their MACs do not.

use glassline_secure::Identity;
use glassline_secure::seal::EpochRecord;

/// Returns a record of the room "den" with this number, by a signer of its own.
pub(super) fn record(number: u64) -> EpochRecord {
    record_by(&Identity::from_seed(&[0xee; 32]), number)
}

pub(super) fn record_by(signer: &Identity, number: u64) -> EpochRecord {
    let field = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
        [&length, bytes].concat()
    };
    let previous = if number == 1 { [0; 32] } else { [9; 32] };
    let body = [&[1], &*field(b"den"), &number.to_be_bytes(), &[7; 16], &previous, &[8; 32], &signer.public()].concat();
    let mac = [6; 32];
    let message = [b"glassline/sealed/1/record".as_slice(), &field(&body), &mac].concat();
    let signature = signer.sign(&message);
    EpochRecord::read(&[body.as_slice(), &mac, &signature].concat()).expect("its signature holds")
}
