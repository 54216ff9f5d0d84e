//! Acts of operators (O): the lines of their audit log.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// Fields of `act`: a line of the operators' audit log (O2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// The operator's name at that time.
    pub by: String,
    pub act: AuditKind,
    /// Target: a name, an address or a network (`10.0.0.0/8`); absent if it affects everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The reason, or the message of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Acts of an operator: a closed list (O2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AuditKind {
    Op,
    Kick,
    /// Muted a target until the mute ends.
    Mute,
    Unmute,
    /// Denies access to a target until it ends.
    Ban,
    Unban,
    /// From now on only operators may send messages.
    Freeze,
    Thaw,
    /// Set the message of the day, or without a text removed it.
    Motd,
}

impl AuditEntry {
    /// Returns a readable description of the act.
    pub fn done(&self) -> &'static str {
        match self.act {
            AuditKind::Op => "became an operator",
            AuditKind::Kick => "kicked",
            AuditKind::Mute => "muted",
            AuditKind::Unmute => "unmuted",
            AuditKind::Ban => "banned",
            AuditKind::Unban => "unbanned",
            AuditKind::Freeze => "froze the talk",
            AuditKind::Thaw => "ended the freeze",
            AuditKind::Motd if self.text.is_none() => "took the message of the day away",
            AuditKind::Motd => "set the message of the day",
        }
    }
}
