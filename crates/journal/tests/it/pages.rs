//! Pages by number: which messages, how many, and whether there are more.

use glassline_journal::{Reader, Store};
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, History};
use glassline_wire::history::{Page, Record};
use glassline_wire::limits::{EVENT_BYTES_MAX, REF_BYTES_MAX};
use glassline_wire::request::HistoryRange;

use crate::support::*;

fn room_of(count: u64, text: &str) -> (Folder, Box<dyn Store>) {
    let folder = Folder::new();
    let mut store = open_kept(&folder.file());
    let batch: Vec<Record> = (0..count).map(|_| entry("lobby", "alice", text, None, 1)).collect();
    assert_eq!(store.append(&batch).expect("stores"), stored(1..=count));
    (folder, store)
}

fn ask(
    reader: &mut dyn Reader,
    before: Option<u64>,
    after: Option<u64>,
    around: Option<u64>,
    limit: Option<u64>,
) -> Page {
    range(reader, &HistoryRange { room: "lobby".into(), before, after, around, limit })
}

#[test]
fn each_direction_has_its_part_and_says_whether_there_are_more() {
    let (_folder, store) = room_of(500, "hi");
    let mut reader = store.reader().expect("a reader");
    // Before, after, around, limit; first and last number; more.
    let cases = [
        ((None, None, None, None), Some((301, 500)), true),
        ((None, None, None, Some(3)), Some((498, 500)), true),
        ((None, None, None, Some(0)), Some((500, 500)), true),
        ((None, None, None, Some(u64::MAX)), Some((301, 500)), true),
        ((Some(1), None, None, None), None, false),
        ((Some(0), None, None, None), None, false),
        ((Some(2), None, None, None), Some((1, 1)), false),
        ((Some(201), None, None, None), Some((1, 200)), false),
        ((Some(202), None, None, None), Some((2, 201)), true),
        ((Some(u64::MAX), None, None, Some(2)), Some((499, 500)), true),
        ((None, Some(0), None, None), Some((1, 200)), true),
        ((None, Some(300), None, None), Some((301, 500)), false),
        ((None, Some(499), None, None), Some((500, 500)), false),
        ((None, Some(500), None, None), None, false),
        ((None, Some(u64::MAX), None, None), None, false),
        ((None, Some(i64::MAX as u64), None, None), None, false),
        // Between two: from `after` on.
        ((Some(20), Some(10), None, None), Some((11, 19)), false),
        ((Some(20), Some(10), None, Some(5)), Some((11, 15)), true),
        ((Some(11), Some(10), None, None), None, false),
        ((Some(10), Some(20), None, None), None, false),
        ((None, None, Some(250), Some(5)), Some((248, 252)), true),
        ((None, None, Some(250), Some(1)), Some((250, 250)), true),
        ((None, None, Some(250), None), Some((150, 349)), true),
        ((None, None, Some(1), Some(5)), Some((1, 5)), false),
        ((None, None, Some(500), Some(5)), Some((496, 500)), true),
        ((None, None, Some(0), Some(2)), Some((1, 2)), false),
        ((None, None, Some(u64::MAX), Some(2)), Some((499, 500)), true),
    ];
    for ((before, after, around, limit), wanted, more) in cases {
        let page = ask(reader.as_mut(), before, after, around, limit);
        let wanted: Vec<u64> = wanted.map_or(Vec::new(), |(first, last)| (first..=last).collect());
        assert_eq!((seqs(&page), page.more), (wanted, more), "{before:?} {after:?} {around:?} {limit:?}");
    }
    let nowhere = range(reader.as_mut(), &HistoryRange { room: "attic".into(), ..HistoryRange::default() });
    assert_eq!(nowhere, Page::default());
}

#[test]
fn pages_of_the_longest_texts_fit_and_cover_the_whole_room() {
    // Each byte becomes six; 15 of them are two thousand bytes short of one event each.
    for (text_bytes, count) in [(16 * 1024, 7), (5_000, 15), (700, 300)] {
        let (_folder, store) = room_of(count, &"\u{1}".repeat(text_bytes));
        let mut reader = store.reader().expect("a reader");
        let fits = |page: &Page| {
            let reference = Some("\0".repeat(REF_BYTES_MAX));
            let history = History { room: "lobby".into(), messages: page.messages.clone(), more: page.more };
            let bytes = Envelope::new(Event::History(history), reference).to_json().len();
            assert!(bytes <= EVENT_BYTES_MAX, "{bytes} bytes in {} messages", page.messages.len());
        };
        let (mut up, mut after) = (Vec::new(), 0);
        loop {
            let page = ask(reader.as_mut(), None, Some(after), None, None);
            fits(&page);
            up.extend(seqs(&page));
            after = *up.last().expect("at least one");
            if !page.more {
                break;
            }
        }
        assert_eq!(up, (1..=count).collect::<Vec<_>>());
        let (mut down, mut before) = (Vec::new(), None);
        loop {
            let page = ask(reader.as_mut(), before, None, None, None);
            fits(&page);
            down.splice(0..0, seqs(&page));
            before = down.first().copied();
            if !page.more {
                break;
            }
        }
        assert_eq!(down, up);
        for middle in [1, count / 2, count] {
            let page = ask(reader.as_mut(), None, None, Some(middle), None);
            fits(&page);
            let found = seqs(&page);
            assert!(found.contains(&middle), "{middle} is not in {found:?}");
            assert_eq!(found, (found[0]..=found[found.len() - 1]).collect::<Vec<_>>(), "no holes");
            assert_eq!(page.more, found[0] > 1);
        }
    }
}

#[test]
fn a_deadline_that_passed_is_too_slow() {
    let (_folder, store) = room_of(5, "hi");
    let mut reader = store.reader().expect("a reader");
    let asked =
        reader.range(&HistoryRange { room: "lobby".into(), ..HistoryRange::default() }, std::time::Instant::now());
    assert!(matches!(asked, Err(glassline_journal::StoreError::TooSlow)), "{asked:?}");
    assert_eq!(seqs(&ask(reader.as_mut(), None, None, None, None)), [1, 2, 3, 4, 5], "the reader goes on");
}
