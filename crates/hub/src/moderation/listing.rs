//! Information for operators: who is here and from where, and what stands.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use glassline_wire::limits::TEXT_BYTES_MAX;

use super::messages::{because, until};
use super::standing::{Sanction, Sanctions};
use crate::hub::Hub;
use crate::now::Now;

impl Hub {
    /// Everybody who is here, one line each, by name.
    pub(super) fn roster_listed(&self) -> String {
        let mut members: Vec<_> = self.members.iter().map(|(_, member)| member).collect();
        members.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let lines = members.iter().map(|member| {
            let marks = match (member.is_operator, member.is_muted) {
                (true, _) => " (operator)",
                (false, true) => " (muted)",
                (false, false) => "",
            };
            let (dialect, since) = (member.dialect.as_str(), member.since.in_words());
            format!("{}{marks} {}, {dialect} dialect, since {since}", member.name, member.address)
        });
        listed(format!("{} here:", members.len()), lines)
    }

    /// Returns the sanctions in force: mutes, bans, and a freeze.
    pub(super) fn order_listed(&self, now: Now) -> String {
        let frozen = self.moderation.frozen_by.iter().map(|by| format!("{by} froze the talk"));
        let standing = |restraints: &Sanctions, what: &str| -> Vec<String> {
            let line = |restraint: &Sanction| {
                let Sanction { target, until: end, by, reason } = restraint;
                format!("{target} {what}{} by {by}{}", until(Some(*end)), because(reason.as_deref()))
            };
            restraints.standing(now.at).map(line).collect()
        };
        let mutes = standing(&self.moderation.mutes, "muted");
        let bans = standing(&self.moderation.bans, "banned");
        if self.moderation.frozen_by.is_none() && mutes.is_empty() && bans.is_empty() {
            return "nothing stands: nobody is muted or banned, and the talk is not frozen".to_string();
        }
        listed("what stands:".to_string(), frozen.chain(mutes).chain(bans))
    }
}

/// As many lines as one text may hold; the rest is a number.
fn listed(mut text: String, lines: impl Iterator<Item = String>) -> String {
    let mut left_out = 0;
    for line in lines {
        if left_out > 0 || text.len() + line.len() >= TEXT_BYTES_MAX {
            left_out += 1;
        } else {
            text.push('\n');
            text.push_str(&line);
        }
    }
    if left_out > 0 {
        text.push_str("\n+");
        text.push_str(&left_out.to_string());
    }
    text
}
