//! The hub: who is here, under which name, in which rooms, and what each has still to be sent.
//!
//! A room is a log, a member is a cursor. A message is encoded once for each dialect in use and appended to that
//! dialect's log in the room; a member holds only its position. The owner of the sockets drives it so:
//! change the hub ([`Hub::say`], [`Hub::join`], …), then write what [`Hub::take_ready`] and [`Hub::next_in_round`] name, with
//! [`Hub::gather`] and [`Hub::advance`], until both are empty. Bytes and times are arguments: no sockets and no clock.
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
mod member;
mod moderation;
mod name;
mod names;
mod now;
mod outstanding;
mod presence;
mod question_queue;
mod recent_ids;
mod room;
mod scheduler;
mod send_queue;
mod write_slices;

pub use counters::Counters;
pub use dialect::Dialect;
pub use encode::server_pair;
pub use hub::{CommandOutcome, Hub, LoginOutcome, NameHolder, Rules, hidden_command};
pub use id::MemberId;
pub use member::ConnectInfo;
pub use moderation::{AuditEvent, Disconnect, OperatorToken, TokenError, subnet, subnet_key};
pub use name::room_name;
pub use now::Now;
pub use outstanding::Awaits;
pub use question_queue::PendingQuestion;
pub use write_slices::{SLICES_MAX, WRITE_BYTES_MAX, WriteSlices};
