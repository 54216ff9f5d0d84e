//! State of every message: its author, its number, its readers, and whether it is stored. It finds
//! the faults.
//!
//! It grows by some twenty bytes for each message of a run, and by nothing else.

use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::message::Message;
use crate::script::{ROOM_COUNT, ROOMS, Script, count_in};

/// Characters of a text that a fault shows.
const SHOWN_CHARS: usize = 60;

/// Everything that is known in a run.
#[derive(Debug)]
pub(crate) struct Ledger {
    script: Script,
    /// By author.
    said: Vec<Said>,
    rooms: [Room; ROOM_COUNT],
    /// Seen by tutorial members, without numbers; some are stored already.
    unnumbered: Vec<(Utterance, String)>,
    acknowledged: u64,
    seen: u64,
    answered_again: u64,
}

#[derive(Debug, Default)]
struct Said {
    /// The number that each got in its room; 0 until seen.
    seqs: Vec<u32>,
    /// `true` for each message whose author knows that it was taken.
    acknowledged: Vec<bool>,
    /// Number of messages known to be stored; with ids, these are the first ones.
    stored: u32,
    /// The count of the next one that may be stored.
    next_stored: u32,
}

/// A message: its author and its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Utterance {
    author: u16,
    count: u32,
}

/// Message at one place of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    said: Utterance,
    at: u64,
}

#[derive(Debug, Default)]
struct Room {
    /// Read back from the server; the first has the number 1.
    stored: Vec<Entry>,
    /// Seen by a client and not read back yet, with the first client.
    ahead: BTreeMap<u64, (Entry, String)>,
}

impl Room {
    /// The newest number seen or read back.
    fn newest(&self) -> u64 {
        let stored = self.stored.len() as u64;
        self.ahead.last_key_value().map_or(stored, |(&seq, _)| seq.max(stored))
    }
}

/// Messages that must be stored after a restart, because they were seen before.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    /// The newest number seen, by room.
    seqs: [u64; ROOM_COUNT],
    unnumbered: Vec<(Utterance, String)>,
}

impl Due {
    /// Everything stored so far, and no more.
    pub(crate) fn seq(&self, room: usize) -> u64 {
        self.seqs[room]
    }
}

impl Ledger {
    pub(crate) fn new(script: Script) -> Self {
        let said = script.authors().iter().map(|_| Said::default()).collect();
        Self {
            script,
            said,
            rooms: Default::default(),
            unnumbered: Vec::new(),
            acknowledged: 0,
            seen: 0,
            answered_again: 0,
        }
    }

    /// Returns the script of all messages.
    pub(crate) fn script(&self) -> &Script {
        &self.script
    }

    /// Adds a message of an author; returns its count.
    pub(crate) fn say(&mut self, author: usize) -> u32 {
        let said = &mut self.said[author];
        said.seqs.push(0);
        said.acknowledged.push(false);
        said.seqs.len() as u32 - 1
    }

    /// Returns the number of messages that an author sent.
    pub(crate) fn sent_by(&self, author: usize) -> u32 {
        self.said[author].seqs.len() as u32
    }

    /// Returns whether its author knows that it was taken.
    pub(crate) fn is_acknowledged(&self, author: usize, count: u32) -> bool {
        self.said[author].acknowledged.get(count as usize).copied().unwrap_or(false)
    }

    /// The number under which it was seen; 0 until then.
    pub(crate) fn seq(&self, author: usize, count: u32) -> u64 {
        self.said[author].seqs.get(count as usize).copied().unwrap_or(0).into()
    }

    /// Returns the number of messages stored after this one, of all rooms, at most.
    pub(crate) fn behind(&self, author: usize, count: u32) -> u64 {
        self.rooms.iter().map(Room::newest).sum::<u64>().saturating_sub(self.seq(author, count))
    }

    /// Its author knows that it was taken; it was observed as well.
    pub(crate) fn acknowledge(&mut self, author: usize, count: u32) {
        if let Some(acknowledged) = self.said[author].acknowledged.get_mut(count as usize) {
            self.acknowledged += u64::from(!*acknowledged);
            *acknowledged = true;
        }
    }

    /// Returns the number of messages that their authors know to be taken.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// It was stored before its author came back, who knows it only now.
    pub(crate) fn answer_again(&mut self) {
        self.answered_again += 1;
    }

