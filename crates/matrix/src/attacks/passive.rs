//! Attacks that only listen.

use std::cell::RefCell;
use std::rc::Rc;

use glassline_tap::report::RowId;
use glassline_tap::{Direction, Evidence, Knowledge, Reader, Report, Seen, Splitter};
use glassline_wire::frame::frame;
use glassline_wire::opening::EVENT_OPENING;
use serde_json::json;

use super::cryptanalysis::{self, Known};
use super::line::intercept;
use crate::bytes::find;
use crate::chat::{Conversation, Passed, ROOM, Server};
use crate::lab::{ALICE, BOB, Lab};
use crate::outcome::{Defect, Outcome};

/// Rounds of guessing: by chance one in 65,536 runs is right in all of them.
const ROUNDS: usize = 16;

/// Session of Alice that an attacker has recorded, with the texts that are to be read.
pub(super) struct Recorded {
    pub(super) pieces: Vec<Passed>,
    pub(super) known: Vec<Known>,
    pub(super) secrets: Vec<String>,
}

impl Recorded {
    /// Reads the secrets without any key.
    pub(super) fn read(&self) -> Option<&'static str> {
        self.secrets.iter().find_map(|secret| cryptanalysis::read(&self.pieces, &self.known, secret))
    }
}

/// Records a session in which Alice and Bob say secrets, and in which the attacker knows the opening
/// and one message, as somebody does who has seen it on a screen.
pub(super) fn record(lab: &mut Lab<'_>, chat: &Rc<RefCell<Server>>) -> Result<Recorded, Defect> {
    let mut conversation = lab.session(chat)?;
    record_in(lab, chat, &mut conversation)
}

/// As [`record`], in a session that was made already.
pub(super) fn record_in(
    lab: &mut Lab<'_>,
    chat: &Rc<RefCell<Server>>,
    conversation: &mut Conversation,
) -> Result<Recorded, Defect> {
    let mut known = opening(conversation);
    let public = format!("announcement {} {}", lab.random().word(), lab.random().word());
    known.push(next_known(conversation, &public));
    let secrets = [0; 3].map(|_| lab.random().word());
    for secret in &secrets[..2] {
        conversation.member_says(secret);
        conversation.pump();
    }
    conversation.listener_says(BOB, &secrets[2]);
    conversation.pump();
    lab.exchange(conversation, chat)?;
    lab.note("the session is recorded; three texts in it are to be read, one more is known");
    Ok(Recorded { pieces: conversation.recording().to_vec(), known, secrets: secrets.to_vec() })
}

/// The first two pieces of the client, one of which carries the opening, whose words are public.
fn opening(conversation: &Conversation) -> Vec<Known> {
    let hello = json!({"type": "hello", "name": ALICE, "rooms": [ROOM]}).to_string();
    let plaintext = [EVENT_OPENING.as_slice(), &frame(hello.as_bytes())].concat();
    let pieces = conversation.recording().iter().filter(|piece| piece.direction == Direction::ToServer);
    pieces.take(2).map(|piece| Known { piece: piece.bytes.clone(), plaintext: plaintext.clone() }).collect()
}

/// Records a session in which the attacker knows every text of Alice.
fn record_known(lab: &mut Lab<'_>, chat: &Rc<RefCell<Server>>) -> Result<Vec<Known>, Defect> {
    let mut conversation = lab.session(chat)?;
    let texts = [0; 3].map(|_| format!("{} {}", lab.random().word(), lab.random().word()));
    let known = texts.map(|text| next_known(&mut conversation, &text)).to_vec();
    lab.note("another session is recorded, in which the attacker knows what alice says");
    Ok(known)
}

/// Has Alice say a text, and returns the piece with what the server read of it.
fn next_known(conversation: &mut Conversation, text: &str) -> Known {
    let before = conversation.server.received().len();
    let piece = intercept(conversation, text);
    conversation.put(Direction::ToServer, &piece);
    conversation.pump();
    Known { piece, plaintext: conversation.server.received()[before..].to_vec() }
}

pub(crate) fn eavesdrop(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut recorded = record(lab, &chat)?;
    // Under the same long-term keys, so that it may share a keystream with the first.
    let other = lab.chat();
    recorded.known.extend(record_known(lab, &other)?);
    if let Some(way) = recorded.read() {
        lab.note(format!("a text is read: {way}"));
        return Ok(Outcome::Succeeds);
    }
    lab.note("no text is read: not as it was said, not with a repeating key, not with a shared keystream");
    Ok(Outcome::Stopped)
}

pub(crate) fn equality(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let mut conversation = lab.session(&chat)?;
    let texts = ["attack at dawn, all of us, as agreed yesterday", "retreat at noon, each alone, without delay now"];
    let mut samples = Vec::new();
    for text in texts {
        samples.push(next_known(&mut conversation, text).piece);
    }
    let mut right = 0;
    for _ in 0..ROUNDS {
        let said = lab.random().below(2);
        let piece = next_known(&mut conversation, texts[said]).piece;
        let scores = [0, 1].map(|at| {
            let stands_there = usize::from(find(&piece, texts[at].as_bytes()).is_some());
            cryptanalysis::equal_blocks(&piece, &samples[at]) + 100 * stands_there
        });
        let guess = match scores[0].cmp(&scores[1]) {
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => lab.random().below(2),
        };
        right += usize::from(guess == said);
    }
    lab.exchange(&mut conversation, &chat)?;
    lab.note(format!("which of two texts was said is guessed {right} times of {ROUNDS}"));
    Ok(if right == ROUNDS { Outcome::Succeeds } else { Outcome::Stopped })
}

pub(crate) fn sizes(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let chat = lab.chat();
    let recorded = record(lab, &chat)?;
    let (mut splitter, mut reader, mut knowledge) = (Splitter::new(1), Reader::default(), Knowledge::default());
    let mut frames = Vec::new();
    for piece in &recorded.pieces {
        splitter.receive(piece.direction, &piece.bytes, piece.at_us, |frame| frames.push(frame));
    }
    for frame in &frames {
        let meaning = reader.read(frame);
        knowledge.add(Seen { frame, meaning: &meaning, evidence: Evidence::of(frame) });
    }
    let report = Report::new("the attacked line", knowledge);
    for line in report.to_text().lines() {
        lab.note(line);
    }
    let rows = report.rows().iter().filter(|row| matches!(row.id, RowId::Texts | RowId::Sizes | RowId::Times));
    let summary: Vec<String> = rows.map(|row| format!("{}: {}", row.id.title(), row.summary)).collect();
    Ok(Outcome::Measured(summary.join("; ")))
}
