//! The tap: a relay between client and server that shows, records, changes and evaluates what
//! passes. Decisions are pure: bytes and times in, outputs out. Only `relay`, `hook` and the
//! writers of recordings do I/O. Nothing here draws on a terminal.

mod applied;
pub mod capture;
mod cause;
pub mod faults;
pub mod frame;
pub mod hook;
pub mod line;
pub mod meaning;
pub mod observation;
mod page;
mod per_direction;
mod private_file;
pub mod reach;
pub mod recording;
pub mod relay;
pub mod replay;
pub mod report;
pub mod rules;
pub mod splitter;
mod tls_record;
mod websocket;
mod wrapped;

pub use applied::Applied;
pub use capture::{
    Capture, CaptureEnd, CaptureError, CapturedConnection, CapturedFrame, RejectedConnection, Rejection,
};
pub use cause::cause;
pub use frame::{Control, Dialect, Direction, Frame, FrameId, FrameKind, RawReason};
pub use line::{Ask, DIRECTION_BYTES_MAX, Decider, Decision, End, Line, LineOutput};
pub use meaning::{Meaning, Reader};
pub use observation::Observation;
pub use page::page;
pub use per_direction::PerDirection;
pub use private_file::{Existing, create_private};
pub use reach::{Permission, ReachError, Role};
pub use recording::{Addresses, Recorder, RecordingError, Side};
pub use relay::{InterceptError, Interceptor, Observer, Relay, RelayError, RelayHandle, RelayOptions, Summary};
pub use report::{Evidence, Knowledge, Report, Seen};
pub use rules::{Rule, RuleError, RuleFile, RuleSet};
pub use splitter::Splitter;
pub use tls_record::{RECORD_HEADER_BYTES, RecordType};
pub use wrapped::wrapped;
