//! Record of what one run of a user's program was shown and of the outcomes of its messages, and
//! the check of both against the promise.

use std::collections::{BTreeMap, BTreeSet};

use glassline_session::Update;
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{ErrorCode, Event, Gap, History, Message};

use crate::disk::Disk;
use crate::plan::Plan;

/// From entering a room until leaving it, over as many connections as it takes.
#[derive(Debug, Default)]
struct Visit {
    room: String,
    /// Later numbers are to be shown; unknown if none was shown since a room was entered.
    base: Option<u64>,
    /// The base at the latest: the link was lost before it was known, and this is where the room stood when the next one came.
    base_at_latest: Option<u64>,
    shown: Vec<u64>,
    gaps: Vec<(u64, u64)>,
    over: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Oracle {
    name: String,
    visits: Vec<Visit>,
    acknowledged: Vec<Message>,
    /// Texts sent and not accounted for.
    pending: BTreeSet<String>,
    refused: BTreeMap<String, ErrorCode>,
    welcomed: bool,
}

pub(crate) type CheckResult = Result<(), String>;

impl Oracle {
    pub(crate) fn said(&mut self, text: &str) {
        self.pending.insert(text.to_owned());
    }

    /// Returns the number of confirmed messages and the number of gaps.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.acknowledged.len(), self.visits.iter().map(|visit| visit.gaps.len()).sum())
    }

    pub(crate) fn is_welcomed(&self) -> bool {
        self.welcomed
    }

    pub(crate) fn shown(&mut self, update: &Envelope<Update>, disk: &Disk) -> CheckResult {
        match &update.content {
            Update::Received(event) => self.receive(event, update.reference.is_some(), disk),
            Update::Sent { event: Event::Message(message), acknowledged: true } => {
                self.acknowledge(message)?;
                self.show_message(message, true, disk)
            }
            Update::Rejected { rejection, text: Some(text) } => {
                // A full disk refuses also what is stored already and is only sent again.
                let may_be_stored = matches!(rejection.code, ErrorCode::NotStored | ErrorCode::TooLate);
                if !self.pending.remove(text) && !may_be_stored {
                    return Err(format!("{text:?} was refused and had been accounted for before"));
                }
                self.refused.insert(text.clone(), rejection.code);
                Ok(())
            }
            Update::HistoryPage { history, .. } => self.note_past(history, false, disk),
            Update::Sent { .. } | Update::Rejected { .. } | Update::Notice(_) | Update::CurrentRoom(_) => Ok(()),
        }
    }

    fn receive(&mut self, event: &Event, is_answer: bool, disk: &Disk) -> CheckResult {
        match event {
            Event::Welcome(welcome) => {
                self.welcomed = true;
                self.name.clone_from(&welcome.name);
                // A room that could not be opened again is one that the user has left and knows it.
                for visit in &mut self.visits {
                    visit.over |= !welcome.rooms.iter().any(|state| state.room == visit.room);
                }
                for state in &welcome.rooms {
                    match self.visit(&state.room) {
                        Some(visit) => visit.base_at_latest = visit.base_at_latest.or(Some(state.seq)),
                        None => self.enter(&state.room, Some(state.seq)),
                    }
                }
                Ok(())
            }
            Event::Renamed(renamed) if renamed.from == self.name => {
                self.name.clone_from(&renamed.to);
                Ok(())
            }
            Event::Joined(presence)
                if presence.names == [self.name.as_str()] && self.visit(&presence.room).is_none() =>
            {
                // In a room that it was in before, later messages are new.
                let was_here = self.visits.iter().any(|visit| visit.room == presence.room);
                self.enter(&presence.room, presence.seq.filter(|_| !was_here));
                Ok(())
            }
            // This answers the user's own `leave`.
            Event::Left(presence) if is_answer && presence.names.len() == 1 => {
                if let Some(visit) = self.visit(&presence.room) {
                    visit.over = true;
                }
                Ok(())
            }
            Event::Message(message) => {
                // Stored under a name of which the client was not informed: shown as another
                // client's, and acknowledged without an update.
                self.pending.remove(&message.text);
                self.show_message(message, message.from == self.name, disk)
            }
            Event::Gap(gap) => self.note_gap(gap),
            Event::History(history) => self.note_past(history, true, disk),
            _ => Ok(()),
        }
    }

