//! The live view: what passes, on a terminal. This thread decides and draws; one reads keys, and
//! the relay has its own, which never waits for this one.

mod connections;
mod cursor;
mod detail_pane;
mod drawing;
mod entries;
mod fields;
mod filter;
mod frames_pane;
mod help;
mod holds;
mod input_line;
mod keys;
mod note_pane;
mod page;
mod palette;
mod rate;
mod screen;
mod state;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyEventKind};
use glassline_tap::relay::Observations;

pub(super) use drawing::Title;
use holds::HoldChange;
use palette::Palette;
use screen::Screen;
pub(super) use screen::release_keyboard;
use state::State;

use super::columns::Clock;
use super::line_control::LineControl;
use super::running::now_us;

/// Shortest time between two drawings that nobody asked for with a key.
const DRAW_EVERY: Duration = Duration::from_millis(33);
/// Longest time between two drawings: countdowns and rates change by themselves.
const DRAW_AT_LEAST_EVERY: Duration = Duration::from_secs(1);
/// Time that observations may take between two drawings: less than a third of it, so that the line
/// has the rest. What does not fit is left out by the queue.
const REPORTS_TURN: Duration = Duration::from_millis(10);
/// Observations between two looks at the clock.
const REPORTS_PER_LOOK: usize = 256;
/// Inputs that wait at most; then the thread that reads keys waits.
const INPUTS_MAX: usize = 1_024;

/// Something that the view reacts to.
pub(super) enum Input {
    /// A key, a paste or another size.
    Terminal(Event),
    /// The terminal has another size.
    Resized,
    /// Observations wait.
    Reported,
    /// The tap is to end: a signal, or the keyboard is gone.
    End,
}

/// Inputs of the view.
pub(super) struct Inputs {
    receiver: Receiver<Input>,
    /// [`Input::Reported`] waits, so that another is of no use.
    is_announced: Arc<AtomicBool>,
}

/// Announces observations to the view. It does not block.
pub(super) struct Announcer {
    sender: SyncSender<Input>,
    is_announced: Arc<AtomicBool>,
}

impl Inputs {
    /// A queue of inputs, and its sender.
    pub(super) fn new() -> (Self, SyncSender<Input>) {
        let (sender, receiver) = sync_channel(INPUTS_MAX);
        (Self { receiver, is_announced: Arc::default() }, sender)
    }

    /// Returns an announcer of observations for them.
    pub(super) fn announcer(&self, sender: SyncSender<Input>) -> Announcer {
        Announcer { sender, is_announced: Arc::clone(&self.is_announced) }
    }
}

impl Announcer {
    /// Has the view look for observations.
    pub(super) fn announce(&self) {
        if !self.is_announced.swap(true, Ordering::SeqCst) {
            // A full queue is looked at anyway.
            let _ = self.sender.try_send(Input::Reported);
        }
    }
}

/// Shows what is reported until the user or a signal ends it, or the relay does.
///
/// # Errors
/// The terminal cannot be used.
pub(super) fn run(
    title: &Title,
    (inputs, keys): (&Inputs, SyncSender<Input>),
    observations: &Observations,
    control: &LineControl,
) -> io::Result<()> {
    let mut screen = Screen::enter()?;
    #[cfg(unix)]
    watch_size(keys.clone())?;
    thread::spawn(move || read_keys(&keys));
    let palette = Palette::from_environment();
    let mut view = View { state: State::new(Clock::system()), relay_ended: false, is_resized: false };
    let mut drawn_at: Option<Instant> = None;
    let mut is_changed = true;
    while !view.state.is_over() && !view.relay_ended {
        let since = drawn_at.map_or(DRAW_AT_LEAST_EVERY, |at| at.elapsed());
        let until = if is_changed { DRAW_EVERY } else { DRAW_AT_LEAST_EVERY };
        let (has_key, has_reports) = view.take_inputs(&inputs.receiver, until.saturating_sub(since));
        inputs.is_announced.store(false, Ordering::SeqCst);
        is_changed |= has_reports;
        // A key is answered first.
        if !has_key {
            is_changed |= view.take_reports(observations);
        }
        let now_us = now_us();
        view.state.advance(now_us);
        view.carry_out(control);
        let since = drawn_at.map_or(DRAW_AT_LEAST_EVERY, |at| at.elapsed());
        if std::mem::take(&mut view.is_resized) {
            screen.clear()?;
        }
        if has_key || since >= DRAW_AT_LEAST_EVERY || (is_changed && since >= DRAW_EVERY) {
            screen.draw(|frame| drawing::draw(&mut view.state, title, palette, now_us, frame))?;
            drawn_at = Some(Instant::now());
            // Observations may wait that the key was preferred to.
            is_changed = has_key;
        }
    }
    Ok(())
}

