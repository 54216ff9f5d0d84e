//! Attacks of a malicious server, of members, and of somebody who has what a server stores.

use std::time::Instant;

use glassline_wire::message_id::MessageId;

use crate::chat::ROOM;
use crate::lab::{ALICE, BOB, CAROL, Effort, Lab, MALLORY, WEAK_WORDS};
use crate::outcome::{Defect, Outcome};
use crate::seal::{Body, Heard, Posted, Voice};

/// Places of a sealed text that are changed with little effort.
const FEW_POSITIONS: usize = 12;
/// Guesses with much effort.
const GUESSES_MAX: usize = 20;

/// Member and its view of the room.
#[derive(Debug)]
struct Seat {
    name: &'static str,
    voice: Box<dyn Voice>,
}

/// Room whose messages the attacker numbers and delivers.
#[derive(Debug)]
struct Room {
    seats: Vec<Seat>,
    number: u64,
    said: u128,
}

impl Room {
    /// A room in which each of these has said something that the others heard.
    fn open(lab: &mut Lab<'_>, names: &[&'static str]) -> Result<Self, Defect> {
        let seats = names.iter().map(|&name| Seat { name, voice: lab.voice(name) }).collect();
        let mut room = Self { seats, number: 0, said: 0 };
        for name in names {
            room.honest(lab, name)?;
        }
        lab.note("honest messages of every member are heard by the others");
        Ok(room)
    }

    /// Passes an honest message of `name` to everybody.
    fn honest(&mut self, lab: &mut Lab<'_>, name: &str) -> Result<(), Defect> {
        let text = lab.random().word();
        let posted = self.say(name, &text);
        for (listener, heard) in self.deliver(&posted) {
            if heard.shown() != Some(&text) {
                return Err(Defect(format!("{listener} does not hear an honest message of {name}: {heard:?}")));
            }
        }
        Ok(())
    }

    fn voice(&mut self, name: &str) -> &mut dyn Voice {
        let at = self.seats.iter().position(|seat| seat.name == name).unwrap_or(0);
        &mut *self.seats[at].voice
    }

    /// Has a member say something, under the next number.
    fn say(&mut self, name: &str, text: &str) -> Posted {
        self.said += 1;
        let id = MessageId(self.said).to_string();
        let body = self.voice(name).say(&id, text);
        self.number += 1;
        Posted { number: self.number, room: ROOM.to_owned(), id, from: name.to_owned(), body }
    }

    /// Delivers a message to everybody but its sender.
    fn deliver(&mut self, posted: &Posted) -> Vec<(&'static str, Heard)> {
        if let Some(sender) = self.seats.iter_mut().find(|seat| seat.name == posted.from) {
            sender.voice.echo(posted);
        }
        let others = self.seats.iter_mut().filter(|seat| seat.name != posted.from);
        others.map(|seat| (seat.name, seat.voice.hear(posted))).collect()
    }

    fn deliver_to(&mut self, name: &str, posted: &Posted) -> Heard {
        self.voice(name).hear(posted)
    }
}

/// Judges what a victim heard, of a text that must not be heard like this.
fn judged(lab: &mut Lab<'_>, is_reached: bool, heard: &[&Heard]) -> Outcome {
    let warning = heard.iter().find_map(|heard| heard.warning()).map(str::to_owned);
    match (is_reached, warning) {
        (_, Some(warning)) => {
            lab.note(format!("it is noticed: {warning}"));
            Outcome::Detected
        }
        (true, None) => {
            lab.note("the aim is reached, and nobody is told");
            Outcome::Succeeds
        }
        (false, None) => {
            lab.note("the aim is not reached");
            Outcome::Stopped
        }
    }
}

/// Id of a message that was not said in the room.
fn foreign_id() -> String {
    MessageId(u128::MAX).to_string()
}

fn stands_in(posted: &Posted, text: &str) -> bool {
    let sealed = posted.body.sealed.as_deref().unwrap_or_default();
    posted.body.text.contains(text) || sealed.contains(text)
}

