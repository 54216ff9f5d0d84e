//! Sealed messages as the session sees them (S7): somebody else seals and opens.

use core::fmt::Debug;

use glassline_wire::event::{Message, Rejection};
use glassline_wire::message_id::MessageId;

use crate::prelude::*;

/// A message that the user sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft<'a> {
    /// Room it is for.
    pub room: &'a str,
    /// Id it is sent with.
    pub id: MessageId,
    /// The user's name.
    pub name: &'a str,
    /// Text.
    pub text: &'a str,
    /// `true` for `/me`.
    pub action: bool,
}

/// Way on which a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// In its turn.
    InTurn,
    /// In its turn, among those of before the user came.
    Context,
    /// In its turn, the user's own.
    Own,
    /// On a page that was asked for.
    Page,
}

/// Seals and opens the messages of rooms. The session passes every message through it.
pub trait RoomSeal: Debug + Send {
    /// Returns whether the user has sealed a room: nothing readable may be sent there.
    fn is_sealed(&self, room: &str) -> bool;

    /// Returns whether others have sealed a room, as far as it is known: nothing readable is sent
    /// there while the user is not alone in it.
    fn is_sealed_by_others(&self, _room: &str) -> bool {
        false
    }

    /// Takes what the server tells when the user enters a room: the beginning of the newest sealed
    /// message where the room is sealed. Returns what to tell the user.
    fn entered(&mut self, _room: &str, _sealed: Option<&str>) -> Option<String> {
        None
    }

    /// Notes that the server has relayed a sealed message of the user. Returns what to tell the user.
    fn relayed(&mut self, _room: &str) -> Option<String> {
        None
    }

    /// Notes that the server has refused a message to a room. Returns what to tell a person instead.
    fn refused(&mut self, _room: &str, _rejection: &Rejection) -> Option<String> {
        None
    }

    /// Returns the field `sealed` of a message.
    ///
    /// # Errors
    /// It cannot be sealed: why, and what to do. It must not be sent then.
    fn seal(&mut self, draft: Draft<'_>) -> Result<String, String>;

    /// Returns a message as it is to be shown: opened, or with the reason why it is not. `None`
    /// where it will be shown later, once its key is derived.
    fn open(&mut self, message: Message, arrival: Arrival) -> Option<Message>;
}

/// For a client without keys: shows what a server puts in place of a sealed message.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoKeys;

impl RoomSeal for NoKeys {
    fn is_sealed(&self, _: &str) -> bool {
        false
    }

    fn seal(&mut self, _: Draft<'_>) -> Result<String, String> {
        Err("there are no keys here".to_owned())
    }

    fn open(&mut self, message: Message, _: Arrival) -> Option<Message> {
        Some(message)
    }
}