    /// Returns the number of messages that were stored, but not acknowledged, when a server was
    /// killed, and were acknowledged by the next one.
    pub(crate) fn answered_again(&self) -> u64 {
        self.answered_again
    }

    /// Returns the number of deliveries of messages.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Returns the number of messages that were read back.
    pub(crate) fn stored(&self) -> u64 {
        self.rooms.iter().map(|room| room.stored.len() as u64).sum()
    }

    /// The newest number of a room that was read back.
    pub(crate) fn newest_stored(&self, room: usize) -> u64 {
        self.rooms[room].stored.len() as u64
    }

    /// Returns the newest numbers and the unnumbered messages that anybody has seen until now.
    pub(crate) fn due(&mut self) -> Due {
        let seqs = self.rooms.each_ref().map(Room::newest);
        Due { seqs, unnumbered: self.unnumbered.clone() }
    }

    /// Records a delivered message.
    ///
    /// # Errors
    /// It was never sent, it has another number already, or another message has its number.
    pub(crate) fn observe(&mut self, by: &str, message: &Message) -> Result<(), Fault> {
        let (room, entry) = self.identify(by, message)?;
        self.seen += 1;
        if let Some(before) = self.at(room, message.seq) {
            return if before == entry { Ok(()) } else { Err(self.changed(room, message.seq, by, entry, before)) };
        }
        self.rooms[room].ahead.insert(message.seq, (entry, by.to_owned()));
        Ok(())
    }

    /// A tutorial member was sent a pair. Returns whose it is.
    pub(crate) fn observe_pair(&mut self, by: &str, from: &str, shown: &str) -> Result<(usize, u32), Fault> {
        let (text, action) = shown.strip_prefix("* ").map_or((shown, false), |text| (text, true));
        let said = self.utterance(from, text).filter(|said| self.action_of(*said) == action);
        let said = said.ok_or_else(|| phantom(by, ROOMS[0], 0, from, shown))?;
        self.seen += 1;
        self.unnumbered.push((said, by.to_owned()));
        Ok((usize::from(said.author), said.count))
    }

    /// A message was read back from the server: the next of its room, or one that was read back before.
    ///
    /// # Errors
    /// As [`Ledger::observe`]; and a hole, or an author's order that is not kept.
    pub(crate) fn read_back(&mut self, by: &str, message: &Message) -> Result<(), Fault> {
        self.observe(by, message)?;
        let (room, entry) = self.identify(by, message)?;
        let last = self.newest_stored(room);
        if message.seq <= last {
            return Ok(());
        }
        if message.seq != last + 1 {
            return Err(Fault::Hole { by: by.to_owned(), room: ROOMS[room].to_owned(), seq: message.seq, last });
        }
        let has_ids = self.script.authors()[usize::from(entry.said.author)].has_ids;
        let said = &mut self.said[usize::from(entry.said.author)];
        let due = said.next_stored;
        // Authors with ids resend unacknowledged messages, in order; the tutorial's author does not.
        if entry.said.count < due || (has_ids && entry.said.count != due) {
            return Err(Fault::Reordered {
                what: self.name(entry.said),
                room: ROOMS[room].to_owned(),
                seq: message.seq,
                expected: self.name(Utterance { count: due, ..entry.said }),
            });
        }
        said.next_stored = entry.said.count + 1;
        said.stored += 1;
        self.rooms[room].ahead.remove(&message.seq);
        self.rooms[room].stored.push(entry);
        Ok(())
    }

    /// A room was read back to its end.
    pub(crate) fn end_of_room(&self, room: usize, due: &Due) -> Result<(), Fault> {
        let newest = self.newest_stored(room);
        if newest >= due.seq(room) {
            return Ok(());
        }
        let seen = self.rooms[room].ahead.first_key_value();
        let Some((&seq, (entry, by))) = seen else {
            return Err(Fault::WentBack {
                by: "somebody".to_owned(),
                room: ROOMS[room].to_owned(),
                seq: due.seq(room),
                newest,
            });
        };
        Err(Fault::Lost {
            what: self.name(entry.said),
            room: ROOMS[room].to_owned(),
            seq,
            by: by.clone(),
            acknowledged: self.is_acknowledged(usize::from(entry.said.author), entry.said.count),
            newest,
        })
    }

