//! The seal of a program.

use glassline_secure::external::{ExternalError, ExternalMember, Membership, Message, SharedProgram, UnsealedText};

use crate::seal::{Body, Posted, Received, RoomSeal, Voice, VoiceSetup};

/// Reason where a program shows nothing and gives none.
const NO_REASON: &str = "the scheme's program shows no text";

#[derive(Debug)]
pub(super) struct ProgramSeal {
    program: SharedProgram,
}

impl ProgramSeal {
    pub(super) fn new(program: SharedProgram) -> Self {
        Self { program }
    }

    fn enter(&self, setup: VoiceSetup<'_>) -> Result<ExternalMember, ExternalError> {
        let VoiceSetup { name, room, own, passphrase, random } = setup;
        ExternalMember::enter(&self.program, Membership { name, room, passphrase, own: &own, random: &random })
    }
}

impl RoomSeal for ProgramSeal {
    fn voice(&self, setup: VoiceSetup<'_>) -> Box<dyn Voice> {
        Box::new(ProgramVoice(self.enter(setup)))
    }

    fn is_sealed(&self) -> bool {
        true
    }

    fn is_passphrase(&self, guess: &str, posted: &Posted) -> bool {
        let setup =
            VoiceSetup { name: "guesser", room: &posted.room, own: [1; 32], passphrase: guess, random: [2; 32] };
        self.voice(setup).receive(posted).shown().is_some()
    }
}

/// Member of a room, or the reason for which there is none.
#[derive(Debug)]
struct ProgramVoice(Result<ExternalMember, ExternalError>);

impl ProgramVoice {
    fn unseal(&mut self, posted: &Posted) -> Result<UnsealedText, ExternalError> {
        let Posted { number, room, id, from, body } = posted.clone();
        let message = Message { number, room, id, from, text: body.text, sealed: body.sealed };
        self.0.as_mut().map_err(|error| error.clone())?.unseal(&message)
    }
}

impl Voice for ProgramVoice {
    fn say(&mut self, id: &str, text: &str) -> Body {
        let sealed = self.0.as_mut().map_err(|error| error.clone()).and_then(|member| member.seal(id, text));
        match sealed {
            Ok(sealed) => Body { text: sealed.text, sealed: sealed.sealed },
            // The text is not heard, so that the cell is a defect.
            Err(error) => Body { text: error.to_string(), sealed: None },
        }
    }

    fn receive(&mut self, posted: &Posted) -> Received {
        match self.unseal(posted) {
            Ok(UnsealedText { text: Some(text), warning: None }) => Received::Text(text),
            Ok(UnsealedText { text: Some(text), warning: Some(warning) }) => Received::Remarked(text, warning),
            Ok(UnsealedText { text: None, warning }) => {
                Received::Refused(warning.unwrap_or_else(|| NO_REASON.to_owned()))
            }
            Err(error) => Received::Refused(error.to_string()),
        }
    }
}
