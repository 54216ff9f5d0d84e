//! Mutes and bans in force.

use alloc::{format, string::String, vec::Vec};
use core::net::IpAddr;

use glassline_wire::event::{AuditEntry, ErrorCode, Rejection};
use glassline_wire::timestamp::Timestamp;

use super::SANCTIONS_MAX;
use super::target::Target;
use crate::name::Looks;

/// Most sanctions kept: a clock that was set back may leave more in force than were ever allowed at
/// a time. Beyond this the one that ends first is dropped.
const KEPT_MAX: usize = 4 * SANCTIONS_MAX;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sanction {
    pub(super) target: Target,
    pub(super) until: Timestamp,
    pub(super) by: String,
    pub(super) reason: Option<String>,
}

/// Mutes, or bans: at most one for each name and each network.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Sanctions(Vec<Sanction>);

impl Sanctions {
    pub(super) fn in_force(&self, at: Timestamp) -> impl Iterator<Item = &Sanction> {
        self.0.iter().filter(move |sanction| sanction.until > at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the one on exactly this name or network.
    pub(crate) fn on(&self, target: &Target, at: Timestamp) -> Option<&Sanction> {
        self.in_force(at).find(|sanction| sanction.target.is_same(target))
    }

    /// Returns the one that applies to this member longest.
    pub(super) fn hitting(&self, looks: &Looks, address: IpAddr, at: Timestamp) -> Option<&Sanction> {
        self.in_force(at).filter(|sanction| sanction.target.hits(looks, address)).max_by_key(|sanction| sanction.until)
    }

    /// Returns the one on this address, or on a network around it, that ends last.
    pub(super) fn hitting_address(&self, address: IpAddr, at: Timestamp) -> Option<&Sanction> {
        self.in_force(at).filter(|sanction| sanction.target.hits_address(address)).max_by_key(|sanction| sanction.until)
    }

    /// Checks that another one, on this target, does not exceed the limit.
    pub(crate) fn check_capacity(&self, target: &Target, at: Timestamp) -> Result<(), Rejection> {
        if self.on(target, at).is_some() || self.in_force(at).count() < SANCTIONS_MAX {
            return Ok(());
        }
        let text = format!("{SANCTIONS_MAX} stand already, the most there may be; take one back first");
        Err(Rejection::new(ErrorCode::BadField, text))
    }

    pub(super) fn add(&mut self, act: &AuditEntry) {
        let Some(target) = Target::of_act(act) else { return };
        self.0.retain(|sanction| sanction.until > act.at && !sanction.target.is_same(&target));
        if self.0.len() >= KEPT_MAX
            && let Some((first_to_end, _)) = self.0.iter().enumerate().min_by_key(|(_, sanction)| sanction.until)
        {
            self.0.remove(first_to_end);
        }
        let (until, reason) = (act.until.unwrap_or(Timestamp::MAX), act.text.clone());
        self.0.push(Sanction { target, until, by: act.by.clone(), reason });
    }

    pub(super) fn remove(&mut self, act: &AuditEntry) {
        if let Some(target) = Target::of_act(act) {
            self.0.retain(|sanction| !sanction.target.is_same(&target));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moderation::Moderation;
    use crate::name::Name;
    use alloc::string::ToString;
    use glassline_wire::event::AuditKind;

    fn at(unix_ms: u64) -> Timestamp {
        Timestamp { unix_ms }
    }

    fn act(at_ms: u64, act: AuditKind, who: &str, until_ms: u64) -> AuditEntry {
        let who = (!who.is_empty()).then(|| who.to_string());
        let until = (until_ms > 0).then_some(at(until_ms));
        AuditEntry { at: at(at_ms), by: "teacher".into(), act, who, until, text: None }
    }

    fn folded(acts: &[AuditEntry]) -> Moderation {
        acts.iter().fold(Moderation::default(), |mut moderation, act| {
            moderation.apply(act);
            moderation
        })
    }

    fn hit(sanctions: &Sanctions, name: &str, address: &str, at_ms: u64) -> bool {
        let looks = Name::parse(name.as_bytes()).expect("a name").looks();
        sanctions.hitting(&looks, address.parse().expect("an address"), at(at_ms)).is_some()
    }

    #[test]
    fn a_sanction_ends_by_itself_and_by_an_act() {
        let mut moderation =
            folded(&[act(1, AuditKind::Mute, "bob", 100), act(1, AuditKind::Ban, "192.0.2.0/24", 100)]);
        assert!(hit(&moderation.mutes, "BOB", "::1", 99) && !hit(&moderation.mutes, "bob", "::1", 100));
        assert!(hit(&moderation.bans, "eve", "192.0.2.9", 99) && !hit(&moderation.bans, "bob", "::1", 50));
        assert!(moderation.bans.hitting_address("::ffff:192.0.2.9".parse().expect("an address"), at(50)).is_some());
        moderation.apply(&act(2, AuditKind::Unmute, "Bob", 0));
        moderation.apply(&act(2, AuditKind::Unban, "192.0.2.0/24", 0));
        assert_eq!(moderation, Moderation::default());
    }

    #[test]
    fn a_ban_hits_a_name_that_mixes_case_to_look_alike() {
        let moderation = folded(&[act(1, AuditKind::Ban, "Mallory", 100), act(1, AuditKind::Ban, "ivan", 100)]);
        for name in ["MaIlory", "MAlLORY", "maIIory", "lVAN", "1vAN"] {
            assert!(hit(&moderation.bans, name, "::1", 50), "{name}");
        }
        assert!(!hit(&moderation.bans, "Milory", "::1", 50) && !hit(&moderation.bans, "Evan", "::1", 50));
    }

    #[test]
    fn the_same_again_takes_the_place_of_the_first() {
        let moderation = folded(&[act(1, AuditKind::Ban, "bob", 1_000), act(2, AuditKind::Ban, "BOB", 50)]);
        assert_eq!(moderation.bans.in_force(at(0)).count(), 1);
        assert!(
            hit(&moderation.bans, "bob", "::1", 49) && !hit(&moderation.bans, "bob", "::1", 50),
            "the last word counts"
        );
    }

    #[test]
    fn the_longest_sanction_is_the_one_reported() {
        let moderation = folded(&[
            act(1, AuditKind::Ban, "bob", 50),
            act(1, AuditKind::Ban, "192.0.2.0/24", 90),
            act(1, AuditKind::Ban, "192.0.2.7", 70),
        ]);
        let looks = Name::parse(b"bob").expect("a name").looks();
        let hitting = moderation.bans.hitting(&looks, "192.0.2.7".parse().expect("an address"), at(1));
        assert_eq!(hitting.map(|sanction| sanction.until), Some(at(90)));
    }

    #[test]
    fn a_freeze_and_a_motd_stand_until_they_are_taken_back() {
        let mut motd = act(1, AuditKind::Motd, "", 0);
        motd.text = Some("hello".into());
        let mut moderation = folded(&[act(1, AuditKind::Freeze, "", 0), motd]);
        assert_eq!((moderation.frozen_by.as_deref(), moderation.motd.as_deref()), (Some("teacher"), Some("hello")));
        moderation.apply(&act(2, AuditKind::Thaw, "", 0));
        moderation.apply(&act(2, AuditKind::Motd, "", 0));
        assert_eq!(moderation, Moderation::default());
    }

    #[test]
    fn senseless_acts_change_nothing_and_memory_stays_bounded() {
        let nonsense = ["", "a\u{202e}b", "10.0.0.0/99", "*", "/"];
        for kind in
            [AuditKind::Mute, AuditKind::Unmute, AuditKind::Ban, AuditKind::Unban, AuditKind::Kick, AuditKind::Op]
        {
            for who in nonsense {
                assert_eq!(folded(&[act(1, kind, who, 5)]), Moderation::default());
            }
        }
        let acts: Vec<_> =
            (0..KEPT_MAX as u64 + 500).map(|n| act(1, AuditKind::Ban, &format!("bob{n}"), 1_000_000 - n)).collect();
        let moderation = folded(&acts);
        assert_eq!(moderation.bans.0.len(), KEPT_MAX);
        let many: Vec<_> = (0..9_000).map(|n| act(n, AuditKind::Ban, &format!("bob{n}"), n + 10)).collect();
        assert!(folded(&many).bans.0.len() <= 10, "what has ended is forgotten");
    }
}