    fn visit(&mut self, room: &str) -> Option<&mut Visit> {
        self.visits.iter_mut().find(|visit| visit.room == room && !visit.over)
    }

    fn enter(&mut self, room: &str, base: Option<u64>) {
        self.visits.push(Visit { room: room.to_owned(), base, ..Visit::default() });
    }

    fn acknowledge(&mut self, message: &Message) -> CheckResult {
        if !self.pending.remove(&message.text) {
            return Err(format!("{:?} was acknowledged and had been accounted for before", message.text));
        }
        message.seq.ok_or("an acknowledgement has no number")?;
        self.acknowledged.push(message.clone());
        Ok(())
    }

    /// A message is shown: it is stored as it is, once, and in order.
    fn show_message(&mut self, message: &Message, is_own: bool, disk: &Disk) -> CheckResult {
        let seq = message.seq.ok_or("a message has no number")?;
        is_stored(message, disk)?;
        let room = &message.room;
        let Some(visit) = self.visit(room) else {
            return Err(format!("{room} {seq} was shown to one who is not there"));
        };
        if !is_own {
            visit.base.get_or_insert(visit.base_at_latest.unwrap_or(seq).min(seq - 1));
        }
        let base = visit.base.unwrap_or(0);
        if visit.shown.contains(&seq) {
            return Err(format!("{room} {seq} was shown twice"));
        }
        if seq <= base && !is_own {
            return Err(format!("{room} {seq} was shown as new, and {base} had been there before"));
        }
        // The acknowledgement of an own message in a gap may arrive at any time (E7).
        let is_in_place = visit.shown.iter().all(|&before| before < seq);
        if !is_in_place && !is_own {
            return Err(format!("{room} {seq} was shown behind {:?}", visit.shown.last()));
        }
        visit.shown.push(seq);
        Ok(())
    }

    fn note_gap(&mut self, gap: &Gap) -> CheckResult {
        let Some(visit) = self.visit(&gap.room) else { return Ok(()) };
        if gap.from > gap.to {
            return Err(format!("a gap ends before it begins: {gap:?}"));
        }
        visit.base.get_or_insert(gap.from - 1);
        visit.gaps.push((gap.from, gap.to));
        Ok(())
    }

    /// Stored messages: what was asked for, or context of a room just entered.
    fn note_past(&mut self, history: &History, is_context: bool, disk: &Disk) -> CheckResult {
        for message in &history.messages {
            is_stored(message, disk)?;
            if is_context {
                // Shown as what was said before, which it was; it is acknowledged in silence.
                self.pending.remove(&message.text);
            }
        }
        let seqs: Vec<u64> = history.messages.iter().filter_map(|message| message.seq).collect();
        if !seqs.is_sorted_by(|one, next| one < next) {
            return Err(format!("stored messages came out of order: {seqs:?}"));
        }
        // What an earlier visit was shown is left out of the context.
        let reached = self.reached(&history.room);
        if let (true, Some(newest)) = (is_context, seqs.last())
            && let Some(visit) = self.visit(&history.room)
            && visit.shown.is_empty()
        {
            visit.base.get_or_insert(reached.max(*newest));
        }
        Ok(())
    }

    /// Returns the newest number of a room that was shown in all visits to it.
    fn reached(&self, room: &str) -> u64 {
        let visits = self.visits.iter().filter(|visit| visit.room == room);
        visits.filter_map(|visit| visit.shown.last().copied().or(visit.base)).max().unwrap_or(0)
    }

