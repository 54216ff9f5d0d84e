//! Pages of a room by number. A room's numbers have no holes, so which messages a page holds is arithmetic.

use glassline_wire::event::Message;
use glassline_wire::history::Page;
use glassline_wire::request::HistoryRange;
use rusqlite::Connection;

use super::page::{self, Filling, LeftOut, limit_of, message_columns};
use super::place::place;
use super::rooms::RoomNow;

/// Which way rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// The page that is asked for.
pub(super) fn page(
    db: &Connection,
    room: RoomNow,
    range: &HistoryRange,
    left_out: &mut LeftOut,
) -> Result<Page, rusqlite::Error> {
    if room.oldest > room.newest {
        return Ok(Page::default());
    }
    if let Some(around) = range.around {
        return page_around(db, room, range, around.clamp(room.oldest, room.newest), left_out);
    }
    let first = range.after.map_or(room.oldest, |after| after.saturating_add(1).max(room.oldest));
    let last = range.before.map_or(room.newest, |before| before.saturating_sub(1).min(room.newest));
    if first > last {
        return Ok(Page::default());
    }
    let mut filling = Filling::new(&range.room, range.limit);
    let way = if range.after.is_some() { Way::Up } else { Way::Down };
    let mut messages = read(db, room, &range.room, (first, last), way, &mut filling, left_out)?;
    if way == Way::Down {
        messages.reverse();
    }
    let more = match way {
        Way::Up => messages.last().and_then(|message| message.seq).is_some_and(|seq| seq < last),
        Way::Down => messages.first().and_then(|message| message.seq).is_some_and(|seq| seq > first),
    };
    Ok(Page { messages, more })
}

/// The message `middle` and as many on both sides as fit, the older one first in each pair. Where one side ends, the other has more.
fn page_around(
    db: &Connection,
    room: RoomNow,
    range: &HistoryRange,
    middle: u64,
    left_out: &mut LeftOut,
) -> Result<Page, rusqlite::Error> {
    let limit = limit_of(range.limit) as u64;
    let first = middle.saturating_sub(limit / 2).max(room.oldest);
    let last = first.saturating_add(limit - 1).min(room.newest);
    let first = last.saturating_sub(limit - 1).max(room.oldest);
    // Read without a bound of bytes of its own: 200 messages have few megabytes at most.
    let mut unbounded = Filling::unbounded_bytes(range.limit);
    let window = read(db, room, &range.room, (first, last), Way::Up, &mut unbounded, left_out)?;
    let at = window.iter().position(|message| message.seq >= Some(middle)).unwrap_or(0);
    let mut filling = Filling::new(&range.room, range.limit);
    let (mut from, mut to) = (at, at);
    while from > 0 || to < window.len() {
        // The middle itself is the first of the newer side.
        if to < window.len() {
            if !filling.takes(&window[to]) {
                break;
            }
            to += 1;
        }
        if from > 0 {
            if !filling.takes(&window[from - 1]) {
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
    room: RoomNow,
    name: &str,
    (first, last): (u64, u64),
    way: Way,
    filling: &mut Filling,
    left_out: &mut LeftOut,
) -> Result<Vec<Message>, rusqlite::Error> {
    let mut statement = db.prepare_cached(match way {
        Way::Up => {
            concat!("SELECT ", message_columns!(), " FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place")
        }
        Way::Down => {
            concat!(
                "SELECT ",
                message_columns!(),
                " FROM message m WHERE m.place BETWEEN ?1 AND ?2 ORDER BY m.place DESC"
            )
        }
    })?;
    let mut rows = statement.query((place(room.id, first), place(room.id, last)))?;
    let mut messages = Vec::new();
    while !filling.is_full()
        && let Some(row) = rows.next()?
    {
        let Some(message) = page::readable(name, row, left_out)? else { continue };
        if !filling.takes(&message) {
            break;
        }
        messages.push(message);
    }
    Ok(messages)
}
