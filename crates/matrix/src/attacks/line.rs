//! Attacks that change what passes.

use std::cell::RefCell;
use std::rc::Rc;

use glassline_tap::Direction;
use glassline_wire::opening::EVENT_OPENING;

use crate::bytes::find;
use crate::chat::{Change, Conversation, Server};
use crate::lab::{BOB, Effort, Lab};
use crate::outcome::{Defect, Outcome};
use crate::seal::Received;

/// Byte positions of each direction that are tried with little effort.
const FEW_POSITIONS: usize = 12;
/// Positions at the beginning of the last text that are tried in any case.
const HEADER_POSITIONS: usize = 32;
/// Honest texts after a change, so that a length that was enlarged is filled.
const TEXTS_AFTER: usize = 3;

/// Pieces that are sent back, each in a session of its own.
const REFLECTED_PLACES: usize = 4;

/// Texts that Bob heard without a remark.
pub(super) fn texts(chat: &Rc<RefCell<Server>>) -> Vec<String> {
    chat.borrow().received(BOB).iter().filter_map(Received::text).map(str::to_owned).collect()
}

/// The first remark about a text at either member, or the first error.
pub(super) fn complaint(conversation: &Conversation, chat: &Rc<RefCell<Server>>) -> Option<String> {
    let chat = chat.borrow();
    let warning = chat.received(BOB).iter().chain(conversation.received()).find_map(Received::warning);
    conversation.error().or_else(|| warning.map(str::to_owned))
}

/// Has Alice say something, and takes the piece before it reaches the server.
pub(super) fn intercept(conversation: &mut Conversation, text: &str) -> Vec<u8> {
    conversation.member_says(text);
    conversation.act();
    conversation.take(Direction::ToServer)
}

/// Judges a reached aim, a complaint, or neither.
fn judged(lab: &mut Lab<'_>, is_reached: bool, complaint: Option<String>) -> Outcome {
    match (is_reached, complaint) {
        (true, None) => {
            lab.note("the aim is reached, and nobody is told");
            Outcome::Succeeds
        }
        (_, Some(complaint)) => {
            lab.note(format!("it is noticed: {complaint}"));
            Outcome::Detected
        }
        (false, None) => {
            lab.note("the aim is not reached, and nothing is noticed");
            Outcome::Stopped
        }
    }
}

/// Bytes that passed in one direction.
struct Stream {
    length: usize,
    /// Place at which the last text begins.
    last_piece: usize,
}

impl Stream {
    fn of(conversation: &Conversation, direction: Direction) -> Self {
        let pieces = conversation.recording().iter().filter(|piece| piece.direction == direction);
        let lengths: Vec<usize> = pieces.map(|piece| piece.bytes.len()).collect();
        let length = lengths.iter().sum();
        Self { length, last_piece: length - lengths.last().copied().unwrap_or(0) }
    }

    /// Returns each position, or a few, and those where the last text has its headers: no later text
    /// shows that it was lost.
    fn positions(&self, lab: &mut Lab<'_>) -> Vec<usize> {
        if lab.effort() == Effort::All {
            return (0..self.length).collect();
        }
        let step = self.length.div_ceil(FEW_POSITIONS).max(1);
        let spread = (lab.random().below(step)..self.length).step_by(step);
        spread.chain((self.last_piece..self.length).take(HEADER_POSITIONS)).collect()
    }
}

/// One session in which one byte is changed: texts said and heard, and what was noticed.
struct Tampered {
    is_reached: bool,
    complaint: Option<String>,
}

fn tampered(lab: &mut Lab<'_>, change: Option<Change>) -> (Tampered, [Stream; 2]) {
    let chat = lab.chat();
    let mut conversation = lab.connect(&chat);
    if let Some(change) = change {
        conversation.set_change(change);
    }
    conversation.pump();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..TEXTS_AFTER {
        up.push(lab.random().word());
        conversation.member_says(&up[up.len() - 1]);
        conversation.pump();
        down.push(lab.random().word());
        conversation.listener_says(BOB, &down[down.len() - 1]);
        conversation.pump();
    }
    let streams = Direction::BOTH.map(|direction| Stream::of(&conversation, direction));
    conversation.close();
    // Whoever is never connected is told so after a while, and has said nothing.
    let never = (!conversation.is_welcome()).then(|| "alice is never connected".to_owned());
    let heard_down: Vec<&str> = conversation.received().iter().filter_map(Received::text).collect();
    let is_reached = texts(&chat) != up || heard_down != down;
    (Tampered { is_reached, complaint: complaint(&conversation, &chat).or(never) }, streams)
}

pub(crate) fn tamper(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let (control, streams) = tampered(lab, None);
    if control.is_reached || control.complaint.is_some() {
        return Err(Defect(format!("the unchanged session fails: {:?}", control.complaint)));
    }
    let mut counts = [0_usize; 3];
    let mut first = None;
    for (direction, stream) in Direction::BOTH.into_iter().zip(streams) {
        for at in stream.positions(lab) {
            let change = Change { direction, at, mask: 1 << lab.random().below(8) };
            let (result, _) = tampered(lab, Some(change));
            let kind = match (&result.complaint, result.is_reached) {
                (None, true) => 0,
                (Some(_), _) => 1,
                (None, false) => 2,
            };
            counts[kind] += 1;
            if kind == 0 && first.is_none() {
                first = Some(change);
            }
            if kind == 1 && counts[1] <= 5 {
                lab.note(format!("byte {at} {direction:?}: {}", result.complaint.unwrap_or_default()));
            }
        }
    }
    let [accepted, noticed, harmless] = counts;
    lab.note(format!(
        "{accepted} changes had an effect that nobody noticed, {noticed} were noticed, {harmless} had no effect"
    ));
    if let Some(change) = first {
        lab.note(format!("the first: bits {:#04x} of byte {} {:?}", change.mask, change.at, change.direction));
        return Ok(Outcome::Succeeds);
    }
    Ok(if noticed > 0 { Outcome::Detected } else { Outcome::Stopped })
}

