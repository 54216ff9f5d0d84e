//! The keyboard: a thread that reads one event, and the next one only when it may.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::inbox::{Arrival, Inbox, UserInput};
use crate::keyboard::event::TerminalEvent;
use crate::system::TerminalInput;

/// The reading thread, as the view sees it. While an event of it is worked on, nobody reads the
/// terminal: it can be handed to another program.
#[derive(Debug)]
pub(crate) struct KeyReader {
    reads_due: SyncSender<()>,
    over: Arc<AtomicBool>,
}

impl KeyReader {
    /// Starts to read. The thread ends with the input, or with the next event after this is
    /// dropped.
    pub(crate) fn start(inbox: Inbox) -> io::Result<Self> {
        let mut input = TerminalInput::open()?;
        let (reads_due, read_when) = sync_channel(1);
        let over = Arc::new(AtomicBool::new(false));
        let keyboard = Self { reads_due, over: Arc::clone(&over) };
        thread::Builder::new()
            .name("glassline-keys".to_owned())
            .spawn(move || read_events(|| input.next_event(&over), &read_when, &inbox))?;
        keyboard.read_more();
        Ok(keyboard)
    }

    /// The event that came last, one that [was
    /// typed](crate::keyboard::event::TerminalEvent::is_typed), has been used.
    pub(crate) fn read_more(&self) {
        // Full means that a read is due already; closed, that the input is over.
        let _ = self.reads_due.try_send(());
    }
}

impl Drop for KeyReader {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Tells the driver if the thread panics: a client without a keyboard would run on, and nobody
/// could leave it.
struct Alarm<'a>(&'a Inbox);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "the keyboard is not read any more, by a fault of this program; start it again".to_owned();
            // The session may have ended.
            let _ = self.0.send(Arrival::User(UserInput::Failed(why)));
        }
    }
}

/// Reads whenever it is due, until `next_event` has no more or nobody listens.
fn read_events(
    mut next_event: impl FnMut() -> io::Result<Option<TerminalEvent>>,
    read_when: &Receiver<()>,
    inbox: &Inbox,
) {
    let _alarm = Alarm(inbox);
    while read_when.recv().is_ok() {
        loop {
            let user_input = match next_event() {
                Ok(Some(event)) => UserInput::Terminal(event),
                Ok(None) => return,
                Err(error) => UserInput::Failed(format!("cannot read the keyboard: {error}")),
            };
            let failed = matches!(user_input, UserInput::Failed(_));
            let typed = matches!(&user_input, UserInput::Terminal(event) if event.is_typed());
            if inbox.send(Arrival::User(user_input)).is_err() || failed {
                return;
            }
            if typed {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_thread_that_panics_is_a_keyboard_that_failed() {
        let (reads_due, read_when) = sync_channel(1);
        let (inbox, arrivals) = sync_channel(1);
        let reader = thread::spawn(move || read_events(|| panic!("on purpose"), &read_when, &inbox));
        reads_due.send(()).expect("it waits");
        let told = arrivals.recv_timeout(Duration::from_secs(20)).expect("told");
        assert!(matches!(told, Arrival::User(UserInput::Failed(why)) if why.contains("start it again")));
        assert!(reader.join().is_err());
    }
}