    /// Returns a description of what was not shown yet of the rooms the user is in, if anything.
    pub(crate) fn first_missing(&self, disk: &Disk) -> Option<String> {
        let open = self.visits.iter().filter(|visit| !visit.over);
        let missing = open.filter_map(|visit| {
            let newest = disk.newest(&visit.room);
            let missing = visit.missing(newest).next()?;
            Some(format!("{} {missing} of {newest} was not shown", visit.room))
        });
        let mut missing = missing.chain(self.pending.iter().map(|text| format!("{text:?} is not accounted for")));
        missing.next()
    }

    /// Holds everything against what is stored in the end.
    pub(crate) fn check(&self, disk: &Disk, plan: &Plan, is_running: bool) -> CheckResult {
        let may_have_gaps = plan.has_gaps();
        for visit in &self.visits {
            let last = if visit.over || !is_running {
                visit.shown.iter().copied().max().unwrap_or(0)
            } else {
                disk.newest(&visit.room)
            };
            // A program that ended may have held a gap back until it knew of its own messages.
            let is_complete = is_running || !may_have_gaps;
            if let Some(missing) = visit.missing(last).next().filter(|_| is_complete) {
                return Err(format!("{} {missing} is missing, and no gap says so", visit.room));
            }
            if !visit.gaps.is_empty() && !may_have_gaps {
                return Err(format!("{} has gaps without a cause: {:?}", visit.room, visit.gaps));
            }
        }
        self.acknowledged.iter().try_for_each(|message| is_stored_once(message, disk))?;
        for (text, code) in &self.refused {
            // Where a room cannot be opened again, what was said in it before is refused like anything else.
            let is_shut_out = plan.unreadable && *code == ErrorCode::UnknownRoom;
            // A full disk refuses a whole group, with what is stored already and was sent again in it.
            let is_sent_again = plan.disk_fills && *code == ErrorCode::NotStored;
            let is_late = plan.has_late() && *code == ErrorCode::TooLate;
            let stored = find(disk, text).count();
            if stored > 1 || (stored > 0 && !is_shut_out && !is_sent_again && !is_late) {
                return Err(format!("{text:?} was refused ({code:?}) and is stored {stored} times"));
            }
            if *code == ErrorCode::TooLate && !plan.has_late() {
                return Err(format!("{text:?} was refused as too late, and every id is known"));
            }
        }
        match self.pending.first() {
            Some(text) if is_running => Err(format!("{text:?} is not accounted for")),
            _ => Ok(()),
        }
    }
}

impl Visit {
    fn missing(&self, last: u64) -> impl Iterator<Item = u64> {
        let base = self.base.or(self.base_at_latest).unwrap_or(last);
        (base + 1..=last)
            .filter(|seq| !self.shown.contains(seq) && !self.gaps.iter().any(|(from, to)| (from..=to).contains(&seq)))
    }
}

/// Checks that an acknowledged message is stored once, under its number.
fn is_stored_once(message: &Message, disk: &Disk) -> CheckResult {
    let Message { room, seq, id, text, .. } = message;
    let stored: Vec<&Message> = find(disk, text).collect();
    let [only] = stored[..] else {
        return Err(format!("{text:?} was acknowledged and is stored {} times", stored.len()));
    };
    if (&only.room, only.seq, only.id) != (room, *seq, *id) {
        return Err(format!("{text:?} was acknowledged as {room} {seq:?} and is stored as {only:?}"));
    }
    Ok(())
}

/// Every stored message of this text: texts are sent once.
pub(crate) fn find<'a>(disk: &'a Disk, text: &'a str) -> impl Iterator<Item = &'a Message> {
    disk.rooms.values().flat_map(|log| &log.messages).filter(move |message| message.text == text)
}

/// Checks that a message that was shown would survive a crash now, unchanged.
fn is_stored(message: &Message, disk: &Disk) -> CheckResult {
    let seq = message.seq.unwrap_or(0);
    let Some(stored) = disk.durable(&message.room, seq) else {
        return Err(format!("{} {seq} was shown and is not stored: {:?}", message.room, message.text));
    };
    if message == stored { Ok(()) } else { Err(format!("{message:?} was shown, and {stored:?} is stored")) }
}
