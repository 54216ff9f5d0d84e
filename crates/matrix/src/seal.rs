//! Protection of texts between members, as the lab uses it.

use std::fmt::Debug;

use crate::secret::Secret;

/// Content of a message as it is sent to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Text that the server and every client can read.
    pub text: String,
    /// Sealed text in the form of the field `sealed`.
    pub sealed: Option<String>,
}

/// Message as the server delivers it to members. All of it is the server's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Number in the room.
    pub number: u64,
    /// Room.
    pub room: String,
    /// The sender's id for it.
    pub id: String,
    /// Name of the sender.
    pub from: String,
    /// Content.
    pub body: Body,
}

/// Result of receiving a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The text is shown as any other.
    Text(String),
    /// The text is shown with this remark.
    Remarked(String, String),
    /// No text is shown, but this reason.
    Refused(String),
}

impl Received {
    /// The text, if it is shown without a remark.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Remarked(..) | Self::Refused(_) => None,
        }
    }

    /// The text, if it is shown at all.
    pub fn shown(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Remarked(text, _) => Some(text),
            Self::Refused(_) => None,
        }
    }

    /// Remark or reason.
    pub fn warning(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Remarked(_, why) | Self::Refused(why) => Some(why),
        }
    }
}

/// A member's side of the protection in one room, with what it remembers.
pub trait Voice: Debug {
    /// Returns the content that carries `text`.
    fn say(&mut self, id: &str, text: &str) -> Body;

    /// Reads a message of another member.
    fn receive(&mut self, posted: &Posted) -> Received;

    /// Takes in that the server has delivered a message of this member.
    fn echo(&mut self, posted: &Posted) {
        let _ = posted;
    }

    /// Takes in that the server says whether the room is sealed.
    fn server_says_sealed(&mut self, is_sealed: bool) {
        let _ = is_sealed;
    }

    /// Begins a new epoch with another passphrase; false where the scheme has none.
    fn new_epoch(&mut self, passphrase: &str) -> bool {
        let _ = passphrase;
        false
    }
}

/// Settings of a member's side.
#[derive(Debug, Clone, Copy)]
pub struct VoiceSetup<'a> {
    /// Name of the member.
    pub name: &'a str,
    /// Room.
    pub room: &'a str,
    /// The member's own key.
    pub own: Secret,
    /// Secret of the room.
    pub passphrase: &'a str,
    /// Random numbers of this run of the client.
    pub random: Secret,
}

/// Protection of texts between the members of a room.
pub trait RoomSeal: Debug + Send + Sync {
    /// Returns a member's side. Two members with the same passphrase read each other.
    fn voice(&self, setup: VoiceSetup<'_>) -> Box<dyn Voice>;

    /// Returns whether texts are protected from the server.
    fn is_sealed(&self) -> bool;

    /// Returns whether `guess` is the passphrase of the message, with an attacker's means.
    fn is_passphrase(&self, guess: &str, posted: &Posted) -> bool {
        let _ = (guess, posted);
        false
    }

    /// Returns whether the message proves its sender to somebody who was not there and is shown the
    /// passphrase; `None` where there is nothing to show.
    fn proves_sender(&self, passphrase: &str, posted: &Posted) -> Option<bool> {
        let _ = (passphrase, posted);
        None
    }
}