pub(crate) fn server_reads(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    let heard = room.deliver_to(BOB, &posted);
    if heard.text() != Some(&text) {
        return Err(Defect("bob does not hear what the server was to read".to_owned()));
    }
    lab.note(format!("the server stores: {} {:?}", posted.body.text, posted.body.sealed));
    Ok(judged(lab, stands_in(&posted, &text), &[]))
}

pub(crate) fn server_rewrites(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    let Some(sealed) = posted.body.sealed.clone() else {
        let mut changed = posted;
        changed.body.text = lab.random().word();
        let heard = room.deliver_to(BOB, &changed);
        room.honest(lab, ALICE)?;
        return Ok(judged(lab, heard.text() == Some(&changed.body.text), &[&heard]));
    };
    let step = if lab.effort() == Effort::All { 1 } else { sealed.len().div_ceil(FEW_POSITIONS).max(1) };
    let mut outcome = Outcome::Stopped;
    for at in (0..sealed.len()).step_by(step) {
        let other = if sealed.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut changed = posted.clone();
        changed.body.sealed = Some([&sealed[..at], other, &sealed[at + 1..]].concat());
        match room.deliver_to(BOB, &changed) {
            Heard::Text(heard) if heard != text => return Ok(Outcome::Succeeds),
            Heard::Text(_) => {}
            Heard::Remarked(_, why) | Heard::Refused(why) => {
                if at < 4 * step {
                    lab.note(format!("character {at}: {why}"));
                }
                outcome = Outcome::Detected;
            }
        }
    }
    let mut plain = posted;
    plain.body = Body { text: lab.random().word(), sealed: None };
    let heard = room.deliver_to(BOB, &plain);
    room.honest(lab, ALICE)?;
    if heard.text().is_some() {
        lab.note("an unsealed text in its place is heard without a remark");
        return Ok(Outcome::Succeeds);
    }
    lab.note(format!("an unsealed text in its place: {heard:?}"));
    Ok(outcome)
}

pub(crate) fn server_reorders(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let (mut first, mut second) = (room.say(ALICE, "first"), room.say(ALICE, "second"));
    std::mem::swap(&mut first.number, &mut second.number);
    let heard = [room.deliver_to(BOB, &second), room.deliver_to(BOB, &first)];
    room.honest(lab, ALICE)?;
    let is_reached = heard[0].text() == Some("second") && heard[1].text() == Some("first");
    Ok(judged(lab, is_reached, &[&heard[0], &heard[1]]))
}

pub(crate) fn server_drops(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let first = room.say(ALICE, "first");
    let mut second = room.say(ALICE, "second");
    second.number = first.number;
    let heard = room.deliver_to(BOB, &second);
    room.number = second.number;
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.text() == Some("second"), &[&heard]))
}

pub(crate) fn server_replays(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let posted = room.say(ALICE, "once");
    if room.deliver_to(BOB, &posted).text() != Some("once") {
        return Err(Defect("bob does not hear what is then repeated".to_owned()));
    }
    room.number += 1;
    let again = Posted { number: room.number, ..posted };
    let heard = room.deliver_to(BOB, &again);
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.text() == Some("once"), &[&heard]))
}

/// Bob is shown Alice's text, Carol another one in its place; then Bob says something to both.
pub(crate) fn split_view(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB, CAROL, MALLORY])?;
    let for_bob = room.say(ALICE, "we meet at noon");
    let mut for_carol = room.say(MALLORY, "we meet at night");
    for_carol.number = for_bob.number;
    room.number = for_bob.number;
    let views = [room.deliver_to(BOB, &for_bob), room.deliver_to(CAROL, &for_carol)];
    let reply = room.say(BOB, "agreed");
    let heard = room.deliver_to(CAROL, &reply);
    lab.note("bob agrees to a text that carol was not shown; she was shown another one");
    let is_reached = views.iter().all(|view| view.text().is_some()) && heard.text() == Some("agreed");
    Ok(judged(lab, is_reached, &[&views[0], &views[1], &heard]))
}

