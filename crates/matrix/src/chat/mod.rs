//! A small chat in memory: a member, a server with a second member, and the line between them,
//! which belongs to the attacker.
//!
//! Its frames are those of the event dialect, so that the tap reads them. The server believes what
//! a link has proven, and otherwise token and name, as the real one does.

mod conversation;
mod end;
mod server;

pub(crate) use conversation::{Change, Conversation, Member, Passed};
pub(crate) use end::End;
pub(crate) use server::Server;

/// Room of all conversations.
pub(crate) const ROOM: &str = "den";
