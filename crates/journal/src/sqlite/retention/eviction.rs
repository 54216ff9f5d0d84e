//! Choice of messages to remove where a history is too large: of the account that has most, of its
//! room that has most, the oldest; unless one origin outweighs the others: then its messages, there
//! or in another room of the account (decisions/011).

use std::collections::HashMap;

use rusqlite::{Connection, Error, Transaction};

use super::removal::{Removed, remove};
use super::shares::{CountedRow, Scope, ShareChanges, UNKNOWN_ORIGIN, largest, select_counted, share};
use crate::sqlite::rooms::LOBBY_ACCOUNT;
use crate::sqlite::rowid::{rowid, seq_of};

/// Weight of the lobby's bytes: two thirds, so that it keeps half whatever is stored elsewhere,
/// though shares are estimates.
const LOBBY_WEIGHT: (u64, u64) = (2, 3);

/// An origin outweighs the others in a room if it has, in all rooms, more than two thirds of their
/// bytes in this one.
const OUTWEIGHS: (u64, u64) = (2, 3);

/// Bytes beyond the next largest that an account, a room or an origin may lose before all are
/// weighed again: a share of everything, and a minimum.
const SLACK_SHARE: u64 = 64;
const SLACK_BYTES_MIN: u64 = 64 * 1024;

/// Origins that are weighed: those with most in the room, and with most in all rooms.
const WEIGHED: usize = 8;

/// Largest rooms of an account in which messages of an outweighing origin are sought.
const ROOMS_LOOKED_AT: usize = 64;

/// Messages read in one step for those of one origin.
const SCANNED_MAX: u64 = 4_096;

/// Most scan positions kept; beyond it all scans begin again.
const SCANS_MAX: usize = 256;