pub(crate) fn ghost(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let mut ghost = lab.voice_with("ghost", "a guess of the server");
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    let heard = ghost.hear(&posted);
    lab.note(format!("the server delivers to a member that nobody invited, who is shown: {heard:?}"));
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.shown() == Some(&text), &[]))
}

/// The server and a member together: Alice's name, another key, the right passphrase.
pub(crate) fn swap_key(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let mut false_alice = lab.voice_as(ALICE, MALLORY);
    room.number += 1;
    let body = false_alice.say(&foreign_id(), "send me the keys");
    let posted = Posted { number: room.number, room: ROOM.to_owned(), id: foreign_id(), from: ALICE.to_owned(), body };
    let heard = room.deliver_to(BOB, &posted);
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.text().is_some(), &[&heard]))
}

pub(crate) fn misattribute(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB, CAROL])?;
    let posted = Posted { from: CAROL.to_owned(), ..room.say(ALICE, "I agree") };
    let heard = room.deliver_to(BOB, &posted);
    lab.note("the server delivers alice's text under carol's name");
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.text() == Some("I agree"), &[&heard]))
}

pub(crate) fn claims_unsealed(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    if !lab.scheme().seal().is_sealed() {
        return Ok(Outcome::DoesNotApply("nothing is sealed".to_owned()));
    }
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    for name in [ALICE, BOB] {
        room.voice(name).server_says_sealed(false);
    }
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    let heard = room.deliver_to(BOB, &posted);
    lab.note(format!("after the claim the server gets: {} {:?}", posted.body.text, posted.body.sealed));
    let is_reached = stands_in(&posted, &text);
    if !is_reached && heard.text() != Some(&text) {
        return Err(Defect("after the claim bob does not hear alice".to_owned()));
    }
    Ok(judged(lab, is_reached, &[]))
}

/// A member claims another's name; the server is honest, and names the sender.
pub(crate) fn forge_member(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB, MALLORY])?;
    let mut false_alice = lab.voice_as(ALICE, MALLORY);
    room.number += 1;
    let body = false_alice.say(&foreign_id(), "send me the keys");
    let posted =
        Posted { number: room.number, room: ROOM.to_owned(), id: foreign_id(), from: MALLORY.to_owned(), body };
    let heard = room.deliver_to(BOB, &posted);
    room.honest(lab, ALICE)?;
    if !lab.scheme().seal().is_sealed() {
        lab.note("the server sets the name, and it is that of the sender");
        return Ok(Outcome::Stopped);
    }
    Ok(judged(lab, heard.text().is_some(), &[&heard]))
}

pub(crate) fn unseen_name(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let mut insider = lab.voice_as("dave", MALLORY);
    room.number += 1;
    let body = insider.say(&foreign_id(), "I am dave");
    let posted = Posted { number: room.number, room: ROOM.to_owned(), id: foreign_id(), from: "dave".to_owned(), body };
    let heard = room.deliver_to(BOB, &posted);
    lab.note("a member connects under a name that bob has never seen, and is heard under it");
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.text() == Some("I am dave"), &[&heard]))
}

pub(crate) fn splice(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let mut elsewhere = lab.voice_in("attic", ALICE);
    room.number += 1;
    let body = elsewhere.say(&foreign_id(), "yes, delete it");
    let moved = Posted { number: room.number, room: ROOM.to_owned(), id: foreign_id(), from: ALICE.to_owned(), body };
    let heard = room.deliver_to(BOB, &moved);
    lab.note("what alice said in another room under the same passphrase is delivered here");
    let across_rooms = judged(lab, heard.text().is_some(), &[&heard]);
    room.honest(lab, ALICE)?;
    let withheld = room.say(ALICE, "yes, delete it");
    let next = "a new passphrase for everybody";
    if across_rooms == Outcome::Succeeds || !(room.voice(ALICE).new_epoch(next) && room.voice(BOB).new_epoch(next)) {
        return Ok(across_rooms);
    }
    room.honest(lab, ALICE)?;
    let heard = room.deliver_to(BOB, &withheld);
    lab.note("what alice said before a new epoch is delivered in it");
    let across_epochs = judged(lab, heard.text().is_some(), &[&heard]);
    Ok(if across_epochs == Outcome::Succeeds { across_epochs } else { across_rooms })
}

