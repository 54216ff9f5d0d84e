//! Cost of sealing and opening beside a bare Ed25519 signature and its strict verification:
//! `cargo run --release -p glassline-secure --example seal_cost [sealing|opening|deriving]`.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use ed25519_dalek::{Signature, Signer, SigningKey};
use glassline_secure::seal::{Envelope, EpochRecord, Kind, Passphrase, Placed, SealedRoom};
use glassline_secure::{Identity, SystemRandom};
use glassline_wire::message_id::MessageId;

const TEXT: &str = "a message of an ordinary length, some eighty bytes of text as people write them.";
const MESSAGES: u32 = 500;
const ROUNDS: usize = 15;

type Outcome = Result<(), Box<dyn Error>>;

/// Prints the median over the rounds of both, in microseconds for one message. They take turns, so
/// that a noisy moment hits both.
fn compare(name: &str, mut whole: impl FnMut() -> Outcome, mut bare: impl FnMut() -> Outcome) -> Outcome {
    let (mut whole_us, mut bare_us) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        whole_us.push(round_us(&mut whole)?);
        bare_us.push(round_us(&mut bare)?);
    }
    println!("{name} {:.2} us, bare {:.2} us", median(whole_us), median(bare_us));
    Ok(())
}

fn round_us(operation: &mut impl FnMut() -> Outcome) -> Result<f64, Box<dyn Error>> {
    let started = Instant::now();
    (0..MESSAGES).try_for_each(|_| operation())?;
    Ok(started.elapsed().as_secs_f64() * 1e6 / f64::from(MESSAGES))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Outcome {
    let wanted = std::env::args().nth(1);
    let wants = |name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
    let (identity, bare) = (Identity::from_seed(&[1; 32]), SigningKey::from_bytes(&[1; 32]));
    let passphrase = Passphrase::new("correct horse")?;
    let started = Instant::now();
    let (record, key) = EpochRecord::begin("den", None, &passphrase, &identity, &mut SystemRandom)?;
    let derived_ms = started.elapsed().as_secs_f64() * 1e3;
    let mut room = SealedRoom::new("den", None, &mut SystemRandom)?;
    room.accept(&record, key)?;

    let mut seal = || room.seal(&identity, MessageId(1), "alice", Kind::Text, TEXT, &mut SystemRandom);
    let field = seal()?;
    if wants("sealing") {
        let sign = || {
            black_box(bare.sign(black_box(TEXT.as_bytes())));
            Ok(())
        };
        let seal = || {
            black_box(seal()?);
            Ok(())
        };
        compare("sealing", seal, sign)?;
    }
    if wants("opening") {
        let (signature, public): (Signature, _) = (bare.sign(TEXT.as_bytes()), bare.verifying_key());
        let verify = || Ok(public.verify_strict(black_box(TEXT.as_bytes()), &signature)?);
        let open = || {
            let envelope = Envelope::from_field(black_box(&field))?;
            black_box(room.open(&envelope, Placed::Page { id: None })?);
            Ok(())
        };
        compare("opening", open, verify)?;
    }
    if wants("deriving") {
        println!("deriving {derived_ms:.0} ms: {:.1} guesses a second on one core", 1e3 / derived_ms);
    }
    Ok(())
}
