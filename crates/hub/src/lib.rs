//! The hub: members, their names and rooms, and the output queued for each.
//!
//! A room is a log, a member is a cursor. A message is encoded once for each dialect in use and
//! appended to that dialect's log in the room; a member holds only its position. [`Hub`] lists its
//! methods and their order.
//!
//! [`Hub`] composes parts that do not know it: the rooms with their lanes and logs, the members
//! with their send queues, the scheduler of writes, the names in use, the state of moderation, and
//! the queues to the history. Only files in `hub/` implement it.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod closed_rooms;
mod commit_queue;
mod counters;
mod dialect;
mod direct_senders;
mod encode;
mod hub;
mod id;
mod lane;
mod log;
mod log_event;
mod member;
mod moderation;
mod name;
mod names;
mod outstanding;
mod presence;
mod question_queue;
mod recent_ids;
mod room;
mod scheduler;
mod send_queue;
mod text;
mod write_slices;

pub use counters::HubCounters;
pub use dialect::Dialect;
pub use encode::Outbound;
pub use hub::{CommandOutcome, Hub, LoginOutcome, NameHolder, Reply, ReplyResult, Rules, hidden_command};
pub use id::MemberId;
pub use log_event::LogEvent;
pub use member::ConnectInfo;
pub use moderation::{Disconnect, OperatorToken, TokenError, subnet, subnet_key};
pub use name::room_name;
pub use outstanding::Awaits;
pub use question_queue::PendingQuestion;
pub use write_slices::{SLICES_MAX, WRITE_BYTES_MAX, WriteSlices};

/// The time of a call, on the two clocks that the hub uses.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// A clock that only goes forward, in milliseconds.
    pub monotonic_ms: u64,
    /// Time of day.
    pub at: glassline_wire::timestamp::Timestamp,
}