/// Lower bounds of the first number of an origin in a room, by room and origin.
pub(super) type ScanPositions = HashMap<(i64, i64), u64>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Excess {
    /// Bytes in use, and their excess.
    pub(super) used: u64,
    pub(super) over: u64,
    /// Counted bytes that are still to be removed; nothing if not decided yet.
    pub(super) bytes_left: Option<u64>,
    pub(super) rows_max: u64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Evicted {
    pub(super) removed: Removed,
    /// Counted bytes to be removed in further steps.
    pub(super) bytes_left: u64,
    /// Messages that were only read.
    pub(super) read: u64,
}

#[derive(Debug, Clone, Copy)]
struct Victim {
    room_id: i64,
    oldest: u64,
    newest: u64,
    goal: u64,
}

/// Removes messages of the heaviest account. Returns nothing if nothing is counted.
pub(super) fn evict(
    transaction: &Transaction<'_>,
    excess: Excess,
    scan_positions: &mut ScanPositions,
) -> Result<Option<Evicted>, Error> {
    let all = share(transaction, Scope::All, 0)?;
    let slack = (all / SLACK_SHARE).max(SLACK_BYTES_MIN);
    // Bytes in use are not those counted: the same share of these is removed.
    let share_of_over = || u128::from(all) * u128::from(excess.over) / u128::from(excess.used.max(1));
    let wanted = excess.bytes_left.unwrap_or_else(|| u64::try_from(share_of_over()).unwrap_or(u64::MAX));
    let Some((account, account_goal)) = heaviest_account(transaction, slack)? else { return Ok(None) };
    let rooms = largest(transaction, Scope::RoomsOf(account), 2)?;
    let Some(&(room_id, bytes)) = rooms.first() else { return Ok(None) };
    let room_goal = bytes - rooms.get(1).map_or(0, |(_, next)| *next) + slack;
    let goal = wanted.min(account_goal).min(room_goal).max(1);
    let victim = victim(transaction, room_id, goal)?;
    if let Some((origin, surplus)) = outweighing(transaction, room_id, bytes)? {
        let victim = Victim { goal: goal.min(surplus + slack), ..victim };
        let OfOrigin { rows, read, is_at_end } = rows_of(transaction, victim, origin, excess.rows_max, scan_positions)?;
        if !rows.is_empty() || !is_at_end {
            return evicted(transaction, room_id, &rows, wanted, read);
        }
    }
    let goal = wanted.min(account_goal);
    for Elsewhere { origin, room_id, surplus, is_alone, .. } in
        outweighing_elsewhere(transaction, account, room_id, bytes)?
    {
        let victim = self::victim(transaction, room_id, goal.min(surplus + slack).max(1))?;
        let OfOrigin { rows, read, is_at_end } = if is_alone {
            let rows = first_rows(transaction, victim, excess.rows_max)?;
            OfOrigin { rows, read: 0, is_at_end: true }
        } else {
            rows_of(transaction, victim, origin, excess.rows_max, scan_positions)?
        };
        if !rows.is_empty() || !is_at_end {
            return evicted(transaction, room_id, &rows, wanted, read);
        }
    }
    let rows = first_rows(transaction, victim, excess.rows_max)?;
    if rows.is_empty() {
        // Messages that are lost do not count.
        let mut changes = ShareChanges::default();
        for (origin, bytes) in largest(transaction, Scope::OriginsIn(room_id), SCANS_MAX)? {
            changes.add((room_id, account), origin, -bytes.cast_signed());
        }
        changes.write(transaction)?;
        return Ok(Some(Evicted { removed: Removed::default(), bytes_left: wanted, read: SCANNED_MAX }));
    }
    evicted(transaction, room_id, &rows, wanted, 0)
}

fn evicted(
    transaction: &Transaction<'_>,
    room_id: i64,
    rows: &[CountedRow],
    wanted: u64,
    read: u64,
) -> Result<Option<Evicted>, Error> {
    let before = share(transaction, Scope::All, 0)?;
    let removed = remove(transaction, room_id, rows)?;
    // Messages that are not counted yet do not change shares.
    let bytes = removed.bytes.max(before.saturating_sub(share(transaction, Scope::All, 0)?));
    Ok(Some(Evicted { removed, bytes_left: wanted.saturating_sub(bytes), read }))
}

/// Returns the account with the largest weight, and the bytes it may lose until it is `slack` below
/// the next.
fn heaviest_account(db: &Connection, slack: u64) -> Result<Option<(i64, u64)>, Error> {
    let mut accounts: Vec<(i64, u64)> = largest(db, Scope::Accounts, 3)?;
    accounts.retain(|(account, _)| *account != LOBBY_ACCOUNT);
    let lobby = share(db, Scope::Accounts, LOBBY_ACCOUNT)?;
    if lobby > 0 {
        accounts.push((LOBBY_ACCOUNT, lobby * LOBBY_WEIGHT.0 / LOBBY_WEIGHT.1));
    }
    accounts.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let next = accounts.get(1).map_or(0, |(_, weight)| *weight);
    Ok(accounts.first().map(|&(account, weight)| (account, weight - next + slack)))
}

/// Returns the origin with most bytes of those that outweigh all others in a room with others, and
/// its excess.
fn outweighing(db: &Connection, room_id: i64, room_bytes: u64) -> Result<Option<(i64, u64)>, Error> {
    let mut origins = largest(db, Scope::OriginsIn(room_id), WEIGHED)?;
    origins.extend(largest(db, Scope::Origins, WEIGHED)?);
    let (mut heaviest, mut heaviest_bytes) = (None, 0);
    for (origin, _) in origins {
        let here = share(db, Scope::OriginsIn(room_id), origin)?;
        let others = room_bytes.saturating_sub(here);
        if origin == UNKNOWN_ORIGIN || here == 0 || others == 0 {
            continue;
        }
        let (bytes, allowed) = (share(db, Scope::Origins, origin)?, others * OUTWEIGHS.0 / OUTWEIGHS.1);
        if bytes > allowed && bytes > heaviest_bytes {
            (heaviest, heaviest_bytes) = (Some((origin, bytes - allowed)), bytes);
        }
    }
    Ok(heaviest)
}

/// Messages of an origin in another room of the account than its largest.
struct Elsewhere {
    origin: i64,
    room_id: i64,
    /// Bytes of the origin there.
    bytes: u64,
    /// Excess of the origin, in all rooms.
    surplus: u64,
    /// The room has no others' messages.
    is_alone: bool,
}

/// Returns the other rooms of the account with messages of the heaviest origin that outweighs the
/// others in its largest room, those with most of them first. Without this, who opened a room
/// where others write, or writes in many rooms of others, would make the account heavy at
/// the others' cost.
fn outweighing_elsewhere(
    db: &Connection,
    account: i64,
    largest_room: i64,
    room_bytes: u64,
) -> Result<Vec<Elsewhere>, Error> {
    let mut found = Vec::new();
    let rooms = largest(db, Scope::RoomsOf(account), ROOMS_LOOKED_AT + 1)?;
    if rooms.len() < 2 {
        return Ok(found);
    }
    for (origin, bytes) in largest(db, Scope::Origins, WEIGHED)? {
        let others = room_bytes.saturating_sub(share(db, Scope::OriginsIn(largest_room), origin)?);
        let allowed = others * OUTWEIGHS.0 / OUTWEIGHS.1;
        if origin == UNKNOWN_ORIGIN || others == 0 || bytes <= allowed {
            continue;
        }
        for &(room_id, of_room) in rooms.iter().filter(|(room_id, _)| *room_id != largest_room) {
            let here = share(db, Scope::OriginsIn(room_id), origin)?;
            if here > 0 {
                let (surplus, is_alone) = (bytes - allowed, here >= of_room);
                found.push(Elsewhere { origin, room_id, bytes: here, surplus, is_alone });
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found.sort_by_key(|elsewhere| std::cmp::Reverse(elsewhere.bytes));
    Ok(found)
}

fn victim(db: &Connection, room_id: i64, goal: u64) -> Result<Victim, Error> {
    db.prepare_cached("SELECT oldest, newest FROM room WHERE id = ?1")?
        .query_row([room_id], |row| Ok(Victim { room_id, oldest: row.get(0)?, newest: row.get(1)?, goal }))
}

fn first_rows(db: &Connection, victim: Victim, rows_max: u64) -> Result<Vec<CountedRow>, Error> {
    let mut statement = db.prepare_cached(select_counted!("WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3"))?;
    let Victim { room_id, oldest, newest, goal, .. } = victim;
    let mut rows = statement.query((rowid(room_id, oldest), rowid(room_id, newest), rows_max.max(1)))?;
    let (mut taken, mut bytes) = (Vec::new(), 0);
    while bytes < goal
        && let Some(row) = rows.next()?
    {
        let row = CountedRow::of(row)?;
        bytes += row.bytes;
        taken.push(row);
    }
    Ok(taken)
}

struct OfOrigin {
    rows: Vec<CountedRow>,
    read: u64,
    /// No more follow.
    is_at_end: bool,
}

/// Reads the first messages of an origin in a room, from the last scan's end. The room's newest
/// message stays.
fn rows_of(
    db: &Connection,
    victim: Victim,
    origin: i64,
    rows_max: u64,
    scan_positions: &mut ScanPositions,
) -> Result<OfOrigin, Error> {
    let Victim { room_id, oldest, newest, goal, .. } = victim;
    if scan_positions.len() >= SCANS_MAX {
        scan_positions.clear();
    }
    let scanned = scan_positions.entry((room_id, origin)).or_insert(oldest);
    let first = (*scanned).max(oldest);
    let mut statement =
        db.prepare_cached(select_counted!("WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3"))?;
    let mut rows = statement.query((rowid(room_id, first), rowid(room_id, newest), SCANNED_MAX))?;
    let (mut taken, mut bytes, mut read, mut is_at_end) = (Vec::new(), 0, 0, false);
    while bytes < goal && (taken.len() as u64) < rows_max.max(1) {
        let Some(row) = rows.next()? else {
            is_at_end = read < SCANNED_MAX;
            break;
        };
        read += 1;
        let row = CountedRow::of(row)?;
        *scanned = seq_of(row.rowid) + 1;
        if row.origin == origin {
            bytes += row.bytes;
            taken.push(row);
        }
    }
    Ok(OfOrigin { rows: taken, read, is_at_end })
}
