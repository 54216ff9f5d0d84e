//! Members as others see them: name, connection, idle time and away status.

use alloc::string::ToString;
use alloc::vec::Vec;

use glassline_wire::event::{Away, ErrorCode, Event, Rejection, Renamed, Whois};
use glassline_wire::limits::AWAY_BYTES_MAX;
use glassline_wire::visible;

use crate::Now;
use crate::dialect::Dialect;
use crate::hub::{Hub, Reply, ReplyResult};
use crate::id::MemberId;
use crate::member::Member;
use crate::name::Name;
use crate::text::{SHORTER, check_length, check_no_token};

impl Hub {
    /// Records a request of a member, from which its idle time counts (E3).
    pub fn note_activity(&mut self, id: MemberId, now: Now) {
        if let Some(member) = self.members.get_mut(id) {
            member.note_activity(now.monotonic_ms);
        }
    }

    /// Returns how the member of this name, in any case, is connected.
    ///
    /// # Errors
    /// No member has the name.
    pub fn whois(&self, name: &str, now: Now) -> Result<Whois, Rejection> {
        let (_, found) = self.find(name)?;
        let rooms = found.rooms().filter_map(|room| self.rooms.get(room));
        Ok(Whois {
            name: found.name().to_string(),
            since: found.since(),
            idle_s: found.idle_s(now.monotonic_ms),
            dialect: found.dialect().as_str().to_string(),
            link: found.link().kind.as_str().to_string(),
            key: found.link().peer_hex(),
            rooms: rooms.map(|room| room.name().to_string()).collect(),
            away: found.away().map(str::to_string),
        })
    }

    /// Marks a member as away for a reason, or as back if there is none. Senders of direct messages
    /// get the reason.
    ///
    /// # Errors
    /// The reason is empty, longer than [`AWAY_BYTES_MAX`], or holds an operator token; or the
    /// member may not speak, as others would read it.
    pub fn set_away(&mut self, id: MemberId, text: Option<&str>, now: Now) -> Result<Away, Rejection> {
        if let Some(text) = text {
            if text.is_empty() {
                let text = "the text is empty; say why you are away, or leave it out to be back";
                return Err(Rejection::new(ErrorCode::EmptyText, text));
            }
            check_length(text, AWAY_BYTES_MAX, SHORTER)?;
            check_no_token(text)?;
            self.check_speech(id, now)?;
        }
        // It is shown inside a line of others' screens, so it stays on that line.
        let text = text.map(|text| visible::one_line(text).into_owned());
        if let Some(member) = self.members.get_mut(id) {
            member.set_away(text.as_deref());
        }
        Ok(Away { name: self.name(id).to_string(), text })
    }

    /// Renames a member to exactly this name, and announces it to its rooms.
    ///
    /// # Errors
    /// The name breaks the rules, is taken, looks like one that is, or is banned; or the member may
    /// not send messages: a name is announced.
    pub fn rename(&mut self, id: MemberId, wished: &str, now: Now) -> ReplyResult {
        self.check_speech(id, now)?;
        let name = Name::parse(wished.as_bytes())?;
        let Some(member) = self.members.get(id) else { return Ok(Reply::Nothing) };
        self.moderation.check_name(&name, member.address(), now.at)?;
        let (dialect, from) = (member.dialect(), member.name().to_string());
        let looks = self.names.check_rename(&from, id, &name)?;
        self.names.release(&from);
        self.names.claim(name.as_str(), &looks, id);
        let rooms: Vec<_> = member.rooms().collect();
        if let Some(member) = self.members.get_mut(id) {
            member.rename(name.clone().into_boxed());
        }
        self.renew_mute(id, now.at);
        let renamed = Event::Renamed(Renamed { from: from.clone(), to: name.as_str().to_string() });
        for &room in &rooms {
            self.announce_waiting(room, [&from, name.as_str()], now);
            self.send_to_room(room, renamed.clone());
        }
        Ok(match dialect {
            Dialect::Tutorial => Reply::Nothing,
            // Without a room, no room announces it.
            Dialect::Event if rooms.is_empty() => renamed.into(),
            Dialect::Event => Reply::Confirmation(renamed),
        })
    }

