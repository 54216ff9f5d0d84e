//! A thread that reads the keyboard: one event, and the next one on request.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::inbox::{DriverEvent, Inbox, UserInput};
use crate::keyboard::event::TerminalEvent;
use crate::system::TerminalInput;

/// Handle of the reading thread. Until the next event is requested the thread reads nothing, so
/// another program can use the terminal.
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

    /// Requests the next event that [was typed](crate::keyboard::event::TerminalEvent::is_typed).
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

/// Reports a panic of the thread to the driver: otherwise the client would run on without a
/// keyboard.
struct Alarm<'a>(&'a Inbox);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let why = "the keyboard is not read any more, by a fault of this program; start it again".to_owned();
            // The session may have ended.
            let _ = self.0.send(DriverEvent::User(UserInput::Failed(why)));
        }
    }
}

/// Reads on request, until `next_event` ends or the inbox is closed.
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
            if inbox.send(DriverEvent::User(user_input)).is_err() || failed {
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
        let (inbox, events) = sync_channel(1);
        let reader = thread::spawn(move || read_events(|| panic!("on purpose"), &read_when, &inbox));
        reads_due.send(()).expect("it waits");
        let notice = events.recv_timeout(Duration::from_secs(20)).expect("a notice");
        assert!(matches!(notice, DriverEvent::User(UserInput::Failed(why)) if why.contains("start it again")));
        assert!(reader.join().is_err());
    }
}
