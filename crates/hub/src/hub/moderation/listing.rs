//! Members, listed for operators.

use alloc::{format, string::String, vec::Vec};

use crate::hub::Hub;
use crate::moderation::messages::listed;

impl Hub {
    /// Returns the members, one line each, by name.
    pub(super) fn members_listed(&self) -> String {
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
        listed(format!("{} here:", members.len()), lines)
    }
}