pub(crate) fn replay_within(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut conversation = lab.session(&chat)?;
    let text = lab.random().word();
    let piece = intercept(&mut conversation, &text);
    for _ in 0..2 {
        conversation.put(Direction::ToServer, &piece);
        conversation.pump();
    }
    let times = texts(&chat).iter().filter(|received| **received == text).count();
    lab.note(format!("a piece passes twice; bob hears its text {times} times"));
    if times == 0 {
        return Err(Defect("a text that passes twice is never heard".to_owned()));
    }
    let complaint = complaint(&conversation, &chat);
    Ok(judged(lab, times > 1, complaint))
}

pub(crate) fn replay_across(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut first = lab.session(&chat)?;
    let text = lab.random().word();
    first.member_says(&text);
    first.pump();
    first.close();
    // Alice has gone; the attacker connects, and repeats what she sent.
    let mut second = lab.connect(&chat);
    for piece in first.recording().iter().filter(|piece| piece.direction == Direction::ToServer) {
        second.put(Direction::ToServer, &piece.bytes);
        second.act();
        let _ = second.take(Direction::ToClient);
    }
    let times = texts(&chat).iter().filter(|received| **received == text).count();
    lab.note(format!("her bytes are sent again on a new connection; bob hears her text {times} times"));
    let complaint = complaint(&second, &chat);
    second.log_out();
    let outcome = judged(lab, times > 1, complaint);
    let honest = lab.chat();
    lab.session(&honest)?;
    Ok(outcome)
}

pub(crate) fn reorder(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut conversation = lab.session(&chat)?;
    let said = [lab.random().word(), lab.random().word()];
    let pieces = said.clone().map(|text| intercept(&mut conversation, &text));
    for piece in pieces.iter().rev() {
        conversation.put(Direction::ToServer, piece);
        conversation.pump();
    }
    let received = texts(&chat);
    let is_reached = received.ends_with(&[said[1].clone(), said[0].clone()]);
    lab.note("two pieces pass in the other order");
    let complaint = complaint(&conversation, &chat);
    Ok(judged(lab, is_reached, complaint))
}

pub(crate) fn drop_one(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut conversation = lab.session(&chat)?;
    let said = [lab.random().word(), lab.random().word()];
    let [_, second] = said.clone().map(|text| intercept(&mut conversation, &text));
    conversation.put(Direction::ToServer, &second);
    conversation.pump();
    let is_reached = texts(&chat).last() == Some(&said[1]);
    lab.note("a piece is dropped, the next one passes");
    let complaint = complaint(&conversation, &chat);
    Ok(judged(lab, is_reached, complaint))
}

pub(crate) fn truncate(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut honest = lab.session(&chat)?;
    honest.close();
    if let Some(error) = honest.error() {
        return Err(Defect(format!("an announced end is an error: {error}")));
    }
    let mut conversation = lab.session(&chat)?;
    let text = lab.random().word();
    let _ = intercept(&mut conversation, &text);
    conversation.client.end_of_input();
    conversation.server.end_of_input();
    lab.note("alice's last piece is dropped, and the line ends; an honest end raises no alarm");
    let complaint = complaint(&conversation, &chat);
    Ok(judged(lab, true, complaint))
}

pub(crate) fn reflect(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    lab.session(&chat)?.close();
    // Without a server: every byte of the client comes back to it.
    let mut alone = lab.connect(&chat);
    for _ in 0..10 {
        alone.act();
        let piece = alone.take(Direction::ToServer);
        alone.put(Direction::ToClient, &piece);
    }
    if alone.client.received().starts_with(EVENT_OPENING) {
        lab.note("the client accepts its own bytes as those of a server");
        return Ok(Outcome::Succeeds);
    }
    let first_complaint = alone.error();
    lab.note(format!("all bytes of the client come back to it: {first_complaint:?}"));
    // Within a session one piece comes back, that whose number is the next one in that direction.
    for withheld in 0..REFLECTED_PLACES {
        let mut conversation = lab.session(&chat)?;
        let before = conversation.client.received().len();
        for _ in 0..withheld {
            let _ = intercept(&mut conversation, "withheld");
        }
        let text = lab.random().word();
        let piece = intercept(&mut conversation, &text);
        conversation.put(Direction::ToClient, &piece);
        if find(&conversation.client.received()[before..], text.as_bytes()).is_some() {
            lab.note("within a session the client accepts a text of its own as the server's");
            return Ok(Outcome::Succeeds);
        }
        conversation.log_out();
    }
    Ok(judged(lab, false, first_complaint))
}

pub(crate) fn splice(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut first = lab.session(&chat)?;
    let text = lab.random().word();
    let piece = intercept(&mut first, &text);
    first.close();
    let mut second = lab.session(&chat)?;
    // At the same place of the session as in the first.
    second.put(Direction::ToServer, &piece);
    second.pump();
    let is_reached = texts(&chat).contains(&text);
    lab.note("a piece that was withheld from one session is inserted into the next");
    let complaint = complaint(&second, &chat);
    Ok(judged(lab, is_reached, complaint))
}
