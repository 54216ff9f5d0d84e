//! The tap: a relay between client and server that shows, records, changes and evaluates what
//! passes. Decisions are pure: bytes and times in, outputs out. Only `relay`, `hook` and the
//! writers of recordings do I/O. Nothing here draws on a terminal.

pub mod capture;
pub mod frame;
pub mod line;
pub mod meaning;
pub mod observation;
pub mod recording;
pub mod replay;
pub mod report;
pub mod splitter;

pub use capture::{Capture, CaptureEnd, CaptureError, CapturedConnection, CapturedFrame, Refusal, RefusedConnection};
pub use frame::{Dialect, Direction, Frame, FrameKind, RawReason};
pub use line::{End, Line, LineOutput};
pub use meaning::{Meaning, Reader};
pub use observation::{Applied, Observation};
pub use recording::{Addresses, Recorder, RecordingError, Side};
pub use report::{Evidence, Knowledge, Report, Seen};
pub use splitter::Splitter;
