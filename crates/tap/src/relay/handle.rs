//! Control of a running relay from other threads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use mio::{Registry, Token, Waker};

use crate::frame::FrameId;
use crate::hook::Said;
use crate::line::Decision;
use crate::rules::RuleSet;

/// Commands that wait for the loop, and that it takes in one turn; whoever gives one more waits
/// shortly.
pub(crate) const COMMANDS_MAX: usize = 1_024;

/// Something that the loop is to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Apply these rules from now on.
    SetRules(Arc<RuleSet>),
    /// Decide about a frame that waits.
    Answer(FrameId, Decision),
    /// Take in what the hook of this command says.
    HookSaid(Vec<String>, Said),
}

/// Controls a relay that runs in another thread. After the relay has ended, nothing happens.
#[derive(Debug, Clone)]
pub struct RelayHandle {
    stop: Arc<AtomicBool>,
    commands: SyncSender<Command>,
    waker: Arc<Waker>,
}

impl RelayHandle {
    /// A handle that wakes the loop of this registry, and the receiver of its commands.
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<(Self, Receiver<Command>)> {
        let waker = Arc::new(Waker::new(registry, token)?);
        let (commands, receiver) = sync_channel(COMMANDS_MAX);
        Ok((Self { stop: Arc::default(), commands, waker }, receiver))
    }

    /// Ends the relay: it forwards what it holds, ends the connections, completes the recording,
    /// and returns from [`Relay::run`](crate::Relay::run).
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    /// Applies these rules from now on. A connection on which nobody has asked for frames since it
    /// was opened keeps passing untouched: its frames are not known.
    pub fn set_rules(&self, rules: Arc<RuleSet>) {
        self.give(Command::SetRules(rules));
    }

    /// Decides about a frame that waits. Nothing happens if it waits no longer.
    pub fn answer(&self, frame: FrameId, decision: Decision) {
        self.give(Command::Answer(frame, decision));
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Gives the loop a command, and returns whether it still runs.
    pub(crate) fn give(&self, command: Command) -> bool {
        let is_running = self.commands.send(command).is_ok();
        self.wake();
        is_running
    }

    fn wake(&self) {
        // A loop that cannot be woken sees it with its next event.
        let _ = self.waker.wake();
    }
}
