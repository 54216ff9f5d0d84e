//! Numbers of a room without a readable message: retention removed it, or it is missing. The room's
//! row has only the count of those removed. A message that is in the table, damaged, or in the
//! search index was not removed, since retention deletes both.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use rusqlite::Connection;

use super::salvage::tolerate;
use crate::sqlite::rooms::RoomRow;
use crate::sqlite::rowid::{rowid, seq_of};

const ENTRIES: [&str; 2] = [
    "SELECT place FROM message WHERE place BETWEEN ?1 AND ?2 ORDER BY place",
    "SELECT id FROM message_text_docsize WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
];

/// Missing messages, in order, and uncertainties about them.
#[derive(Debug, Default)]
pub(super) struct MissingRanges {
    pub(super) missing: Vec<RangeInclusive<u64>>,
    pub(super) doubt: Option<String>,
}

/// Appends numbers, to the last range where they follow it.
pub(super) fn add(ranges: &mut Vec<RangeInclusive<u64>>, seqs: RangeInclusive<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end() + 1 == *seqs.start() => *last = *last.start()..=*seqs.end(),
        _ => ranges.push(seqs),
    }
}

/// Determines which absent numbers of a room are missing.
pub(super) fn classify(
    db: &Connection,
    room_id: i64,
    name: &str,
    absent: Vec<RangeInclusive<u64>>,
) -> Result<MissingRanges, rusqlite::Error> {
    if absent.is_empty() {
        return Ok(MissingRanges::default());
    }
    let transaction = db.unchecked_transaction()?;
    let row = RoomRow::with_id(&transaction, room_id);
    let Some(RoomRow { oldest, removed, .. }) = tolerate(row)?.flatten() else {
        let doubt = format!("{name}: some of the numbers that are missing may have been removed by retention");
        return Ok(MissingRanges { missing: absent, doubt: Some(doubt) });
    };
    // Since the export began, retention may have removed more.
    let absent = absent.into_iter().filter(|seqs| *seqs.end() >= oldest);
    let absent: Vec<_> = absent.map(|seqs| (*seqs.start()).max(oldest)..=*seqs.end()).collect();
    if removed == 0 {
        return Ok(MissingRanges { missing: absent, doubt: None });
    }
    let (mut lost, mut unknown) = (Vec::new(), 0);
    for seqs in &absent {
        let mut present = BTreeSet::new();
        for entries in ENTRIES {
            add_present(&transaction, entries, room_id, seqs, &mut present)?;
        }
        unknown += (seqs.end() - seqs.start() + 1).saturating_sub(present.len() as u64);
        for seq in present {
            add(&mut lost, seq..=seq);
        }
    }
    if unknown <= removed {
        return Ok(MissingRanges { missing: lost, doubt: None });
    }
    let doubt = format!("{name}: {removed} of the numbers that are missing were removed by retention, unknown which");
    Ok(MissingRanges { missing: absent, doubt: Some(doubt) })
}

fn add_present(
    db: &Connection,
    entries: &str,
    room_id: i64,
    seqs: &RangeInclusive<u64>,
    present: &mut BTreeSet<u64>,
) -> Result<(), rusqlite::Error> {
    let mut read = || -> Result<(), rusqlite::Error> {
        let mut entries = db.prepare_cached(entries)?;
        let mut rows = entries.query([rowid(room_id, *seqs.start()), rowid(room_id, *seqs.end())])?;
        let mut before = None;
        while let Some(row) = rows.next()? {
            let seq = seq_of(row.get(0)?);
            // A damaged tree may contain a cycle.
            if !seqs.contains(&seq) || before.is_some_and(|before| seq <= before) {
                break;
            }
            present.insert(seq);
            before = Some(seq);
        }
        Ok(())
    };
    tolerate(read()).map(drop)
}
