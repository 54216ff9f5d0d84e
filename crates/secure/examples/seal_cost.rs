//! Cost of sealing and opening beside a bare Ed25519 signature and its strict verification:
//! `cargo run --release -p glassline-secure --example seal_cost`.

use std::hint::black_box;
use std::time::Instant;

use ed25519_dalek::{Signature, Signer, SigningKey};
use glassline_secure::seal::{Envelope, EpochKey, EpochRecord, Kind, Passphrase, Placed, SealedRoom};
use glassline_secure::{Identity, SystemRandom};
use glassline_wire::message_id::MessageId;

const TEXT: &str = "a message of an ordinary length, some eighty bytes of text as people write them.";
const MESSAGES: u32 = 2_000;
const ROUNDS: usize = 15;

/// Returns the median over the rounds, in microseconds for one message.
fn median_us(mut round: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            (0..MESSAGES).for_each(|_| round());
            started.elapsed().as_secs_f64() * 1e6 / f64::from(MESSAGES)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (identity, bare) = (Identity::from_seed(&[1; 32]), SigningKey::from_bytes(&[1; 32]));
    let passphrase = Passphrase::new("correct horse")?;
    let started = Instant::now();
    let (record, key) = EpochRecord::begin("den", None, &passphrase, &identity, &mut SystemRandom)?;
    let begun_ms = started.elapsed().as_secs_f64() * 1e3;
    let mut room = SealedRoom::new("den", None, &mut SystemRandom)?;
    room.accept(&record, key)?;

    let signing = median_us(|| {
        black_box(bare.sign(black_box(TEXT.as_bytes())));
    });
    let mut seal = || room.seal(&identity, MessageId(1), "alice", Kind::Text, TEXT, &mut SystemRandom);
    let sealing = median_us(|| drop(black_box(seal())));
    let field = seal()?;

    let signature: Signature = bare.sign(TEXT.as_bytes());
    let public = bare.verifying_key();
    let verifying = median_us(|| drop(black_box(public.verify_strict(black_box(TEXT.as_bytes()), &signature))));
    let placed = Placed::Page { id: None };
    let mut open = || Envelope::from_field(&field).and_then(|envelope| room.open(&envelope, placed));
    open()?;
    let opening = median_us(|| drop(black_box(open())));

    let key = EpochKey::derive(&passphrase, &record)?;
    drop(black_box(key));
    println!("sign {signing:.1} us, seal {sealing:.1} us: {:.2} x", sealing / signing);
    println!("verify_strict {verifying:.1} us, open {opening:.1} us: {:.2} x", opening / verifying);
    println!("one derivation {begun_ms:.0} ms: {:.1} guesses a second on one core", 1e3 / begun_ms);
    Ok(())
}
