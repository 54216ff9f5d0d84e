//! State of moderation (O): sanctions in force, the freeze, and the message of the day.
//!
//! An action of an operator is an act. Acts are stored like messages, and the state is the fold
//! of all acts. [`crate::Hub`] executes them.

mod attempts;
mod effects;
pub(crate) mod messages;
mod network;
mod operator_command;
mod sanctions;
mod target;
mod token;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use glassline_wire::event::{AuditEntry, AuditKind, ErrorCode, Rejection};
use glassline_wire::timestamp::Timestamp;

pub(crate) use attempts::TokenAttempts;
pub use effects::Disconnect;
pub(crate) use effects::Pending;
pub use network::{subnet, subnet_key};
pub(crate) use operator_command::{OperatorCommand, first_word};
pub(crate) use sanctions::{Sanction, Sanctions};
pub(crate) use target::{Target, written};
pub use token::{OperatorToken, TokenError};

use crate::name::{Looks, Name};

/// Wrong tokens that are compared on one connection: enough for a slip of the hand, and no
/// guessing.
pub(crate) const WRONG_TOKENS_MAX: u8 = 3;

/// Mutes, and bans, in force at a time: more than operators can oversee.
const SANCTIONS_MAX: usize = 1_000;

/// Longest reason in bytes: a sanction or two that fit a refusal.
const REASON_BYTES_MAX: usize = 256;

/// Longest message of the day in bytes: a screen, and what an operator's line has room for.
const MOTD_BYTES_MAX: usize = 1_019;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Moderation {
    /// Operator that froze the chat, if it is frozen.
    frozen_by: Option<String>,
    mutes: Sanctions,
    bans: Sanctions,
    motd: Option<String>,
}

impl Moderation {
    /// Processes an act; an invalid one changes nothing.
    pub(crate) fn apply(&mut self, act: &AuditEntry) {
        match act.act {
            AuditKind::Op | AuditKind::Kick => {}
            AuditKind::Mute => self.mutes.add(act),
            AuditKind::Unmute => self.mutes.remove(act),
            AuditKind::Ban => self.bans.add(act),
            AuditKind::Unban => self.bans.remove(act),
            AuditKind::Freeze => self.frozen_by = Some(act.by.clone()),
            AuditKind::Thaw => self.frozen_by = None,
            AuditKind::Motd => self.motd.clone_from(&act.text),
        }
    }

    pub(crate) fn mutes(&self) -> &Sanctions {
        &self.mutes
    }

    pub(crate) fn bans(&self) -> &Sanctions {
        &self.bans
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen_by.is_some()
    }

    pub(crate) fn motd(&self) -> Option<&str> {
        self.motd.as_deref()
    }

    /// Returns whether a ban denies this name to clients from this address.
    pub(crate) fn is_banned(&self, looks: &Looks, address: IpAddr, at: Timestamp) -> bool {
        self.bans.hitting(looks, address, at).is_some()
    }

    /// Returns the mute of a member that ends last.
    pub(crate) fn mute_of(&self, name: &str, address: IpAddr, at: Timestamp) -> Option<&Sanction> {
        if self.mutes.is_empty() { None } else { self.mutes.hitting(&Looks::of(name), address, at) }
    }

    pub(crate) fn check_address(&self, address: IpAddr, at: Timestamp) -> Result<(), Rejection> {
        match self.bans.hitting_address(address, at) {
            Some(ban) => Err(Rejection::new(ErrorCode::Banned, messages::banned(ban))),
            None => Ok(()),
        }
    }

    pub(crate) fn check_name(&self, name: &Name, address: IpAddr, at: Timestamp) -> Result<(), Rejection> {
        if self.bans.is_empty() {
            return Ok(());
        }
        let looks = name.looks();
        match self.bans.hitting(&looks, address, at) {
            Some(ban) if ban.target.is_only_like(&looks) => {
                Err(Rejection::new(ErrorCode::Banned, messages::like_banned(ban)))
            }
            Some(ban) => Err(Rejection::new(ErrorCode::Banned, messages::banned(ban))),
            None => Ok(()),
        }
    }

    pub(crate) fn check_freeze(&self) -> Result<(), Rejection> {
        match &self.frozen_by {
            Some(by) => Err(Rejection::new(ErrorCode::Frozen, messages::frozen(by))),
            None => Ok(()),
        }
    }

    /// Checks whether a non-operator may open a room that holds this many messages: in
    /// a freeze, none that does not exist yet.
    pub(crate) fn check_opening(&self, messages: u64) -> Result<(), Rejection> {
        match &self.frozen_by {
            Some(by) if messages == 0 => Err(Rejection::new(ErrorCode::Frozen, messages::frozen_rooms(by))),
            _ => Ok(()),
        }
    }

    /// Returns the sanctions in force: mutes, bans, and a freeze, one line each.
    pub(crate) fn list_sanctions(&self, at: Timestamp) -> String {
        let frozen = self.frozen_by.iter().map(|by| format!("{by} froze the talk"));
        let lines_of = |sanctions: &Sanctions, kind: &str| -> Vec<String> {
            let line = |sanction: &Sanction| messages::sanction(sanction, kind);
            sanctions.in_force(at).map(line).collect()
        };
        let (mutes, bans) = (lines_of(&self.mutes, "muted"), lines_of(&self.bans, "banned"));
        if !self.is_frozen() && mutes.is_empty() && bans.is_empty() {
            return "nothing stands: nobody is muted or banned, and the talk is not frozen".to_string();
        }
        messages::listed("what stands:".to_string(), frozen.chain(mutes).chain(bans))
    }
}
