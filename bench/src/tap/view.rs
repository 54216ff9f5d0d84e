//! The live view on a pseudo-terminal: how soon it shows the effect of a key, at three rates of frames.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use glassline_testkit::Folder;

use super::line::{STALL_LIMIT, Server};
use super::passed;
use super::stream::Stream;
use crate::results::{Figures, Measure, Table};
use crate::stats::quantile;
use crate::systems::{free_port, words};
use crate::terminal::{GLASSLINE_REDRAW_MARK, KEY_EVERY, Terminal, start_in_terminal};

pub const TABLE: Table = "view";
/// A reaction within this time seems immediate.
pub const PERCEPTION_LIMIT_MS: f64 = 50.0;
/// Rate that the view has to bear.
const STEADY_PER_SECOND: u32 = 100_000;
/// Writes between two looks at whether the measurement is over, with [`Load::Flood`].
const FLOOD_WRITES: u64 = 100;
/// Opens the help, and closes it.
const HELP_KEY: &str = "?";
/// Words near the end of the help's first page, and nowhere else.
const HELP_WORDS: &str = "held frame: forward it unchanged";
/// Words of the view before the number of reports that it has left out.
const SAMPLED: &str = "SAMPLED: ";

/// Frames that pass while keys are pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr, strum::VariantArray)]
#[strum(const_into_str)]
pub enum Load {
    #[strum(serialize = "idle")]
    Idle,
    #[strum(serialize = "100,000 frames/s")]
    Steady,
    #[strum(serialize = "as fast as they are taken")]
    Flood,
}

impl Load {
    /// Sends until it is over. Returns the number of frames that have passed.
    fn send(self, stream: &mut Stream, is_over: &AtomicBool) -> Result<u64> {
        let (writes, every) = match self {
            Self::Idle => return Ok(0),
            Self::Steady => (1, Duration::from_secs(stream.frames_per_write()) / STEADY_PER_SECOND),
            Self::Flood => (FLOOD_WRITES, Duration::ZERO),
        };
        let (mut frames, mut next) = (0, Instant::now());
        while !is_over.load(Ordering::Relaxed) {
            let turn = writes * stream.frames_per_write();
            stream.pass(turn)?;
            frames += turn;
            next += every;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Ok(frames)
    }
}

/// Presses so many keys while a load passes through the view.
pub fn measure(load: Load, glassline: &Path, keys: usize) -> Result<Figures> {
    let server = Server::new()?;
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let arguments = words(&["tap", "--listen", &addr.to_string(), "--to", &server.addr()?.to_string()]);
    let home = Folder::new();
    let mut terminal = start_in_terminal(glassline, &arguments, home.path(), GLASSLINE_REDRAW_MARK)?;
    terminal.wait("the view", STALL_LIMIT, |watch| watch.screen().contains("Waiting for a connection"))?;
    let mut stream = Stream::open(addr, &server)?;
    terminal.wait("the connection", STALL_LIMIT, |watch| watch.screen().contains("connections: 1 open"))?;

    let is_over = AtomicBool::new(false);
    let (started, (busy_before, _)) = (Instant::now(), terminal.cpu_ns()?);
    let (times_ms, frames) = thread::scope(|scope| {
        let sending = scope.spawn(|| load.send(&mut stream, &is_over));
        let times_ms = press(&mut terminal, keys);
        is_over.store(true, Ordering::Relaxed);
        let frames = sending.join().map_err(|_| anyhow!("the sender has panicked"))?;
        Ok::<_, anyhow::Error>((times_ms?, frames?))
    })?;
    let (elapsed, (busy, _)) = (started.elapsed(), terminal.cpu_ns()?);

    let mut figures = if frames == 0 { Figures::default() } else { passed(frames, elapsed, busy - busy_before) };
    figures.put(Measure::KeyMedianMillis, quantile(&times_ms, 0.5));
    figures.put(Measure::KeyP95Millis, quantile(&times_ms, 0.95));
    figures.put(Measure::NotShown, not_shown(&terminal.watch().screen())?);
    Ok(figures)
}

/// Opens and closes the help by turns. Returns the milliseconds from each key to its effect on the screen.
fn press(terminal: &mut Terminal, keys: usize) -> Result<Vec<f64>> {
    let mut next = Instant::now();
    let mut times_ms = Vec::with_capacity(keys);
    for key in 0..keys {
        next += KEY_EVERY;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let opens = key % 2 == 0;
        let pressed = Instant::now();
        terminal.press(HELP_KEY)?;
        terminal.wait("the effect of a key", STALL_LIMIT, |watch| watch.screen().contains(HELP_WORDS) == opens)?;
        times_ms.push(pressed.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times_ms)
}

/// Returns the number of reports that the view says it has not shown; 0 if it does not say that it samples.
///
/// # Errors
/// It says so in other words.
fn not_shown(screen: &str) -> Result<f64> {
    let Some((_, said)) = screen.split_once(SAMPLED) else { return Ok(0.0) };
    let (number, _) = said.split_once(" observations not shown").context("the view samples in words unknown here")?;
    Ok(number.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_says_how_much_it_leaves_out() {
        assert_eq!(not_shown("glassline tap  SAMPLED: 12345 observations not shown  3/s\n").unwrap(), 12_345.0);
        assert_eq!(not_shown("glassline tap  3/s\n").unwrap(), 0.0);
        assert!(not_shown("glassline tap  SAMPLED: some  3/s\n").is_err());
    }
}
