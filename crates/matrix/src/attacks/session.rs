//! Attacks with the secrets of one session, which are stolen from a computer's memory or a key log.

use std::cell::RefCell;
use std::rc::Rc;

use glassline_tap::{Direction, PerDirection};
use glassline_wire::frame::frame;
use glassline_wire::opening::EVENT_OPENING;
use serde_json::json;

use super::passive::{self, Recorded};
use crate::bytes::find;
use crate::chat::{Conversation, Passed, ROOM, Server};
use crate::lab::{BOB, Lab};
use crate::outcome::{Defect, Outcome};
use crate::seal::Received;
use crate::stolen::{Compromised, Thief};

/// Number of a forged message, which is far from those in use.
const FORGED_SEQ: u64 = 1_000;

/// Maker of thieves with the secrets of one session.
type MakeThief<'a> = Box<dyn Fn() -> Box<dyn Thief> + 'a>;

/// Has Alice connect, and returns the connection with what was stolen of it.
fn begin<'a>(lab: &mut Lab<'a>, chat: &Rc<RefCell<Server>>) -> Result<(Conversation, MakeThief<'a>), Defect> {
    let (keys, memory, random) = (lab.server_keys(), lab.verified(), lab.random().secret());
    let Compromised { server, thief } = lab.scheme().link().compromised(&keys, random);
    let (client, alice) = (lab.client_layers(&memory), lab.alice());
    let conversation = Conversation::new(client, server, alice, Rc::clone(chat));
    Ok((lab.establish(conversation, chat)?, thief))
}

/// Plaintext that a thief reads of each direction.
fn plaintext_of(thief: &mut dyn Thief, pieces: &[Passed]) -> PerDirection<Vec<u8>> {
    let mut plaintext: PerDirection<Vec<u8>> = PerDirection::default();
    for piece in pieces {
        plaintext[piece.direction].extend(thief.read(piece.direction, &piece.bytes));
    }
    plaintext
}

/// Returns why there is nothing to steal, where the secrets do not even give the client's opening.
fn nothing_stolen(plaintext: &PerDirection<Vec<u8>>) -> Option<Outcome> {
    if find(&plaintext[Direction::ToServer], EVENT_OPENING).is_some() {
        return None;
    }
    let reason =
        "the scheme draws its random numbers itself, so that nothing stolen makes its code run the session again";
    Some(Outcome::DoesNotApply(reason.to_owned()))
}

fn is_read(plaintext: &PerDirection<Vec<u8>>, secrets: &[String]) -> bool {
    let stands_in_it =
        |secret: &String| plaintext.both().into_iter().any(|bytes| find(bytes, secret.as_bytes()).is_some());
    secrets.iter().any(stands_in_it)
}

/// The thief reads the session, then says something in the server's place.
pub(crate) fn this(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let (mut conversation, thief) = begin(lab, &chat)?;
    let recorded = passive::record_in(lab, &chat, &mut conversation)?;
    let mut thief = thief();
    let plaintext = plaintext_of(&mut *thief, &recorded.pieces);
    if let Some(outcome) = nothing_stolen(&plaintext) {
        return Ok(outcome);
    }
    let is_read = is_read(&plaintext, &recorded.secrets);
    lab.note(format!("with the secrets of the session the stream is read; a text in it: {is_read}"));
    let text = lab.random().word();
    let event = json!({"type": "message", "room": ROOM, "seq": FORGED_SEQ, "from": BOB, "text": text});
    conversation.put(Direction::ToClient, &thief.write(&frame(event.to_string().as_bytes())));
    conversation.act();
    let is_heard = conversation.received().last().and_then(Received::text) == Some(&text);
    let warning = conversation.received().iter().find_map(Received::warning).map(str::to_owned);
    let complaint = conversation.error().or(warning);
    lab.note(format!("alice hears a text that the thief says in the server's place: {is_heard} ({complaint:?})"));
    conversation.log_out();
    lab.session(&chat)?;
    Ok(match complaint {
        _ if is_read || is_heard => Outcome::Succeeds,
        Some(_) => Outcome::Detected,
        None => Outcome::Stopped,
    })
}

/// The thief reads the sessions before and after.
pub(crate) fn others(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let earlier = recorded(lab, &chat)?;
    let (mut conversation, thief) = begin(lab, &chat)?;
    conversation.close();
    let plaintext = plaintext_of(&mut *thief(), conversation.recording());
    if let Some(outcome) = nothing_stolen(&plaintext) {
        return Ok(outcome);
    }
    lab.note("with its secrets one session is read; now that before it and that after it are to be");
    let later = recorded(lab, &chat)?;
    for (name, other) in [("earlier", earlier), ("later", later)] {
        let is_given = is_read(&plaintext_of(&mut *thief(), &other.pieces), &other.secrets);
        let way = is_given.then_some("the stolen secrets give it").or_else(|| other.read());
        if let Some(way) = way {
            lab.note(format!("a text of the {name} session is read: {way}"));
            return Ok(Outcome::Succeeds);
        }
    }
    lab.note("no text of the sessions before and after is read");
    Ok(Outcome::Stopped)
}

/// Records a session that ends.
fn recorded(lab: &mut Lab<'_>, chat: &Rc<RefCell<Server>>) -> Result<Recorded, Defect> {
    let mut conversation = lab.session(chat)?;
    let recorded = passive::record_in(lab, chat, &mut conversation)?;
    conversation.close();
    Ok(recorded)
}
