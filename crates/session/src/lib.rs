//! One client's session with a server, from the first connect to the goodbye, over as many
//! connections as it takes.
//!
//! No I/O: time and randomness are arguments. Pass what happened to [`Session::handle`] and what
//! the user wants to [`Session::command`], do everything that [`Session::poll_output`] returns, and
//! call [`Session::handle`] again at [`Session::next_deadline_ms`] at the latest.
//!
//! [`Session`] is a composition; its parts do not know it: `Connection` (phase, dialect, bytes on
//! their way), `Identity`, `JoinedRooms` (with a `SeqTracker` each), `Delivery` (messages not
//! acknowledged, gaps), `Queries` and `ExitIntent`.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod command;
mod connection;
mod delivery;
mod ending;
mod entropy;
mod hello;
mod identity;
mod joined_rooms;
mod limits;
mod prelude;
mod program;
mod queries;
mod recent_rename;
mod room_seal;
mod seq_tracker;
mod session;
mod status;
mod token_check;
#[expect(missing_docs, reason = "what their names say of themselves has no comment")]
mod update;

pub use command::{Command, CommandError, HistorySelection};
pub use ending::Ending;
pub use entropy::Entropy;
pub use program::OWN_REF_PREFIX;
pub use room_seal::{Arrival, Draft, RoomSeal};
pub use session::{Config, PAGE_MESSAGES, Session};
pub use status::{LinkState, SlashExecutor, Status};
pub use update::{Dialect, DialectChoice, HistoryQuery, Input, Output, Update};
