//! The loop that joins the pure session with its connection and its user: wait, hand over, carry
//! out, refresh, again.

use std::io::{self, ErrorKind};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use glassline_session::{Command, Ending, Input, Output, Session, Update};
use glassline_wire::envelope::Envelope;

use crate::inbox::{DriverEvent, UserInput};
use crate::sealed::{News, RoomKeys};
use crate::transport::{LinkReport, Transport};
use crate::view::View;

/// Events processed before the view is refreshed: enough to draw a burst once, too few to make a
/// key wait.
const EVENTS_PER_TURN: usize = 8;

pub(crate) struct Driver<'a> {
    pub(crate) session: Session,
    pub(crate) transport: Transport,
    pub(crate) view: &'a mut dyn View,
    pub(crate) keys: RoomKeys,
    pub(crate) started: Instant,
    pub(crate) shows: bool,
    pub(crate) interrupted: bool,
}

impl Driver<'_> {
    /// Drives until the session has ended.
    pub(crate) fn run(mut self, events: &Receiver<DriverEvent>) -> Ending {
        loop {
            if let Err(ending) = self.turn(events) {
                // The last updates are still shown; the session's ending takes precedence over a
                // failure to show them.
                let _ = self.refresh_view();
                return self.view.ended(ending);
            }
        }
    }

    fn turn(&mut self, events: &Receiver<DriverEvent>) -> Result<(), Ending> {
        let now_ms = self.now_ms();
        self.session.handle(Input::Tick, now_ms);
        self.keys.derive_due();
        loop {
            self.carry_out()?;
            self.refresh_view()?;
            if !self.session.has_outputs() {
                break;
            }
        }
        let first = self.wait(events);
        for event in first.into_iter().chain(events.try_iter().take(EVENTS_PER_TURN)) {
            self.take(event)?;
            self.carry_out()?;
        }
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn wait(&self, events: &Receiver<DriverEvent>) -> Option<DriverEvent> {
        let deadline_ms = [self.session.next_deadline_ms(), self.view.next_deadline_ms()].into_iter().flatten().min();
        let timeout = deadline_ms.map(|deadline_ms| Duration::from_millis(deadline_ms.saturating_sub(self.now_ms())));
        let derivation = self.keys.due_at().map(|at| at.saturating_duration_since(Instant::now()));
        match timeout.into_iter().chain(derivation).min() {
            Some(timeout) => events.recv_timeout(timeout).ok(),
            None => events.recv().ok(),
        }
    }

    fn take(&mut self, event: DriverEvent) -> Result<(), Ending> {
        let now_ms = self.now_ms();
        match event {
            DriverEvent::Link { generation, event } => {
                let session = &mut self.session;
                match self.transport.take(generation, event, |input| session.handle(input, now_ms)) {
                    Some(LinkReport::HeldUp(text)) => self.show(Update::Notice(text).into(), now_ms),
                    Some(LinkReport::Opened(opened)) if self.shows => {
                        let done = self.view.link_opened(&opened);
                        self.shown(done)
                    }
                    Some(LinkReport::Opened(_)) | None => Ok(()),
                }
            }
            DriverEvent::User(UserInput::Failed(why)) => Err(Ending::InputOutput(why)),
            DriverEvent::User(input) => {
                let done = self.view.input(input, &mut self.session, now_ms);
                self.shown(done)
            }
            DriverEvent::KeyDerived(derived) => {
                let news = self.keys.derived(*derived);
                self.tell(news)
            }
            // The second one does not wait.
            DriverEvent::Interrupted if self.interrupted => Err(Ending::Left),
            DriverEvent::Interrupted => {
                self.interrupted = true;
                self.leave();
                Ok(())
            }
        }
    }

    fn carry_out(&mut self) -> Result<(), Ending> {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Connect => {
                    if let Err(error) = self.transport.connect() {
                        let now_ms = self.now_ms();
                        self.session.handle(Input::ConnectFailed(&error.to_string()), now_ms);
                    }
                }
                Output::Send(bytes) => self.transport.send(bytes),
                Output::HalfClose => self.transport.half_close(),
                Output::Disconnect => self.transport.disconnect(),
                Output::Show(update) => {
                    let now_ms = self.now_ms();
                    self.show(update, now_ms)?;
                }
                Output::Ended(ending) => return Err(ending),
            }
        }
        Ok(())
    }

    /// Shows what a derived key has changed, and announces a new key in its room.
    fn tell(&mut self, news: News) -> Result<(), Ending> {
        let now_ms = self.now_ms();
        for update in news.updates {
            self.show(update.into(), now_ms)?;
        }
        if let Some(room) = news.announced_in
            && let Err(error) = self.session.command(announcement(room), now_ms)
        {
            self.show(Update::Notice(format!("the new key was not announced: {error}")).into(), now_ms)?;
        }
        Ok(())
    }

    fn show(&mut self, update: Envelope<Update>, now_ms: u64) -> Result<(), Ending> {
        if !self.shows {
            return Ok(());
        }
        let entered = match &update.content {
            Update::CurrentRoom(Some(room)) => self.keys.entry_notice(room),
            _ => None,
        };
        let mut done = self.view.show(update, now_ms);
        if let Some(notice) = entered {
            done = done.and_then(|()| self.view.show(Update::Notice(notice).into(), now_ms));
        }
        self.shown(done)
    }

    fn refresh_view(&mut self) -> Result<(), Ending> {
        if !self.shows {
            return Ok(());
        }
        let now_ms = self.now_ms();
        let done = self.view.refresh(&mut self.session, now_ms);
        self.shown(done)
    }

    /// Output that is no longer read is a way to leave; any other failure is an error.
    fn shown(&mut self, done: io::Result<()>) -> Result<(), Ending> {
        match done {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.shows = false;
                self.leave();
                Ok(())
            }
            Err(error) => Err(Ending::InputOutput(format!("cannot write the output: {error}"))),
        }
    }

    fn leave(&mut self) {
        let now_ms = self.now_ms();
        // Leaving twice is leaving.
        let _ = self.session.command(Command::Leave, now_ms);
    }
}

/// Returns the first message under a new key, from which the other members learn its record.
fn announcement(room: String) -> Command {
    Command::SayIn { room, text: "I have sealed this room with a new key".to_owned() }
}

#[cfg(test)]
mod tests;
