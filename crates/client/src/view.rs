//! Interface of a mode of the client to the driver: it takes the user's input and shows what
//! happens.

use std::io;

use glassline_session::{Ending, Session, Update};
use glassline_wire::envelope::Envelope;

use crate::inbox::UserInput;

/// One of the modes.
pub(crate) trait View {
    /// The user did something.
    fn input(&mut self, input: UserInput, session: &mut Session, now_ms: u64) -> io::Result<()>;

    /// The user should know this; with the `ref` of the request that it answers.
    fn show(&mut self, update: Envelope<Update>, now_ms: u64) -> io::Result<()>;

    /// Everything that had arrived is worked off: hand the session what waits, draw or flush.
    fn settle(&mut self, session: &mut Session, now_ms: u64) -> io::Result<()>;

    /// When [`View::settle`] wants to be called again at the latest.
    fn next_deadline_ms(&self) -> Option<u64> {
        None
    }

    /// The session has ended like this; the mode may know better (some of its input was not sent).
    fn ended(&mut self, ending: Ending) -> Ending {
        ending
    }
}
