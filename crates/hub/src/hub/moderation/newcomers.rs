//! Newcomers in a freeze (O3): what they chose to be called, and which rooms they open, would reach
//! everybody as words.

use alloc::vec::Vec;

use glassline_wire::event::Rejection;

use crate::hub::Hub;
use crate::id::MemberId;
use crate::member::{Arrival, Member};

impl Hub {
    /// Returns whether a member that comes in now is announced, or only once the freeze ends.
    pub(crate) fn arrival_now(&self) -> Arrival {
        if self.holds_back_any() { Arrival::HeldBack } else { Arrival::Announced }
    }

    /// Returns whether there may be members that are not announced yet.
    pub(crate) fn holds_back_any(&self) -> bool {
        self.moderation.is_frozen()
    }

    /// Returns whether `viewer` may read a member's name in a list of who is here.
    pub(crate) fn may_see(&self, viewer: MemberId, id: MemberId, member: &Member) -> bool {
        member.arrival == Arrival::Announced || viewer == id || self.is_operator(viewer)
    }

    /// Checks that a member may open a room that is not open and holds this many messages.
    ///
    /// # Errors
    /// The talk is frozen, and nothing was said in the room before: its name would be new to
    /// everybody.
    pub(crate) fn check_opening(&self, id: MemberId, messages: u64) -> Result<(), Rejection> {
        if self.is_operator(id) { Ok(()) } else { self.moderation.check_opening(messages) }
    }

    /// Announces everybody who came in during a freeze and is still here.
    pub(super) fn announce_newcomers(&mut self) {
        let newcomers = self.members.iter().filter(|(_, member)| member.arrival == Arrival::HeldBack);
        let newcomers: Vec<_> = newcomers.map(|(key, _)| MemberId(key)).collect();
        for id in newcomers {
            self.announce_newcomer(id);
        }
    }

    /// Announces a member in its rooms, unless that was done.
    pub(super) fn announce_newcomer(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(id.0) else { return };
        if core::mem::replace(&mut member.arrival, Arrival::Announced) == Arrival::Announced {
            return;
        }
        let (name, token) = (member.name.clone(), member.token);
        for room in member.rooms() {
            self.rooms.note_arrival(room, &name, token);
        }
    }

    fn is_operator(&self, id: MemberId) -> bool {
        self.members.get(id.0).is_some_and(|member| member.is_operator)
    }
}