struct View {
    state: State,
    relay_ended: bool,
    /// The terminal has another size, and may have moved what stood there.
    is_resized: bool,
}

impl View {
    /// Waits for inputs and takes all that are there. Returns whether there was a key, and whether
    /// observations were announced.
    fn take_inputs(&mut self, inputs: &Receiver<Input>, limit: Duration) -> (bool, bool) {
        let (mut has_key, mut has_reports) = (false, false);
        let mut next = match inputs.recv_timeout(limit) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Input::End),
        };
        let mut taken = 0;
        while let Some(input) = next.take() {
            match input {
                Input::Terminal(event) => {
                    has_key = true;
                    self.take_event(event);
                }
                Input::Resized => (has_key, self.is_resized) = (true, true),
                Input::Reported => has_reports = true,
                Input::End => self.state.act(keys::Action::Quit),
            }
            taken += 1;
            if taken < INPUTS_MAX {
                next = inputs.try_recv().ok();
            }
        }
        (has_key, has_reports)
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                if let Some(action) = keys::action(key, self.state.is_typing()) {
                    self.state.act(action);
                }
            }
            Event::Paste(text) => self.state.paste(&text),
            Event::Resize(..) => self.is_resized = true,
            Event::Key(_) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost => {}
        }
    }

    /// Passes on what the user has decided.
    fn carry_out(&mut self, control: &LineControl) {
        match self.state.holds.take_change() {
            Some(HoldChange::Start(rule)) => {
                if let Err(error) = control.add_rule(*rule) {
                    self.state.tell(format!("frames cannot be held: {error}"));
                }
            }
            Some(HoldChange::Stop) => control.remove_added_rule(),
            None => {}
        }
        for (frame, decision) in self.state.holds.take_decisions() {
            control.answer(frame, decision);
        }
    }

    /// Takes observations for a bounded time. Returns whether more wait.
    fn take_reports(&mut self, observations: &Observations) -> bool {
        let started = Instant::now();
        loop {
            for _ in 0..REPORTS_PER_LOOK {
                match observations.try_receive() {
                    Ok(observation) => self.state.observe(observation),
                    Err(TryRecvError::Empty) => return false,
                    Err(TryRecvError::Disconnected) => {
                        self.relay_ended = true;
                        return false;
                    }
                }
            }
            if started.elapsed() >= REPORTS_TURN {
                return true;
            }
        }
    }
}

/// Reads keys until nobody wants them or the terminal is gone.
fn read_keys(keys: &SyncSender<Input>) {
    while let Ok(event) = event::read() {
        if keys.send(Input::Terminal(event)).is_err() {
            return;
        }
    }
    let _ = keys.send(Input::End);
}

/// Announces another size of the terminal. The reader of the keys does so too, but not if a key
/// comes at the same time.
#[cfg(unix)]
fn watch_size(resized: SyncSender<Input>) -> io::Result<()> {
    use signal_hook::consts::SIGWINCH;
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGWINCH])?;
    thread::spawn(move || signals.forever().take_while(|_| resized.send(Input::Resized).is_ok()).for_each(drop));
    Ok(())
}
