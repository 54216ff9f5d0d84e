//! One client under one load: what it shows, what that costs, and how soon it shows what is typed.

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};

use super::pace::{Pace, STEADY_PER_SECOND};
use super::pty::Terminal;
use super::redraws::{FRAME, FRAME_ROUNDED};
use super::sender::Sender;
use super::typing::KEY_EVERY;
use super::watch::Watch;
use crate::results::{Figures, Measure};

/// Longest wait, after the last message was sent, until everything sent and typed is shown.
const CATCH_UP_LIMIT: Duration = Duration::from_mins(1);

/// Sends at a pace for a while; how many that were.
fn send(pace: Pace, sender: &mut Sender, duration: Duration, shown: &AtomicUsize) -> Result<usize> {
    match pace {
        Pace::Quiet => {
            thread::sleep(duration);
            Ok(0)
        }
        Pace::Steady => sender.send_steadily(STEADY_PER_SECOND, duration),
        Pace::Flood => sender.send_all_it_takes(duration, shown),
    }
}

/// Measures a client that is in. It fails if a message is lost, doubled or out of order, or a key is never shown.
pub fn measure(terminal: &mut Terminal, addr: SocketAddr, pace: Pace, duration: Duration) -> Result<Figures> {
    let mut sender = Sender::join(addr)?;
    terminal.watch().restart();
    let (client_before_ns, emulator_before_ns) = terminal.cpu_ns()?;
    let started = Instant::now();
    let shown = terminal.shown();
    let sending = thread::Builder::new().name("send".to_owned()).spawn(move || {
        let sent = send(pace, &mut sender, duration, &shown);
        // The connection stays until all is shown: a farewell is nothing to be measured.
        sent.map(|sent| (sent, sender))
    })?;
    let mut next_key = started;
    while !sending.is_finished() {
        next_key += KEY_EVERY;
        thread::sleep(next_key.saturating_duration_since(Instant::now()));
        terminal.press_a_key()?;
    }
    let (sent, _sender) = sending.join().map_err(|_| anyhow!("the sender has panicked"))??;
    // Without the last ones a fault is still to be told apart: the limit is no failure yet.
    let caught_up =
        terminal.wait("all", CATCH_UP_LIMIT, |watch| watch.tally.shown >= sent && watch.typing.unseen() == 0);
    let (client_ns, emulator_ns) = terminal.cpu_ns()?;
    let (client_ns, emulator_ns) = (client_ns - client_before_ns, emulator_ns - emulator_before_ns);
    let watch = terminal.watch();
    if let Some(fault) = watch.fault(sent) {
        bail!("{fault}");
    }
    ensure!(watch.typing.unseen() == 0, "{} keys were never shown", watch.typing.unseen());
    caught_up?;
    let shown_at = if sent > 0 { watch.shown_at } else { None };
    let took = shown_at.map_or(started.elapsed(), |shown_at| shown_at - started).as_secs_f64();
    let mut figures = Figures::default();
    figures.put(Measure::KeyMedianMillis, watch.typing.latency_ms(0.5));
    figures.put(Measure::KeyP99Millis, watch.typing.latency_ms(0.99));
    figures.put(Measure::ClientBusyPercent, client_ns as f64 / took / 1e7);
    if sent > 0 {
        figures.put(Measure::ShownPerSecond, sent as f64 / took);
        figures.put(Measure::ClientMicrosPerMessage, client_ns as f64 / 1e3 / sent as f64);
        figures.put(Measure::EmulatorMicrosPerMessage, emulator_ns as f64 / 1e3 / sent as f64);
        figures.put(Measure::BytesPerMessage, watch.bytes as f64 / sent as f64);
        redraw_figures(&watch, took, &mut figures);
    }
    Ok(figures)
}

/// Measures the regularity of drawings by the clock while messages go by elsewhere.
pub fn measure_jitter(terminal: &Terminal, addr: SocketAddr, pace: Pace, duration: Duration) -> Result<Figures> {
    let mut sender = Sender::join(addr)?;
    terminal.watch().restart();
    let started = Instant::now();
    send(pace, &mut sender, duration, &terminal.shown())?;
    let mut figures = Figures::default();
    redraw_figures(&terminal.watch(), started.elapsed().as_secs_f64(), &mut figures);
    Ok(figures)
}

fn redraw_figures(watch: &Watch, took_seconds: f64, figures: &mut Figures) {
    let redraws = &watch.redraws;
    let percent = |share: f64| share * 100.0;
    figures.put(Measure::RedrawsPerSecond, redraws.count as f64 / took_seconds);
    figures
        .put(Measure::SmallestDistanceMillis, redraws.smallest_distance().map(|distance| distance.as_secs_f64() * 1e3));
    figures.put(Measure::CloserThanFramePercent, redraws.closer_than(FRAME).map(percent));
    figures.put(Measure::CloserThanRoundedPercent, redraws.closer_than(FRAME_ROUNDED).map(percent));
}
