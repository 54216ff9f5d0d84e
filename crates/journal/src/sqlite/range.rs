//! Pages of a room by number. A room's numbers have no holes, so which messages a page holds is
//! arithmetic.

use glassline_wire::event::Message;
use glassline_wire::history::Page;
use glassline_wire::request::HistoryRange;
use rusqlite::{Connection, Error};

use super::message_row::{self, DamagedRows, select_messages};
use super::page::{PageBuilder, limit_of};
use super::rooms::RoomRow;
use super::rowid::rowid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

pub(super) fn page(
    db: &Connection,
    room: RoomRow,
    range: &HistoryRange,
    damaged_rows: &mut DamagedRows,
) -> Result<Page, Error> {
    if room.oldest > room.newest {
        return Ok(Page::default());
    }
    if let Some(around) = range.around {
        return page_around(db, room, range, around.clamp(room.oldest, room.newest), damaged_rows);
    }
    let first = range.after.map_or(room.oldest, |after| after.saturating_add(1).max(room.oldest));
    let last = range.before.map_or(room.newest, |before| before.saturating_sub(1).min(room.newest));
    if first > last {
        return Ok(Page::default());
    }
    let mut builder = PageBuilder::new(&range.room, range.limit);
    let direction = if range.after.is_some() { Direction::Ascending } else { Direction::Descending };
    let mut messages = read(db, room, &range.room, (first, last), direction, &mut builder, damaged_rows)?;
    if direction == Direction::Descending {
        messages.reverse();
    }
    let more = match direction {
        Direction::Ascending => messages.last().and_then(|message| message.seq).is_some_and(|seq| seq < last),
        Direction::Descending => messages.first().and_then(|message| message.seq).is_some_and(|seq| seq > first),
    };
    Ok(Page { messages, more })
}

/// Reads the message `middle` and as many on both sides as fit, the older one first in each pair. If
/// one side ends, the other has more.
fn page_around(
    db: &Connection,
    room: RoomRow,
    range: &HistoryRange,
    middle: u64,
    damaged_rows: &mut DamagedRows,
) -> Result<Page, Error> {
    let limit = limit_of(range.limit) as u64;
    let first = middle.saturating_sub(limit / 2).max(room.oldest);
    let last = first.saturating_add(limit - 1).min(room.newest);
    let first = last.saturating_sub(limit - 1).max(room.oldest);
    // Without a bound in bytes: 200 messages have a few megabytes at most.
    let mut unbounded = PageBuilder::unbounded_bytes(range.limit);
    let window = read(db, room, &range.room, (first, last), Direction::Ascending, &mut unbounded, damaged_rows)?;
    let at = window.iter().position(|message| message.seq >= Some(middle)).unwrap_or(0);
    let mut builder = PageBuilder::new(&range.room, range.limit);
    let (mut from, mut to) = (at, at);
    while from > 0 || to < window.len() {
        // The newer side begins with the middle itself.
        if to < window.len() {
            if !builder.try_push(&window[to]) {
                break;
            }
            to += 1;
        }
        if from > 0 {
            if !builder.try_push(&window[from - 1]) {
                break;
            }
            from -= 1;
        }
    }
    let messages: Vec<Message> = window.into_iter().skip(from).take(to - from).collect();
    let more = messages.first().and_then(|message| message.seq).is_some_and(|seq| seq > room.oldest);
    Ok(Page { messages, more })
}

fn read(
    db: &Connection,
    room: RoomRow,
    name: &str,
    (first, last): (u64, u64),
    direction: Direction,
    builder: &mut PageBuilder,
    damaged_rows: &mut DamagedRows,
) -> Result<Vec<Message>, Error> {
    let mut statement = db.prepare_cached(match direction {
        Direction::Ascending => {
            select_messages!("FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place")
        }
        Direction::Descending => {
            select_messages!("FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place DESC")
        }
    })?;
    let mut rows = statement.query((rowid(room.id, first), rowid(room.id, last)))?;
    let mut messages = Vec::new();
    while !builder.is_full()
        && let Some(row) = rows.next()?
    {
        let Some(message) = message_row::readable(name, row, damaged_rows)? else { continue };
        if !builder.try_push(&message) {
            break;
        }
        messages.push(message);
    }
    Ok(messages)
}