pub(crate) fn removed_reads(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB, CAROL])?;
    lab.note("carol is removed, keeps what she knows, and obtains what the server stores");
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    if room.deliver_to(BOB, &posted).text() != Some(&text) {
        return Err(Defect("bob does not hear alice".to_owned()));
    }
    let is_reached = room.deliver_to(CAROL, &posted).shown() == Some(&text);
    let outcome = judged(lab, is_reached, &[]);
    let next = "a new passphrase for the others";
    if room.voice(ALICE).new_epoch(next) && room.voice(BOB).new_epoch(next) {
        let posted = room.say(ALICE, "only for us");
        let (bob, carol) = (room.deliver_to(BOB, &posted), room.deliver_to(CAROL, &posted));
        lab.note(format!("after a new epoch bob is shown {:?}, carol {:?}", bob.shown(), carol.shown()));
        if bob.shown() != Some("only for us") || carol.shown().is_some() {
            return Err(Defect("a new epoch does not exclude carol, or excludes bob".to_owned()));
        }
    }
    Ok(outcome)
}

pub(crate) fn late_reads(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    room.deliver(&posted);
    let heard = lab.voice(CAROL).hear(&posted);
    lab.note("carol joins later, is told the passphrase if there is one, and is sent the history");
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.shown() == Some(&text), &[]))
}

pub(crate) fn stolen_passphrase(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    room.deliver(&posted);
    lab.note("later the passphrase is stolen, if there is one; the thief has what the server stores");
    let heard = lab.voice(MALLORY).hear(&posted);
    room.honest(lab, ALICE)?;
    Ok(judged(lab, heard.shown() == Some(&text), &[]))
}

pub(crate) fn guessing(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    if !lab.scheme().seal().is_sealed() {
        return Ok(Outcome::DoesNotApply("there is no passphrase".to_owned()));
    }
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let posted = room.say(ALICE, "whatever it is");
    let all = WEAK_WORDS.iter().flat_map(|word| (0..10).map(move |digit| format!("{word} {digit}")));
    let (right, seal) = (lab.passphrase().to_owned(), lab.scheme().seal());
    let place = all.clone().position(|guess| guess == right).unwrap_or(0);
    // The list is entered shortly before the right word, to spend the effort on the figure.
    let guesses = if lab.effort() == Effort::All { GUESSES_MAX } else { 2 };
    let list: Vec<String> = all.skip((place + 1).saturating_sub(guesses)).take(guesses).collect();
    let started = Instant::now();
    let found = list.iter().position(|guess| seal.is_passphrase(guess, &posted));
    let tried = found.map_or(list.len(), |at| at + 1);
    #[expect(clippy::cast_precision_loss, reason = "a few guesses")]
    let per_second = tried as f64 / started.elapsed().as_secs_f64().max(1e-6);
    lab.note(format!("{tried} guesses; found: {found:?}"));
    Ok(match found {
        Some(_) => Outcome::Measured(format!(
            "succeeds with a passphrase that stands in a list; {per_second:.1} guesses per second on one core here"
        )),
        None => Outcome::Stopped,
    })
}

pub(crate) fn deniability(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let posted = room.say(ALICE, "I never said that");
    let heard = room.deliver_to(BOB, &posted);
    if heard.text() != Some("I never said that") {
        return Err(Defect("bob does not hear what is to be proven".to_owned()));
    }
    let proof = lab.scheme().seal().proves_sender(lab.passphrase(), &posted);
    Ok(Outcome::Measured(match proof {
        Some(true) => "a message with the passphrase proves to anybody that its signer wrote it".to_owned(),
        Some(false) => "each member can make every message, so that it proves nothing".to_owned(),
        None => "what the server stores proves nothing: the server can make it".to_owned(),
    }))
}
