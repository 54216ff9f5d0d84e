//! A relay without a view: `relay tap --listen ADDR --to ADDR [--record FILE] [--quiet | --linear]`.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use glassline_tap::relay::channel;
use glassline_tap::{Observation, Recorder, Relay, RelayOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let value = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
    let address = |flag| value(flag).ok_or("an address is missing").map(|address| address.parse());
    let mut options = RelayOptions::new(address("--listen")??, address("--to")??);
    if let Some(path) = value("--record") {
        let now_us = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
        options = options.record(Recorder::create(path.as_ref(), now_us)?);
    }
    let mut reports = None;
    if words.iter().any(|word| word == "--linear") {
        let (observer, observations) = channel(65_536, 32 << 20);
        options = options.observe(observer);
        reports = Some(observations);
    }
    let relay = Relay::bind(options)?;
    println!("listening on {}", relay.address());
    if let Some(observations) = reports {
        std::thread::spawn(move || {
            let mut out = std::io::BufWriter::new(std::io::stdout());
            while let Ok(observation) = observations.receive_within(Duration::MAX) {
                if let Observation::Arrived(frame, meaning) = observation {
                    let _ = writeln!(out, "{} {} {:?}", frame.connection, frame.number, meaning.text);
                }
            }
        });
    }
    Ok(relay.run()?)
}
