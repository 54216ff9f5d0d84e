//! Protocols of the measured systems: a member's first bytes, how a message is sent, and how
//! deliveries are counted.

mod event;
mod hop;
mod irc;
mod nats;
mod resp;
mod tutorial;

use anyhow::Result;

pub use event::Event;
pub use hop::{Partial, Step};
pub use irc::Irc;
pub use nats::Nats;
pub use resp::Resp;
pub use tutorial::Tutorial;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Receives what the others send; may send as well where the system lets one connection do both.
    Member,
    /// Sends. Where one connection can do both it is a member like the others.
    Sender,
}

pub trait Peer {
    /// Appends the first bytes of a new connection.
    fn hello(&self, member: usize, role: Role, out: &mut Vec<u8>);

    /// Appends one message from `member`.
    fn message(&mut self, member: usize, text: &[u8], out: &mut Vec<u8>);

    /// Appends what shows that a member is there, where a server closes those of whom it hears nothing.
    fn keepalive(&self, _out: &mut Vec<u8>) {}

    /// Looks at the record that starts `bytes`. When it says `More`, the record is longer than `bytes`.
    fn scan(&self, bytes: &[u8]) -> Result<Step>;

    /// Counts the messages that end in `bytes`, the next bytes of one connection.
    fn deliveries(&self, partial: &mut Partial, bytes: &[u8]) -> Result<u64> {
        hop::hop(self, partial, bytes)
    }

    /// A subscribed connection cannot publish, so senders need connections of their own, which receive nothing.
    fn publishes_apart(&self) -> bool {
        false
    }

    /// A sender receives its own messages too.
    fn own_messages_return(&self) -> bool {
        false
    }

    /// The server says a line in plaintext before TLS begins.
    fn greets_before_tls(&self) -> bool {
        false
    }

    /// Returns the longest TLS record that the server reads whole, if it does not read any.
    fn longest_record_bytes(&self) -> Option<usize> {
        None
    }

    fn longest_text_bytes(&self) -> usize {
        usize::MAX
    }
}

fn name_of(member: usize) -> String {
    format!("m{member}")
}
