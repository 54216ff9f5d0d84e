//! The tap: a relay between client and server that shows, records, changes and evaluates what
//! passes. Decisions are pure: bytes and times in, outputs out. Only `relay`, `hook` and the
//! writers of recordings do I/O. Nothing here draws on a terminal.

pub mod frame;
pub mod line;
pub mod meaning;
pub mod observation;
pub mod reach;
pub mod relay;
pub mod splitter;

pub use frame::{Dialect, Direction, Frame, FrameKind, RawReason};
pub use line::{End, Line, LineOutput};
pub use meaning::{Meaning, Reader};
pub use observation::{Applied, Observation};
pub use reach::{Permission, Reach, ReachError, Role};
pub use relay::{Observer, Relay, RelayError, RelayHandle, RelayOptions};
pub use splitter::Splitter;
