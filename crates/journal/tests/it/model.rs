//! A store against a model that is too simple to be wrong: random appends, repeats, questions, tending and reopening.

use std::collections::BTreeMap;

use glassline_wire::event::Message;
use glassline_wire::history::{CommitOutcome, NotAppended, Record};
use glassline_wire::request::{HistoryRange, Search};

use crate::support::{check, *};

const ROOMS: [&str; 4] = ["lobby", "den", "Attic", "漢"];
const NAMES: [&str; 4] = ["alice", "Alice", "bob", "ünal"];
const WORDS: [&str; 8] = ["glass", "Line", "漢字かな", "%_%", "\"x\"", "ab", "\0\0\0", "🎉🎊🎉"];

#[derive(Default)]
struct Model {
    rooms: BTreeMap<String, Vec<(Message, u64)>>,
}

impl Model {
    fn append(&mut self, record: &Record) -> CommitOutcome {
        let Record::Message(entry) = record else { return CommitOutcome::Stored { seq: 0 } };
        let room = self.rooms.entry(entry.message.room.clone()).or_default();
        let same_id = || room.iter().filter(|(message, _)| message.id.is_some() && message.id == entry.message.id);
        // The token takes precedence over the name, which may have changed its owner.
        let same = same_id().find(|(_, author)| *author == entry.author && *author != 0).or_else(|| {
            same_id().find(|(message, _)| message.from.to_lowercase() == entry.message.from.to_lowercase())
        });
        if let Some((message, _)) = same {
            let is_same = (&message.text, message.action) == (&entry.message.text, entry.message.action);
            return if is_same {
                CommitOutcome::NotAppended(NotAppended::Again(Box::new(message.clone())))
            } else {
                CommitOutcome::NotAppended(NotAppended::IdReused)
            };
        }
        let seq = room.len() as u64 + 1;
        room.push((Message { seq: Some(seq), ..entry.message.clone() }, entry.author));
        CommitOutcome::Stored { seq }
    }

    fn messages(&self, room: &str, keep: impl Fn(&Message) -> bool) -> Vec<Message> {
        let room = self.rooms.get(room).map_or(&[][..], Vec::as_slice);
        room.iter().map(|(message, _)| message.clone()).filter(keep).collect()
    }
}

fn record(rng: &mut Rng) -> Record {
    let pick = |rng: &mut Rng, from: &[&str]| from[rng.below(from.len() as u64) as usize].to_string();
    let text: Vec<String> = (0..=rng.below(4)).map(|_| pick(rng, &WORDS)).collect();
    let id = (rng.below(4) > 0).then(|| u128::from(rng.below(60)) << (rng.below(3) * 60));
    let room = pick(rng, &ROOMS);
    let mut record = entry(&room, &pick(rng, &NAMES), &text.join(" "), id, rng.below(4));
    if let Record::Message(entry) = &mut record {
        entry.message.action = rng.below(8) == 0;
        // The window holds all of it, so nothing is too late.
        entry.after = (rng.below(2) == 0).then(|| rng.below(40));
    }
    record
}

fn run(mut rng: Rng) {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let mut model = Model::default();
    for step in 0..40 {
        let say = |what: &str| format!("{what} in step {step}");
        match rng.below(8) {
            0 => {
                drop(store);
                store = open_kept(&folder.file());
            }
            1 => tend_to_the_end(store.as_mut()),
            2 => {
                store.maintain(std::time::Duration::ZERO).expect("tends");
            }
            _ => {
                let batch: Vec<Record> = (0..rng.below(12)).map(|_| record(&mut rng)).collect();
                let wanted: Vec<CommitOutcome> = batch.iter().map(|record| model.append(record)).collect();
                assert_eq!(store.append(&batch).expect("answers"), wanted, "{}", say("append"));
            }
        }
        let mut reader = store.reader().expect("a reader");
        let room = ROOMS[rng.below(4) as usize];
        let count = model.messages(room, |_| true).len() as u64;
        assert_eq!(reader.head(room, soon()).expect("a head"), numbers(1, count), "{}", say("head"));
        let (before, limit) = (rng.below(count + 2), 1 + rng.below(9));
        let page = range(
            reader.as_mut(),
            &HistoryRange { room: room.into(), before: Some(before), limit: Some(limit), ..HistoryRange::default() },
        );
        let wanted = model.messages(room, |message| message.seq < Some(before));
        let cut = wanted.len().saturating_sub(limit as usize);
        assert_eq!((&page.messages[..], page.more), (&wanted[cut..], cut > 0), "{}", say("range"));
        let query = WORDS[rng.below(8) as usize].to_uppercase();
        let asked = Search { room: room.into(), query: query.clone(), before: Some(before), limit: Some(limit) };
        let page = reader.search(&asked, soon()).expect("a page");
        let wanted =
            model.messages(room, |message| message.seq < Some(before) && message.text.to_uppercase().contains(&query));
        let cut = wanted.len().saturating_sub(limit as usize);
        assert_eq!(
            (&page.messages[..], page.more),
            (&wanted[cut..], cut > 0),
            "{}",
            say(&format!("search for {query:?}"))
        );
    }
    let lag = store.index_lag();
    drop(store);
    let report = check(&folder.file()).expect("a report");
    assert_eq!((report.faults, report.index_lag), (Vec::new(), lag));
}

#[test]
fn a_store_does_what_the_model_does() {
    glassline_testkit::for_each_seed(0..25, run);
}
