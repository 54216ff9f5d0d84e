//! Attacks of a malicious server, of members, and of somebody who has what a server stores.

use std::time::{Duration, Instant};

use glassline_wire::message_id::MessageId;

use crate::chat::ROOM;
use crate::lab::{ALICE, BOB, CAROL, Effort, Lab, MALLORY, PASSPHRASE, WEAK_WORDS};
use crate::outcome::{Defect, Outcome};
use crate::seal::{Body, Posted, Received, Voice};

/// Places of a sealed text that are changed with little effort.
const FEW_POSITIONS: usize = 12;
/// Guesses with much effort.
const GUESSES_MAX: usize = 20;

/// Member and its view of the room.
#[derive(Debug)]
struct Participant {
    name: &'static str,
    voice: Box<dyn Voice>,
}

/// Room whose messages the attacker numbers and delivers.
#[derive(Debug)]
struct Room {
    participants: Vec<Participant>,
    number: u64,
    said: u128,
}

impl Room {
    /// A room in which each of these has said something that the others heard.
    fn open(lab: &mut Lab<'_>, names: &[&'static str]) -> Result<Self, Defect> {
        let participants = names.iter().map(|&name| Participant { name, voice: lab.voice(name) }).collect();
        let mut room = Self { participants, number: 0, said: 0 };
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
        for (listener, received) in self.deliver(&posted) {
            if received.shown() != Some(&text) {
                return Err(Defect(format!("{listener} does not hear an honest message of {name}: {received:?}")));
            }
        }
        Ok(())
    }

    fn voice(&mut self, name: &str) -> &mut dyn Voice {
        let at = self.participants.iter().position(|participant| participant.name == name).unwrap_or(0);
        &mut *self.participants[at].voice
    }

    /// Has a member say something, under the next number.
    fn say(&mut self, name: &str, text: &str) -> Posted {
        self.said += 1;
        let id = MessageId(self.said).to_string();
        let body = self.voice(name).say(&id, text);
        self.number += 1;
        Posted { number: self.number, room: ROOM.to_owned(), id, from: name.to_owned(), body }
    }

    /// Takes what somebody says outside of the room, and posts it as a message of `from`.
    fn insert(&mut self, voice: &mut dyn Voice, from: &str, text: &str) -> Posted {
        self.number += 1;
        foreign(voice, self.number, from, text)
    }

    /// Delivers a message to everybody but its sender.
    fn deliver(&mut self, posted: &Posted) -> Vec<(&'static str, Received)> {
        if let Some(sender) = self.participants.iter_mut().find(|participant| participant.name == posted.from) {
            sender.voice.echo(posted);
        }
        let others = self.participants.iter_mut().filter(|participant| participant.name != posted.from);
        others.map(|participant| (participant.name, participant.voice.receive(posted))).collect()
    }

    fn deliver_to(&mut self, name: &str, posted: &Posted) -> Received {
        self.voice(name).receive(posted)
    }
}