    pub(super) fn find(&self, name: &str) -> Result<(MemberId, &Member), Rejection> {
        let id = self.names.find(name);
        id.and_then(|id| Some((id, self.members.get(id)?))).ok_or_else(|| {
            Rejection::new(ErrorCode::UnknownName, "nobody here has that name; /names lists who is here")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Rules;
    use crate::hub::{LoginOutcome, NameHolder};
    use crate::member::ConnectInfo;
    use core::net::Ipv4Addr;
    use glassline_wire::link::{LinkFacts, LinkKind};
    use glassline_wire::request::Hello;
    use glassline_wire::timestamp::Timestamp;

    fn at(monotonic_ms: u64) -> Now {
        Now { monotonic_ms, at: Timestamp::from_unix_ms(1_700_000_000_000 + monotonic_ms) }
    }

    fn enter(hub: &mut Hub, name: &str, now: Now) -> MemberId {
        let hello = Hello { name: name.to_string(), rooms: Some(Vec::new()), ..Hello::default() };
        let login = ConnectInfo {
            connection: 0,
            token: 1,
            address: Ipv4Addr::LOCALHOST.into(),
            link: LinkFacts::PLAINTEXT,
            now,
        };
        match hub.enter_event(&hello, None, NameHolder::Unasked, login) {
            Ok(LoginOutcome::As(id)) => id,
            other => panic!("{name} is in at once: {other:?}"),
        }
    }

    #[test]
    fn whois_tells_the_link_and_the_key_that_it_has_proven() {
        let mut hub = Hub::new(Rules::default());
        for (connection, name, kind, peer) in [
            (0, b"bob", LinkKind::Plaintext, None),
            (1, b"eve", LinkKind::Tls, None),
            (2, b"ann", LinkKind::Noise, Some([0xab; 32])),
        ] {
            let link = LinkFacts { kind, peer };
            let address = Ipv4Addr::LOCALHOST.into();
            let login = ConnectInfo { connection, token: 1, address, link, now: at(0) };
            hub.enter_tutorial(name, login).expect("enters");
        }
        let shown = |name| hub.whois(name, at(0)).map(|found| (found.link, found.key));
        assert_eq!(shown("bob"), Ok(("plaintext".to_string(), None)));
        assert_eq!(shown("eve"), Ok(("tls".to_string(), None)));
        assert_eq!(shown("ann"), Ok(("noise".to_string(), Some("ab".repeat(32)))));
    }

    #[test]
    fn idle_time_counts_whole_seconds_from_the_last_activity() {
        let mut hub = Hub::new(Rules::default());
        let bob = enter(&mut hub, "bob", at(5_000));
        let idle_s = |hub: &Hub, now_ms| hub.whois("BOB", at(now_ms)).map(|found| found.idle_s);
        assert_eq!([5_000, 5_999, 6_000, 95_000].map(|now_ms| idle_s(&hub, now_ms)), [0, 0, 1, 90].map(Ok));
        hub.note_activity(bob, at(95_000));
        assert_eq!([95_999, 97_000].map(|now_ms| idle_s(&hub, now_ms)), [0, 2].map(Ok));
        assert_eq!(hub.whois("bob", at(97_000)).map(|found| found.since), Ok(at(5_000).at), "since stays");
    }

    #[test]
    fn the_text_of_being_away_is_one_short_line() {
        let mut hub = Hub::new(Rules::default());
        let bob = enter(&mut hub, "bob", at(0));
        let longest = "\n".repeat(AWAY_BYTES_MAX);
        let away = hub.set_away(bob, Some(&longest), at(0)).expect("as long as may be");
        assert_eq!(away.text.as_deref(), Some("\u{fffd}".repeat(AWAY_BYTES_MAX).as_str()));
        let refused = [("", ErrorCode::EmptyText), (&"x".repeat(AWAY_BYTES_MAX + 1), ErrorCode::TooLong)];
        for (text, code) in refused {
            assert_eq!(hub.set_away(bob, Some(text), at(0)).expect_err("refused").code, code);
        }
        assert_eq!(hub.whois("bob", at(0)).expect("found").away, away.text, "a refusal changes nothing");
        let away = hub.set_away(bob, Some("a\tb\u{202e}c\u{1b}[2J ß 二"), at(0)).expect("short");
        assert_eq!(away.text.as_deref(), Some("a\u{fffd}b\u{fffd}c\u{fffd}[2J ß 二"));
        assert_eq!(hub.set_away(bob, None, at(0)).expect("back").text, None);
        assert_eq!(hub.whois("bob", at(0)).expect("found").away, None);
    }
}
