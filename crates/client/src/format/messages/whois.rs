//! Lines of `/whois`: the member, and its key beside the known one.

use glassline_keyring::{ChangedMember, KnownMember, MemberCheck, Standing};
use glassline_secure::Identity;
use glassline_wire::event::Whois;
use glassline_wire::link::IdentityKey;
use glassline_wire::{hex, visible};

use super::{Formatter, StyledLine, name};

impl Formatter {
    pub(super) fn whois_lines(&self, whois: &Whois) -> Vec<StyledLine> {
        let since = self.clock.moment(whois.since);
        let rooms: Vec<_> = whois.rooms.iter().map(|room| name(room)).collect();
        let rooms = if rooms.is_empty() { "in no room".to_owned() } else { format!("in {}", rooms.join(", ")) };
        let away = whois.away.as_deref().map(|text| format!(", away ({})", visible::one_line(text)));
        let mut lines = vec![StyledLine::notice(&format!(
            "{} is here since {since}, {}{}, {rooms}, {} dialect over {}",
            name(&whois.name),
            format_idle(whois.idle_s),
            away.unwrap_or_default(),
            name(&whois.dialect),
            name(&whois.link),
        ))];
        if let Some(digits) = &whois.key {
            lines.push(self.key_line(&whois.name, digits));
        }
        lines
    }

    /// The server has checked that the member has the key, and says so. The first key under a name is
    /// kept, so that another one is noticed.
    fn key_line(&self, of: &str, digits: &str) -> StyledLine {
        let shown = name(of);
        let Some((key, fingerprint)) =
            identity_key(digits).and_then(|key| Some((key, Identity::fingerprint_of(&key)?)))
        else {
            return StyledLine::warning(&format!("the server shows a key of {shown} that is none"));
        };
        let Some(members) = &self.members else {
            return StyledLine::notice(&format!("key of {shown}: {fingerprint}"));
        };
        match members.check(of, &key) {
            Ok(MemberCheck::New(known) | MemberCheck::Known(known)) => {
                StyledLine::notice(&format!("key of {shown}: {fingerprint}, {}", self.standing(&known)))
            }
            Ok(MemberCheck::Changed(ChangedMember { known, .. })) => StyledLine::warning(&format!(
                "key of {shown}: {fingerprint}, which is another one than before: {}, {}. Ask {shown} in another way \
                 which one is right; `glassline keys trust` with --member accepts it",
                known.key,
                self.standing(&known)
            )),
            Err(error) => {
                StyledLine::warning(&format!("key of {shown}: {fingerprint}, compared with nothing: {error}"))
            }
        }
    }

    fn standing(&self, known: &KnownMember) -> String {
        match known.standing {
            Standing::Verified | Standing::Accepted => known.standing.in_words().to_owned(),
            _ => format!("first seen {}", self.clock.moment(known.since)),
        }
    }
}

fn identity_key(digits: &str) -> Option<IdentityKey> {
    hex::decode(digits)?.try_into().ok()
}

fn format_idle(idle_s: u64) -> String {
    match idle_s {
        0..60 => "active now".to_owned(),
        60..3_600 => format!("idle for {} min", idle_s / 60),
        3_600..86_400 => format!("idle for {} h {} min", idle_s / 3_600, idle_s / 60 % 60),
        _ => format!("idle for {} d {} h", idle_s / 86_400, idle_s / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::clock::LocalClock;
    use glassline_keyring::{Keyring, ServerAddress};
    use glassline_session::Update;
    use glassline_testkit::Folder;
    use glassline_wire::event::Event;
    use glassline_wire::link::{LinkFacts, LinkKind};
    use glassline_wire::timestamp::Timestamp;

    fn formatter() -> Formatter {
        Formatter::with_clock("me", LocalClock::fixed(|| Timestamp::from_unix_ms(0)))
    }

    fn plain(formatter: &Formatter, json: &str) -> Vec<String> {
        let update = Update::Received(Event::from_json(json.as_bytes()).expect(json));
        formatter.lines(&update).iter().flat_map(StyledLine::plain).collect()
    }

    fn whois(key: &str) -> String {
        format!(
            r#"{{"type":"whois","name":"bob","since":"2026-11-22T14:02:03.000Z","idle_s":3700,"dialect":"event",{}"#,
            format_args!(r#""link":"tls","key":"{key}","rooms":["lobby","den"],"away":"lunch"}}"#)
        )
    }

    fn digits(identity: &Identity) -> String {
        LinkFacts { kind: LinkKind::Tls, peer: Some(identity.public()) }.peer_hex().expect("a key")
    }

    #[test]
    fn a_member_without_a_key_has_one_line() {
        let json = whois("").replace(r#""link":"tls","key":"","#, r#""link":"plaintext","#);
        let line = "* bob is here since 2026-11-22 14:02:03, idle for 1 h 1 min, away (lunch), in lobby, den, event \
            dialect over plaintext";
        assert_eq!(plain(&formatter(), &json), [line]);
    }

    #[test]
    fn a_key_is_compared_with_the_first_one_seen() {
        let folder = Folder::new();
        let address = ServerAddress::parse("far:1").expect("an address");
        let members = Keyring::open(folder.join("keys")).known_members(&address);
        let formatter = formatter().with_members(Some(members.clone()));
        let (bob, eve) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[2; 32]));
        for _ in 0..2 {
            let lines = plain(&formatter, &whois(&digits(&bob)));
            let expected = format!("* key of bob: {}, first seen 20", bob.fingerprint());
            assert!(lines[0].ends_with("over tls") && lines[1].starts_with(&expected), "{lines:?}");
        }
        members.verify("bob", &bob.fingerprint().words()).expect("equal");
        assert!(plain(&formatter, &whois(&digits(&bob)))[1].ends_with(", verified by you"));
        let changed = &plain(&formatter, &whois(&digits(&eve)))[1];
        for fact in [eve.fingerprint().to_string(), bob.fingerprint().to_string(), "another one".to_owned()] {
            assert!(changed.contains(&fact), "{fact}: {changed}");
        }
    }

    #[test]
    fn what_is_no_key_is_said_to_be_none() {
        for wrong in ["", "zz", &"z".repeat(64), &"é".repeat(32), &"0".repeat(66)] {
            let lines = plain(&formatter(), &whois(wrong));
            assert!(lines[1].contains("key of bob that is none"), "{lines:?}");
        }
    }
}
