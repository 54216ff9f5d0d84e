//! One side of a recorded connection, played back: it sends what that side sent, and before each
//! frame waits for what that side had waited for.

mod player;
mod script;

pub use player::{Outcome, Player, ReplayError};
pub use script::{Awaited, Ids, Script, ScriptError, Step};
