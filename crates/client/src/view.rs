//! Interface of a mode of the client to the driver: it takes the user's input and shows what
//! happens.

use std::io;

use glassline_session::{Ending, Session, Update};
use glassline_wire::envelope::Envelope;

use crate::inbox::UserInput;
use crate::link::OpenedLink;

/// Mode of the client.
pub(crate) trait View {
    fn input(&mut self, input: UserInput, session: &mut Session, now_ms: u64) -> io::Result<()>;

    /// The user should know this; with the `ref` of the request that it answers.
    fn show(&mut self, update: Envelope<Update>, now_ms: u64) -> io::Result<()>;

    /// Called when all events are processed: passes waiting commands to the session, draws or
    /// flushes.
    fn refresh(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()>;

    /// A link has come up: the first one, or one to a server with another key.
    fn link_opened(&mut self, link: &OpenedLink) -> io::Result<()>;

    fn next_deadline_ms(&self) -> Option<u64> {
        None
    }

    /// Called at the end of the session; returns the ending, which the mode may change (some of its
    /// input was not sent).
    fn ended(&mut self, ending: Ending) -> Ending {
        ending
    }
}
