//! One room: its number, its lanes, and what it has still to announce.

use alloc::boxed::Box;

use crate::id::MemberId;
use crate::lane::Lane;
use crate::member::Dialect;
use crate::presence::Presence;
use crate::recent_ids::RecentIds;

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: Box<str>,
    /// Number of the newest message; 0 before the first.
    pub(crate) seq: u64,
    /// Messages on their way into the history; the room stays open for them.
    pub(crate) in_flight: usize,
    pub(crate) presence: Presence,
    pub(crate) recent_ids: RecentIds,
    lanes: [Lane; 2],
}

impl Room {
    /// An empty room whose newest message has this number.
    pub(crate) fn new(name: &str, seq: u64) -> Self {
        Self {
            name: name.into(),
            seq,
            in_flight: 0,
            presence: Presence::default(),
            recent_ids: RecentIds::default(),
            lanes: Dialect::ALL.map(|_| Lane::new()),
        }
    }

    pub(crate) fn lane(&self, dialect: Dialect) -> &Lane {
        &self.lanes[dialect.lane()]
    }

    pub(crate) fn lane_mut(&mut self, dialect: Dialect) -> &mut Lane {
        &mut self.lanes[dialect.lane()]
    }

    pub(crate) fn count(&self) -> usize {
        self.lanes.iter().map(|lane| lane.members.len()).sum()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = MemberId> + '_ {
        self.lanes.iter().flat_map(|lane| lane.members.iter().copied())
    }
}