    /// All rooms were read back to their ends.
    pub(crate) fn end_of_rooms(&mut self, due: &Due) -> Result<(), Fault> {
        let (said, rooms) = (&self.said, &self.rooms);
        let is_stored = |utterance: Utterance| {
            let author = usize::from(utterance.author);
            let seq = said[author].seqs[utterance.count as usize] as usize;
            seq != 0 && seq <= rooms[self.script.authors()[author].room].stored.len()
        };
        if let Some((utterance, by)) = due.unnumbered.iter().find(|(utterance, _)| !is_stored(*utterance)) {
            return Err(Fault::LostUnnumbered { what: self.name(*utterance), by: by.clone() });
        }
        self.unnumbered.retain(|(utterance, _)| !is_stored(*utterance));
        Ok(())
    }

    /// Every message with an id is stored, each once.
    pub(crate) fn end_of_run(&self) -> Result<(), Fault> {
        for (author, said) in self.said.iter().enumerate() {
            if self.script.authors()[author].has_ids && said.stored as usize != said.seqs.len() {
                let what = self.name(Utterance { author: author as u16, count: said.next_stored });
                return Err(Fault::LostUnnumbered { what, by: "its author".to_owned() });
            }
        }
        Ok(())
    }

    /// Returns the message at a place, if known.
    fn at(&self, room: usize, seq: u64) -> Option<Entry> {
        let room = &self.rooms[room];
        let stored = usize::try_from(seq).ok().and_then(|seq| room.stored.get(seq.checked_sub(1)?));
        stored.copied().or_else(|| room.ahead.get(&seq).map(|(entry, _)| *entry))
    }

    /// Returns the room and the entry of a message, if it is exactly what was sent and has no other
    /// number than before.
    fn identify(&mut self, by: &str, message: &Message) -> Result<(usize, Entry), Fault> {
        let said = self.utterance(&message.from, &message.text).filter(|said| {
            let author = usize::from(said.author);
            let script = &self.script;
            let id = script.authors()[author].has_ids.then(|| script.id(author, said.count));
            ROOMS[script.authors()[author].room] == message.room
                && message.id == id
                && message.action == self.action_of(*said)
        });
        let said = said.ok_or_else(|| phantom(by, &message.room, message.seq, &message.from, &message.text))?;
        let author = usize::from(said.author);
        let room = self.script.authors()[author].room;
        let what = self.name(said);
        let first = &mut self.said[author].seqs[said.count as usize];
        if *first == 0 {
            *first = u32::try_from(message.seq)
                .map_err(|_| phantom(by, &message.room, message.seq, &message.from, &message.text))?;
        }
        let first = u64::from(*first);
        if first != message.seq {
            let (room, by) = (message.room.clone(), by.to_owned());
            return Err(Fault::Doubled { what, room, first, second: message.seq, by });
        }
        Ok((room, Entry { said, at: message.at }))
    }

    fn utterance(&self, from: &str, text: &str) -> Option<Utterance> {
        let author = self.script.author_named(from)?;
        let count = count_in(text)?;
        let was_sent = count < self.sent_by(author) && self.script.text(author, count) == text;
        was_sent.then_some(Utterance { author: author as u16, count })
    }

    fn action_of(&self, said: Utterance) -> bool {
        self.script.is_action(usize::from(said.author), said.count)
    }

    fn name(&self, said: Utterance) -> String {
        format!("#{} of {}", said.count, self.script.authors()[usize::from(said.author)].name)
    }

    fn changed(&self, room: usize, seq: u64, by: &str, now: Entry, before: Entry) -> Fault {
        let show = |entry: Entry| format!("{} at {}", self.name(entry.said), entry.at);
        Fault::Changed { room: ROOMS[room].to_owned(), seq, by: by.to_owned(), now: show(now), before: show(before) }
    }
}

fn phantom(by: &str, room: &str, seq: u64, from: &str, text: &str) -> Fault {
    let text = text.chars().take(SHOWN_CHARS).collect();
    Fault::Phantom { by: by.to_owned(), room: room.to_owned(), seq, from: from.to_owned(), text }
}

#[cfg(test)]
mod tests;
