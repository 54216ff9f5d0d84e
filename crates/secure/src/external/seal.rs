//! A member of a room whose texts a program seals and opens.

use serde::{Deserialize, Serialize};

use super::request::Request;
use super::{ExternalError, SharedProgram};

/// Settings of a member.
#[derive(Debug, Clone, Copy)]
pub struct Membership<'a> {
    /// Name of the member.
    pub name: &'a str,
    /// Room.
    pub room: &'a str,
    /// Secret of the room.
    pub passphrase: &'a str,
    /// The member's own key.
    pub own: &'a [u8],
    /// Bytes from which the scheme makes its random numbers.
    pub random: &'a [u8],
}

/// Content of a message to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SealedText {
    /// Text that the server and every client can read.
    pub text: String,
    /// Sealed text, in the form of the field `sealed`.
    #[serde(default)]
    pub sealed: Option<String>,
}

/// Message as the server delivers it: all of it is the server's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Number in the room.
    pub number: u64,
    /// Room.
    pub room: String,
    /// The sender's id for it.
    pub id: String,
    /// Name of the sender.
    pub from: String,
    /// Text that everyone can read.
    pub text: String,
    /// Sealed text, if there is one.
    pub sealed: Option<String>,
}

/// Result of receiving a message. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OpenedText {
    /// Text to be shown; `None` where none is.
    #[serde(default)]
    pub text: Option<String>,
    /// Remark beside the text, or the reason for which none is shown.
    #[serde(default)]
    pub warning: Option<String>,
}

/// A member's side of the program's seal.
#[derive(Debug)]
pub struct ExternalMember {
    program: SharedProgram,
    member: u64,
}

impl ExternalMember {
    /// Enters a room as `member`, a number that no other member of this program has.
    ///
    /// # Errors
    /// The program does not answer.
    pub fn enter(program: SharedProgram, member: u64, settings: Membership<'_>) -> Result<Self, ExternalError> {
        let Membership { name, room, passphrase, own, random } = settings;
        let request = Request::Member { member, name, room, passphrase, own: own.into(), random: random.into() };
        program.ask::<serde::de::IgnoredAny>(&request)?;
        Ok(Self { program, member })
    }

    /// Returns the content that carries `text`.
    ///
    /// # Errors
    /// The program does not answer.
    pub fn seal(&mut self, id: &str, text: &str) -> Result<SealedText, ExternalError> {
        self.program.ask(&Request::Seal { member: self.member, id, text })
    }

    /// Reads a message of another member.
    ///
    /// # Errors
    /// The program does not answer.
    pub fn open(&mut self, message: &Message) -> Result<OpenedText, ExternalError> {
        self.program.ask(&Request::Open { member: self.member, message })
    }
}

impl Drop for ExternalMember {
    fn drop(&mut self) {
        // A program that no longer answers has forgotten it as well.
        let _ = self.program.ask::<serde::de::IgnoredAny>(&Request::Forget { layer: None, member: Some(self.member) });
    }
}
