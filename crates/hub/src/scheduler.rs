//! Order in which members are written to: those with something of their own in the order in which
//! they were woken, and the followers of each lane that was appended to, lane by lane.

use alloc::collections::VecDeque;

use crate::dialect::Dialect;
use crate::id::{MemberId, RoomId};
use crate::lane::Lane;
use crate::member::{Member, Members};
use crate::room::Rooms;

/// Steps in one lane after which the next lane has its turn.
const STEPS_IN_A_ROW: usize = 64;

/// Members to write to.
#[derive(Debug)]
pub(crate) struct Scheduler {
    /// Members with private output.
    ready: VecDeque<MemberId>,
    /// Lanes with an unfinished fan-out round.
    rounds: VecDeque<(RoomId, Dialect)>,
    /// Steps that are left to the first of them.
    steps_left: usize,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self { ready: VecDeque::new(), rounds: VecDeque::new(), steps_left: STEPS_IN_A_ROW }
    }
}

impl Scheduler {
    pub(crate) fn wake(&mut self, id: MemberId, member: &mut Member) {
        if member.mark_ready() {
            self.ready.push_back(id);
        }
    }

    pub(crate) fn start_round(&mut self, room: RoomId, dialect: Dialect, lane: &mut Lane) {
        if lane.enqueue() {
            self.rounds.push_back((room, dialect));
        }
    }

    /// Returns whether a member may have to be written to.
    pub(crate) fn has_writes(&self) -> bool {
        !self.ready.is_empty() || !self.rounds.is_empty()
    }

    pub(crate) fn is_flooded(&self, rooms: &Rooms, log_bytes_max: usize) -> bool {
        self.rounds
            .iter()
            .any(|&(room, dialect)| rooms.get(room).is_some_and(|room| room.lane(dialect).is_flooded(log_bytes_max)))
    }

    pub(crate) fn take_ready(&mut self, members: &mut Members) -> Option<MemberId> {
        while let Some(id) = self.ready.pop_front() {
            if members.get_mut(id).is_some_and(Member::take_ready) {
                return Some(id);
            }
        }
        None
    }

    /// Returns the next member of a round that was not sent everything.
    pub(crate) fn next_in_round(&mut self, rooms: &mut Rooms, members: &mut Members) -> Option<MemberId> {
        while let Some(&(room, dialect)) = self.rounds.front() {
            let lane = rooms.get_mut(room).map(|room| room.lane_mut(dialect));
            let Some((lane, id)) = lane.and_then(|lane| lane.step().map(|id| (lane, id))) else {
                self.rounds.pop_front();
                continue;
            };
            if self.steps_left == 0 {
                self.steps_left = STEPS_IN_A_ROW;
                self.rounds.rotate_left(1);
            }
            self.steps_left -= 1;
            if members.get_mut(id).is_some_and(|member| member.send_queue_mut().is_behind_in(room, lane)) {
                return Some(id);
            }
        }
        None
    }
}
