//! Moderation: checks against the sanctions in force before anybody comes in, takes a name, or
//! speaks.

mod enforce;
mod listing;
mod newcomers;
mod operate;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::net::IpAddr;

use glassline_wire::event::{ErrorCode, Rejection};
use glassline_wire::timestamp::Timestamp;

use crate::hub::Hub;
use crate::id::MemberId;
use crate::moderation::messages;
use crate::now::Now;

/// Operators that a muted member is told of.
const OPERATORS_NAMED_MAX: usize = 3;

impl Hub {
    /// Checks whether somebody from this address may come in at all; asked as soon as there is a
    /// dialect to say it in.
    ///
    /// # Errors
    /// The address is banned: until when, and why.
    pub fn check_address(&self, address: IpAddr, now: Now) -> Result<(), Rejection> {
        self.moderation.check_address(address, now.at)
    }

    /// Checks whether a member may speak now: say something, write to somebody who is no operator,
    /// or take another name, which everybody is told.
    pub(crate) fn check_speech(&mut self, id: MemberId, now: Now) -> Result<(), Rejection> {
        let Some(member) = self.members.get_mut(id.0) else { return Ok(()) };
        if member.is_operator {
            return Ok(());
        }
        if member.is_muted {
            match self.moderation.mute_of(&member.name, member.address, now.at) {
                Some(mute) => {
                    let text = messages::muted(mute, &self.operators_named());
                    return Err(Rejection::new(ErrorCode::Muted, text));
                }
                None => member.is_muted = false,
            }
        }
        self.moderation.check_freeze()
    }

    /// Checks whether a member may write to another directly: to an operator everybody may.
    pub(crate) fn check_direct_message(
        &mut self,
        sender: MemberId,
        recipient: MemberId,
        now: Now,
    ) -> Result<(), Rejection> {
        if self.members.get(recipient.0).is_some_and(|recipient| recipient.is_operator) {
            return Ok(());
        }
        self.check_speech(sender, now)
    }

    /// Looks up whether a mute hits a member. Returns whether that is news.
    pub(crate) fn renew_mute(&mut self, id: MemberId, at: Timestamp) -> bool {
        let Some(member) = self.members.get_mut(id.0) else { return false };
        let is_muted = self.moderation.mute_of(&member.name, member.address, at).is_some();
        core::mem::replace(&mut member.is_muted, is_muted) != is_muted
    }

    /// Tells a newcomer the message of the day, and what keeps it from speaking.
    pub(crate) fn tell_moderation(&mut self, id: MemberId, now: Now) {
        if let Some(motd) = self.moderation.motd().map(ToString::to_string) {
            self.notify(id, &motd);
        }
        self.renew_mute(id, now.at);
        if let Err(refused) = self.check_speech(id, now) {
            self.notify(id, &refused.text);
        }
    }

    /// Some of the operators who are here, for whoever may write to nobody else.
    pub(super) fn operators_named(&self) -> Vec<String> {
        let operators = self.members.iter().filter(|(_, member)| member.is_operator);
        operators.take(OPERATORS_NAMED_MAX).map(|(_, member)| member.name.to_string()).collect()
    }
}
