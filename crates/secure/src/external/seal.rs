//! A member of a room whose texts a program seals and opens.

use serde::Deserialize;

use super::request::{Message, Request};
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

/// Result of receiving a message. At least one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct UnsealedText {
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
    id: u64,
}

impl ExternalMember {
    /// Enters a room.
    ///
    /// # Errors
    /// The program does not answer.
    pub fn enter(program: &SharedProgram, settings: Membership<'_>) -> Result<Self, ExternalError> {
        let Membership { name, room, passphrase, own, random } = settings;
        let id = program.next_id();
        let request = Request::Member { id, name, room, passphrase, own: own.into(), random: random.into() };
        program.ask::<serde::de::IgnoredAny>(&request)?;
        Ok(Self { program: program.clone(), id })
    }

    /// Returns the content that carries `text` in the message with the id `message`.
    ///
    /// # Errors
    /// The program does not answer.
    pub fn seal(&mut self, message: &str, text: &str) -> Result<SealedText, ExternalError> {
        self.program.ask(&Request::Seal { id: self.id, message, text })
    }

    /// Reads a message of another member.
    ///
    /// # Errors
    /// The program does not answer.
    pub fn unseal(&mut self, message: &Message) -> Result<UnsealedText, ExternalError> {
        self.program.ask(&Request::Unseal { id: self.id, message })
    }
}

impl Drop for ExternalMember {
    fn drop(&mut self) {
        // A program that no longer answers has forgotten it as well.
        let _ = self.program.ask::<serde::de::IgnoredAny>(&Request::Drop { id: self.id });
    }
}
