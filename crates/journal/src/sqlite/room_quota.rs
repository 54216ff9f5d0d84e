//! Bound of the rooms that each account opens. A room's row keeps its numbers forever, despite
//! `--keep-bytes`: otherwise a client that opens room after room would fill the file with
//! them, and everybody's messages would be removed for it.

use std::collections::HashMap;

use rusqlite::{Connection, Error};

use super::rooms::LOBBY_ACCOUNT;

/// Rooms of one account, of 8,388,607 in all.
const ROOMS_MAX: u64 = 65_536;

/// Rooms that may be open at a time for one address (`rooms_max` of the hub, halved).
const ROOMS_MAX_LEAST: u64 = 1_024;

/// Bytes of `--keep-bytes` per room: with some 120 bytes each, their rows take a sixteenth.
const BYTES_PER_ROOM: u64 = 2_048;

/// Number of rooms that each account opened.
#[derive(Debug)]
pub(super) struct RoomQuota {
    max: u64,
    of_account: HashMap<i64, u64>,
    /// Accounts of rooms that were opened since the last commit, one for each.
    uncommitted: Vec<i64>,
}

impl RoomQuota {
    /// Counts the rooms of a history that keeps so many bytes: reads each row once.
    pub(super) fn load(db: &Connection, keep_bytes: Option<u64>) -> Result<Self, Error> {
        let mut accounts = db.prepare("SELECT account FROM room")?;
        let mut rows = accounts.query([])?;
        let mut of_account = HashMap::new();
        while let Some(row) = rows.next()? {
            *of_account.entry(row.get(0)?).or_default() += 1;
        }
        let max = keep_bytes.map_or(ROOMS_MAX, |bytes| (bytes / BYTES_PER_ROOM).clamp(ROOMS_MAX_LEAST, ROOMS_MAX));
        Ok(Self { max, of_account, uncommitted: Vec::new() })
    }

    /// Quota without a bound, for an import, which opens the rooms of its lines.
    pub(super) fn unbounded() -> Self {
        Self { max: u64::MAX, of_account: HashMap::new(), uncommitted: Vec::new() }
    }

    /// Counts one more room of an account. Returns false if it has as many as it may.
    pub(super) fn note(&mut self, account: i64) -> bool {
        let count = self.of_account.entry(account).or_default();
        if account != LOBBY_ACCOUNT && *count >= self.max {
            return false;
        }
        *count += 1;
        self.uncommitted.push(account);
        true
    }

    /// Keeps what was noted since the last call.
    pub(super) fn commit(&mut self) {
        self.uncommitted.clear();
    }

    /// Takes back what was noted since the last commit.
    pub(super) fn roll_back(&mut self) {
        for account in self.uncommitted.drain(..) {
            if let Some(count) = self.of_account.get_mut(&account) {
                *count -= 1;
            }
        }
    }
}