/// Judges what a victim heard, of a text that must not be heard like this.
fn judged(lab: &mut Lab<'_>, is_reached: bool, received: &[&Received]) -> Outcome {
    let warning = received.iter().find_map(|received| received.warning()).map(str::to_owned);
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

/// Message of `from` in this place of the room that was not said in it.
fn foreign(voice: &mut dyn Voice, number: u64, from: &str, text: &str) -> Posted {
    let id = MessageId(u128::MAX).to_string();
    let body = voice.say(&id, text);
    Posted { number, room: ROOM.to_owned(), id, from: from.to_owned(), body }
}

fn stands_in(posted: &Posted, text: &str) -> bool {
    let sealed = posted.body.sealed.as_deref().unwrap_or_default();
    posted.body.text.contains(text) || sealed.contains(text)
}

pub(crate) fn server_reads(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    let received = room.deliver_to(BOB, &posted);
    if received.text() != Some(&text) {
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
        let received = room.deliver_to(BOB, &changed);
        room.honest(lab, ALICE)?;
        return Ok(judged(lab, received.text() == Some(&changed.body.text), &[&received]));
    };
    let step = if lab.effort() == Effort::All { 1 } else { sealed.len().div_ceil(FEW_POSITIONS).max(1) };
    let mut outcome = Outcome::Stopped;
    for at in (0..sealed.len()).step_by(step) {
        let other = if sealed.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut changed = posted.clone();
        changed.body.sealed = Some([&sealed[..at], other, &sealed[at + 1..]].concat());
        match room.deliver_to(BOB, &changed) {
            Received::Text(received) if received != text => return Ok(Outcome::Succeeds),
            Received::Text(_) => {}
            Received::Remarked(_, why) | Received::Refused(why) => {
                if at < 4 * step {
                    lab.note(format!("character {at}: {why}"));
                }
                outcome = Outcome::Detected;
            }
        }
    }
    let mut plain = posted;
    plain.body = Body { text: lab.random().word(), sealed: None };
    let received = room.deliver_to(BOB, &plain);
    room.honest(lab, ALICE)?;
    if received.text().is_some() {
        lab.note("an unsealed text in its place is heard without a remark");
        return Ok(Outcome::Succeeds);
    }
    lab.note(format!("an unsealed text in its place: {received:?}"));
    Ok(outcome)
}

pub(crate) fn server_reorders(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let (mut first, mut second) = (room.say(ALICE, "first"), room.say(ALICE, "second"));
    std::mem::swap(&mut first.number, &mut second.number);
    let received = [room.deliver_to(BOB, &second), room.deliver_to(BOB, &first)];
    room.honest(lab, ALICE)?;
    let is_reached = received[0].text() == Some("second") && received[1].text() == Some("first");
    Ok(judged(lab, is_reached, &[&received[0], &received[1]]))
}

pub(crate) fn server_drops(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let first = room.say(ALICE, "first");
    let mut second = room.say(ALICE, "second");
    second.number = first.number;
    let received = room.deliver_to(BOB, &second);
    room.number = second.number;
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.text() == Some("second"), &[&received]))
}

pub(crate) fn server_replays(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let posted = room.say(ALICE, "once");
    if room.deliver_to(BOB, &posted).text() != Some("once") {
        return Err(Defect("bob does not hear what is then repeated".to_owned()));
    }
    room.number += 1;
    let again = Posted { number: room.number, ..posted };
    let received = room.deliver_to(BOB, &again);
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.text() == Some("once"), &[&received]))
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
    let received = room.deliver_to(CAROL, &reply);
    lab.note("bob agrees to a text that carol was not shown; she was shown another one");
    let is_reached = views.iter().all(|view| view.text().is_some()) && received.text() == Some("agreed");
    Ok(judged(lab, is_reached, &[&views[0], &views[1], &received]))
}

pub(crate) fn ghost(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let mut ghost = lab.voice_with("ghost", "a guess of the server");
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    let received = ghost.receive(&posted);
    lab.note(format!("the server delivers to a member that nobody invited, who is shown: {received:?}"));
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.shown() == Some(&text), &[]))
}

/// The server and a member together: Alice's name, another key, the right passphrase.
pub(crate) fn swap_key(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let posted = room.insert(&mut *lab.voice_as(ALICE, MALLORY), ALICE, "send me the keys");
    let received = room.deliver_to(BOB, &posted);
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.text().is_some(), &[&received]))
}

pub(crate) fn misattribute(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB, CAROL])?;
    let posted = Posted { from: CAROL.to_owned(), ..room.say(ALICE, "I agree") };
    let received = room.deliver_to(BOB, &posted);
    lab.note("the server delivers alice's text under carol's name");
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.text() == Some("I agree"), &[&received]))
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
    let received = room.deliver_to(BOB, &posted);
    lab.note(format!("after the claim the server gets: {} {:?}", posted.body.text, posted.body.sealed));
    let is_reached = stands_in(&posted, &text);
    if !is_reached && received.text() != Some(&text) {
        return Err(Defect("after the claim bob does not hear alice".to_owned()));
    }
    Ok(judged(lab, is_reached, &[]))
}

/// A member claims another's name; the server is honest, and names the sender.
pub(crate) fn forge_member(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB, MALLORY])?;
    let posted = room.insert(&mut *lab.voice_as(ALICE, MALLORY), MALLORY, "send me the keys");
    let received = room.deliver_to(BOB, &posted);
    room.honest(lab, ALICE)?;
    if !lab.scheme().seal().is_sealed() {
        lab.note("the server sets the name, and it is that of the sender");
        return Ok(Outcome::Stopped);
    }
    Ok(judged(lab, received.text().is_some(), &[&received]))
}

