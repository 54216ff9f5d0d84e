//! Moderation: checks against the state in force before a client logs in, takes a name, sends a
//! message or opens a room, and newcomers in a freeze (O3): their names, and those of rooms they
//! open, would reach everybody as text.

mod enforce;
mod operate;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use glassline_wire::event::{ErrorCode, Event, Rejection};
use glassline_wire::timestamp::Timestamp;

use crate::Now;
use crate::hub::Hub;
use crate::id::MemberId;
use crate::member::{Arrival, Member};
use crate::moderation::messages;

/// Operators named to a muted member.
const OPERATORS_NAMED_MAX: usize = 3;

impl Hub {
    /// Checks whether a client from this address may log in; called once the dialect
    /// of the refusal is known.
    ///
    /// # Errors
    /// The address is banned: until when, and why.
    pub fn check_address(&self, address: IpAddr, now: Now) -> Result<(), Rejection> {
        self.moderation.check_address(address, now.at)
    }

    /// Checks whether a member may send now: a message, a direct message to a non-operator, or a
    /// rename, which is announced.
    pub(super) fn check_speech(&mut self, id: MemberId, now: Now) -> Result<(), Rejection> {
        let Some(member) = self.members.get_mut(id) else { return Ok(()) };
        if member.is_operator() {
            return Ok(());
        }
        if member.is_muted() {
            match self.moderation.mute_of(member.name(), member.address(), now.at) {
                Some(mute) => {
                    let text = messages::muted(mute, &self.some_operators());
                    return Err(Rejection::new(ErrorCode::Muted, text));
                }
                None => {
                    member.set_muted(false);
                }
            }
        }
        self.moderation.check_freeze()
    }

    /// Updates whether a member is muted. Returns whether that changed.
    pub(super) fn renew_mute(&mut self, id: MemberId, at: Timestamp) -> bool {
        let Some(member) = self.members.get_mut(id) else { return false };
        let is_muted = self.moderation.mute_of(member.name(), member.address(), at).is_some();
        member.set_muted(is_muted)
    }

    /// Sends a new member the message of the day, and the reason why it may not send messages.
    pub(super) fn send_moderation_state(&mut self, id: MemberId, now: Now) {
        if let Some(motd) = self.moderation.motd().map(ToString::to_string) {
            self.send(id, Event::notice(motd));
        }
        self.renew_mute(id, now.at);
        if let Err(refused) = self.check_speech(id, now) {
            self.send(id, Event::notice(refused.text));
        }
    }

    pub(super) fn some_operators(&self) -> Vec<String> {
        let operators = self.members.iter().filter(|(_, member)| member.is_operator());
        operators.take(OPERATORS_NAMED_MAX).map(|(_, member)| member.name().to_string()).collect()
    }

    /// Returns whether a member that logs in now is announced before a freeze ends.
    pub(super) fn arrival_now(&self) -> Arrival {
        if self.moderation.is_frozen() { Arrival::HeldBack } else { Arrival::Announced }
    }

    /// Returns whether `viewer` may read a member's name in a list of members.
    pub(super) fn may_see(&self, viewer: MemberId, id: MemberId, member: &Member) -> bool {
        member.arrival() == Arrival::Announced || viewer == id || self.is_operator(viewer)
    }

    /// Announces all present members that logged in during a freeze.
    pub(super) fn announce_held_back(&mut self) {
        for id in self.ids_of(|member| member.arrival() == Arrival::HeldBack) {
            self.announce_arrival(id);
        }
    }

    pub(super) fn announce_arrival(&mut self, id: MemberId) {
        let Some(member) = self.members.get_mut(id) else { return };
        if !member.announce() {
            return;
        }
        let (name, token) = (member.name().to_string(), member.token());
        for room in member.rooms() {
            self.rooms.note_arrival(room, &name, token);
        }
    }

    pub(super) fn is_operator(&self, id: MemberId) -> bool {
        self.members.get(id).is_some_and(Member::is_operator)
    }

    pub(super) fn list_members(&self) -> String {
        let mut members: Vec<_> = self.members.iter().map(|(_, member)| member).collect();
        members.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        let lines = members.iter().map(|member| {
            let marks = match (member.is_operator(), member.is_muted()) {
                (true, _) => " (operator)",
                (false, true) => " (muted)",
                (false, false) => "",
            };
            let (dialect, since) = (member.dialect().as_str(), member.since().in_words());
            format!("{}{marks} {}, {dialect} dialect, since {since}", member.name(), member.address())
        });
        messages::listed(format!("{} here:", members.len()), lines)
    }
}
