//! Attacks that move what was said under one scheme into a session under another, of the same people
//! with the same keys.

use std::cell::RefCell;
use std::rc::Rc;

use glassline_tap::Direction;
use glassline_wire::opening::{Sniffed, sniff};

use super::line::{complaint, intercept, texts};
use crate::chat::Server;
use crate::lab::{ALICE, BOB, Lab};
use crate::outcome::{Defect, Outcome};
use crate::random::Random;
use crate::schemes;
use crate::seal::{Posted, Received};

/// Pieces of a session, of which the server has not received the last one, and the text in it.
struct Withheld {
    text: String,
    pieces: Vec<Vec<u8>>,
}

/// Has Alice say something under another scheme, and withholds it.
fn withhold(lab: &mut Lab<'_>) -> Result<Withheld, Defect> {
    let chat = lab.chat();
    let mut conversation = lab.session(&chat)?;
    let text = lab.random().word();
    let last = intercept(&mut conversation, &text);
    if last.is_empty() {
        return Err(Defect("what alice says is not sent".to_owned()));
    }
    let up = conversation.recording().iter().filter(|piece| piece.direction == Direction::ToServer);
    Ok(Withheld { text, pieces: up.map(|piece| piece.bytes.clone()).collect() })
}

/// Inserts the withheld piece into a session, and all pieces into a connection of their own. Returns
/// whether Bob heard the text without a remark, and the first complaint.
fn insert(lab: &mut Lab<'_>, withheld: &Withheld) -> Result<(bool, Option<String>), Defect> {
    let chat = lab.chat();
    let mut session = lab.session(&chat)?;
    session.put(Direction::ToServer, withheld.pieces.last().map_or(&[], Vec::as_slice));
    session.pump();
    let is_heard = texts(&chat).contains(&withheld.text);
    let complaint_within = complaint(&session, &chat);
    let chat = lab.chat();
    let mut alone = lab.connect(&chat);
    for piece in &withheld.pieces {
        alone.put(Direction::ToServer, piece);
        alone.act();
        let _ = alone.take(Direction::ToClient);
    }
    let is_heard_alone = texts(&chat).contains(&withheld.text);
    let complaint_alone = complaint(&alone, &chat);
    let is_unnoticed = is_heard && complaint_within.is_none() || is_heard_alone && complaint_alone.is_none();
    Ok((is_unnoticed, complaint_within.or(complaint_alone)))
}

/// Somebody on the way inserts pieces of a session under each of the program's other schemes.
pub(crate) fn schemes(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let own = first_piece(lab)?;
    let is_sealed = lab.scheme().seal().is_sealed();
    let mut outcome = Outcome::Stopped;
    for other in schemes::all() {
        let withheld = withhold(&mut lab.under(&other))?;
        if other.seal().is_sealed() == is_sealed && is_same_link(&own, &withheld.pieces[0]) {
            continue;
        }
        let (is_unnoticed, complaint) = insert(lab, &withheld)?;
        lab.note(format!("a piece of a session under {}: heard {is_unnoticed}, {complaint:?}", other.name()));
        if is_unnoticed {
            return Ok(Outcome::Succeeds);
        }
        if complaint.is_some() {
            outcome = Outcome::Detected;
        }
    }
    Ok(outcome)
}

/// The server withholds what Alice says over another link, and delivers it when she is there over this
/// one.
pub(crate) fn links(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let own = first_piece(lab)?;
    let is_sealed = lab.scheme().seal().is_sealed();
    let (mut is_heard, mut is_noticed) = (false, false);
    for other in schemes::all().into_iter().filter(|other| other.seal().is_sealed() == is_sealed) {
        let mut elsewhere = lab.under(&other);
        if is_same_link(&own, &first_piece(&mut elsewhere)?) {
            continue;
        }
        let text = lab.random().word();
        let withheld = posted_to_nobody(&mut elsewhere, &text)?;
        let chat = lab.chat();
        let mut session = lab.session(&chat)?;
        let first = deliver(&chat, &withheld);
        let again = deliver(&chat, &withheld);
        lab.exchange(&mut session, &chat)?;
        lab.note(format!("said under {} and delivered now: {first:?}; delivered twice: {again:?}", other.name()));
        is_heard |= first.as_ref().and_then(Received::text) == Some(&text);
        is_noticed |= first.as_ref().and_then(Received::warning).is_some();
    }
    Ok(match (is_heard, is_noticed) {
        (true, _) => Outcome::Succeeds,
        (false, true) => Outcome::Detected,
        (false, false) => Outcome::Stopped,
    })
}

/// Has Alice say something to a server in whose room nobody else is.
fn posted_to_nobody(lab: &mut Lab<'_>, text: &str) -> Result<Posted, Defect> {
    let chat = Rc::new(RefCell::new(Server::new(Random::new(lab.random().next_u64(), "server"))));
    let mut conversation = lab.connect(&chat);
    conversation.pump();
    conversation.member_says(text);
    conversation.pump();
    let posted = chat.borrow().newest().cloned();
    posted.ok_or_else(|| Defect(format!("the server does not get what alice says: {:?}", conversation.error())))
}

/// Delivers a message to Bob as one of Alice, and returns what he received.
fn deliver(chat: &Rc<RefCell<Server>>, withheld: &Posted) -> Option<Received> {
    chat.borrow_mut().post(ALICE, &withheld.id, withheld.body.clone());
    chat.borrow().received(BOB).last().cloned()
}

/// Returns the first piece of a session.
fn first_piece(lab: &mut Lab<'_>) -> Result<Vec<u8>, Defect> {
    let chat = lab.chat();
    let session = lab.session(&chat)?;
    Ok(session.recording().first().map(|piece| piece.bytes.clone()).unwrap_or_default())
}

/// Returns whether sessions that begin like this are of the same link, as far as a server can tell.
fn is_same_link(one: &[u8], other: &[u8]) -> bool {
    matches!(sniff(one), Sniffed::Is(_)) && sniff(one) == sniff(other)
}
