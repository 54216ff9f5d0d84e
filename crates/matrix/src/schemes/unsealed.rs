//! No protection from the server.

use crate::seal::{Body, Posted, Received, RoomSeal, Voice, VoiceSetup};

/// Texts as they were written.
#[derive(Debug, Clone, Copy)]
pub struct Unsealed;

impl RoomSeal for Unsealed {
    fn voice(&self, _: VoiceSetup<'_>) -> Box<dyn Voice> {
        Box::new(Self)
    }

    fn is_sealed(&self) -> bool {
        false
    }
}

impl Voice for Unsealed {
    fn say(&mut self, _: &str, text: &str) -> Body {
        Body { text: text.to_owned(), sealed: None }
    }

    fn receive(&mut self, posted: &Posted) -> Received {
        Received::Text(posted.body.text.clone())
    }
}