pub(crate) fn unseen_name(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let posted = room.insert(&mut *lab.voice_as("dave", MALLORY), "dave", "I am dave");
    let received = room.deliver_to(BOB, &posted);
    lab.note("a member connects under a name that bob has never seen, and is heard under it");
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.text() == Some("I am dave"), &[&received]))
}

pub(crate) fn splice(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let moved = room.insert(&mut *lab.voice_in("attic", ALICE), ALICE, "yes, delete it");
    let received = room.deliver_to(BOB, &moved);
    lab.note("what alice said in another room under the same passphrase is delivered here");
    let across_rooms = judged(lab, received.text().is_some(), &[&received]);
    room.honest(lab, ALICE)?;
    let withheld = room.say(ALICE, "yes, delete it");
    let next = "a new passphrase for everybody";
    if across_rooms == Outcome::Succeeds || !(room.voice(ALICE).new_epoch(next) && room.voice(BOB).new_epoch(next)) {
        return Ok(across_rooms);
    }
    room.honest(lab, ALICE)?;
    let received = room.deliver_to(BOB, &withheld);
    lab.note("what alice said before a new epoch is delivered in it");
    let across_epochs = judged(lab, received.text().is_some(), &[&received]);
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
    let received = lab.voice(CAROL).receive(&posted);
    lab.note("carol joins later, is told the passphrase if there is one, and is sent the history");
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.shown() == Some(&text), &[]))
}

pub(crate) fn stolen_passphrase(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let text = lab.random().word();
    let posted = room.say(ALICE, &text);
    room.deliver(&posted);
    lab.note("later the passphrase is stolen, if there is one; the thief has what the server stores");
    let received = lab.voice(MALLORY).receive(&posted);
    room.honest(lab, ALICE)?;
    Ok(judged(lab, received.shown() == Some(&text), &[]))
}

pub(crate) fn guessing(lab: &mut Lab<'_>) -> Result<Outcome, Defect> {
    if !lab.scheme().seal().is_sealed() {
        return Ok(Outcome::DoesNotApply("there is no passphrase".to_owned()));
    }
    let mut room = Room::open(lab, &[ALICE, BOB])?;
    let posted = room.say(ALICE, "whatever it is");
    let all = WEAK_WORDS.iter().flat_map(|word| (0..10).map(move |digit| format!("{word} {digit}")));
    let seal = lab.scheme().seal();
    let place = all.clone().position(|guess| guess == PASSPHRASE).unwrap_or(0);
    // The list is entered shortly before the right word, to spend the effort on the figure.
    let guesses = if lab.effort() == Effort::All { GUESSES_MAX } else { 2 };
    let list: Vec<String> = all.skip((place + 1).saturating_sub(guesses)).take(guesses).collect();
    let mut durations = Vec::new();
    let found = list.iter().position(|guess| {
        let started = Instant::now();
        let is_right = seal.is_passphrase(guess, &posted);
        durations.push(started.elapsed());
        is_right
    });
    // The attacker's computer does nothing else, and this one may.
    let fastest = durations.iter().min().map_or(f64::INFINITY, Duration::as_secs_f64);
    let per_second = 1.0 / fastest.max(1e-6);
    lab.note(format!("{} guesses; found: {found:?}; the fastest took {fastest:.3} s", durations.len()));
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
    let received = room.deliver_to(BOB, &posted);
    if received.text() != Some("I never said that") {
        return Err(Defect("bob does not hear what is to be proven".to_owned()));
    }
    let seal = lab.scheme().seal();
    let text = match seal.proves_sender(PASSPHRASE, &posted) {
        Some(true) => "a message with the passphrase proves to anybody that its signer wrote it",
        None if !seal.is_sealed() => "what the server stores proves nothing: the server can make it",
        None | Some(false) if is_forgeable(lab) => "each member can make every message, so that it proves nothing",
        None | Some(false) => {
            "not evaluated: no member can make it for another, and the scheme does not say what it proves"
        }
    };
    Ok(Outcome::Measured(text.to_owned()))
}

/// Returns whether a member makes a message in another's name that a newcomer accepts.
fn is_forgeable(lab: &mut Lab<'_>) -> bool {
    let posted = foreign(&mut *lab.voice_as(ALICE, MALLORY), 1, ALICE, "she never said that");
    lab.voice(CAROL).receive(&posted).text().is_some()
}
