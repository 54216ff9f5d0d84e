//! Sessions: one dialect's bytes become calls on the hub. They never touch a socket.

use std::net::IpAddr;

use glassline_hub::{Awaits, ConnectInfo, Hub, MemberId, Now};

use crate::admission::Flood;

pub(crate) mod event;
mod http;
pub(crate) mod sniff;
#[cfg(any(test, feature = "test-server"))]
pub(crate) mod test_session;
pub(crate) mod tutorial;

/// Resources of a session while it takes bytes in.
pub(crate) struct Desk<'a> {
    pub(crate) hub: &'a mut Hub,
    pub(crate) now: Now,
    pub(crate) connection: usize,
    /// Address that it connects from.
    pub(crate) address: IpAddr,
    pub(crate) member: &'a mut Option<MemberId>,
    pub(crate) flood: Option<&'a mut Flood>,
    /// Output to a connection without a name.
    pub(crate) words: &'a mut Vec<u8>,
    pub(crate) pure: bool,
}

/// Decision on the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on; all input was taken.
    GoesOn,
    /// It goes on, but not now: what is left of the input waits.
    Waits(Wait),
    /// It left in order (T6): what waits for it is still sent, with these last words.
    Left { reason: &'static str, words: Vec<u8> },
    /// It cannot go on: the reason, for the log and the counters, and last words.
    Refused { reason: &'static str, detail: String, words: Vec<u8> },
}

impl Verdict {
    /// Returns whether the connection ends with it.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Left { .. } | Self::Refused { .. })
    }
}

/// Cause of a wait of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The flood limit lets it go on after so many milliseconds.
    Flood { resume_after_ms: u64 },
    /// It must read some of what it is owed first.
    Outbox,
    /// The members of its room must be written to first: the next turn goes on with it.
    Lap,
    /// The holder of the name it claims is asked for a sign of life.
    Takeover { holder: MemberId },
    /// The history has to store what it said, or to answer what it asked.
    History,
}

impl Desk<'_> {
    /// Returns whether everything it is owed behind what it said and asked has been sent on its
    /// way, so that it may end.
    pub(crate) fn may_end(&self) -> bool {
        self.awaits() == Awaits::Nothing && !self.member.is_some_and(|member| self.hub.is_owed_past(member))
    }

    /// Returns what the connection awaits from the history.
    pub(crate) fn awaits(&self) -> Awaits {
        self.hub.awaits(self.connection)
    }

    /// Returns the facts about a newcomer that comes in now, with a fresh token.
    pub(crate) fn entrance(&self) -> ConnectInfo {
        let mut token = [0; 16];
        // Without randomness there is no secret, and the hub takes no name back for a token of zero.
        let token = getrandom::fill(&mut token).map_or(0, |()| u128::from_ne_bytes(token));
        ConnectInfo { connection: self.connection, token, address: self.address, now: self.now }
    }

    /// Counts a frame against the flood limit: each once, when it is read, whatever it has to wait for afterwards.
    pub(crate) fn charge(&mut self, frame_bytes: usize) {
        if let Some(flood) = self.flood.as_deref_mut() {
            flood.take(frame_bytes, self.now.monotonic_ms);
        }
    }

    /// Returns the wait that the flood limit imposes on the next frame, if any.
    pub(crate) fn flood_wait(&mut self) -> Option<Wait> {
        let now_ms = self.now.monotonic_ms;
        let resume_after_ms = self.flood.as_deref_mut().map_or(0, |flood| flood.wait_ms(now_ms));
        (resume_after_ms > 0).then_some(Wait::Flood { resume_after_ms })
    }

    /// Returns the wait of the next frame, if any, now that one was taken.
    pub(crate) fn must_wait(&mut self) -> Option<Wait> {
        let member = (*self.member)?;
        if let Some(wait) = self.flood_wait() {
            Some(wait)
        } else if self.hub.is_overfull(member) {
            Some(Wait::Outbox)
        } else if self.hub.is_flooded() {
            Some(Wait::Lap)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use glassline_hub::Rules;
    use glassline_wire::history::{Answer, Head};
    use glassline_wire::timestamp::Timestamp;

    use super::event::EventSession;
    use super::tutorial::TutorialSession;
    use super::*;
    use crate::admission::FloodLimit;

    fn at(monotonic_ms: u64) -> Now {
        Now { monotonic_ms, at: Timestamp::from_unix_ms(monotonic_ms) }
    }

    fn frame(payload: &[u8]) -> Vec<u8> {
        [format!("{:<10}", payload.len()).as_bytes(), payload].concat()
    }

    /// Returns how long bob, who came in as `hello` at 0 s, has been idle at 60 s, having sent one
    /// more payload at 50 s.
    fn idle_s(take: &mut dyn FnMut(&mut &[u8], &mut Desk<'_>) -> Verdict, hello: &[u8], payload: &[u8]) -> u64 {
        let mut hub = Hub::new(Rules::default());
        let (mut member, mut words) = (None, Vec::new());
        for (seconds, payload) in [(0, hello), (50, payload)] {
            let mut desk = Desk {
                hub: &mut hub,
                now: at(seconds * 1_000),
                connection: 0,
                address: Ipv4Addr::LOCALHOST.into(),
                member: &mut member,
                flood: None,
                words: &mut words,
                pure: false,
            };
            assert_eq!(take(&mut &frame(payload)[..], &mut desk), Verdict::GoesOn);
        }
        hub.whois("bob", at(60_000)).expect("bob is here").idle_s
    }

    #[test]
    fn user_requests_end_idleness_and_automatic_ones_do_not() {
        let hello = br#"{"type":"hello","name":"bob"}"#;
        for (request, expected_s) in [
            (r#"{"type":"ping"}"#, 60),
            (r#"{"type":"pong"}"#, 60),
            ("no event", 60),
            (r#"{"type":"send","room":"lobby","text":"hi","id":"00000000000000000000000000000007"}"#, 10),
            (r#"{"type":"direct","to":"bob","text":"hi","id":"00000000000000000000000000000007"}"#, 10),
            (r#"{"type":"join","room":"den"}"#, 10),
            (r#"{"type":"leave","room":"lobby"}"#, 10),
            (r#"{"type":"rename","name":"Bob"}"#, 10),
            (r#"{"type":"members","room":"lobby"}"#, 60),
            (r#"{"type":"whois","name":"bob"}"#, 10),
            (r#"{"type":"rooms"}"#, 10),
            (r#"{"type":"away"}"#, 10),
        ] {
            let mut session = EventSession::new();
            let mut take = |input: &mut &[u8], desk: &mut Desk<'_>| session.take(input, desk);
            assert_eq!(idle_s(&mut take, hello, request.as_bytes()), expected_s, "{request}");
        }
        for (text, expected_s) in [("hi", 10), ("/names", 10), ("//x", 10)] {
            let mut session = TutorialSession::new();
            let mut take = |input: &mut &[u8], desk: &mut Desk<'_>| session.take(input, desk);
            assert_eq!(idle_s(&mut take, b"bob", text.as_bytes()), expected_s, "{text}");
        }
    }

    /// Returns the number of these payloads that are taken at one instant, from somebody whose
    /// messages are stored at once.
    fn taken_at_once(take: &mut dyn FnMut(&mut &[u8], &mut Desk<'_>) -> Verdict, payloads: &[String]) -> usize {
        let mut hub = Hub::new(Rules { durable: true, replay: 0, ..Rules::default() });
        let (mut member, mut words) = (None, Vec::new());
        let mut flood = FloodLimit::PerSecond(5).full(Ipv4Addr::LOCALHOST.into(), 0).expect("limited");
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload.as_bytes())).collect();
        let mut input = &stream[..];
        for _ in 0..1_000 {
            let mut desk = Desk {
                hub: &mut hub,
                now: at(0),
                connection: 0,
                address: Ipv4Addr::LOCALHOST.into(),
                member: &mut member,
                flood: Some(&mut flood),
                words: &mut words,
                pure: false,
            };
            match take(&mut input, &mut desk) {
                Verdict::Waits(Wait::History) => {}
                Verdict::Waits(Wait::Flood { .. }) => break,
                other => panic!("{other:?}"),
            }
            for pending in hub.take_pending_records() {
                let ticket = pending.ticket;
                assert!(hub.committed(pending.record.committed(ticket, ticket + 1)));
            }
            while let Some(question) = hub.next_question() {
                hub.answer(question.ticket, Ok(Answer::Head(Head::default())));
            }
        }
        let mut bytes = stream.len() - input.len();
        let is_taken = |payload: &&String| {
            let frame_bytes = frame(payload.as_bytes()).len();
            let is_taken = frame_bytes <= bytes;
            bytes = bytes.saturating_sub(frame_bytes);
            is_taken
        };
        payloads.iter().take_while(is_taken).count()
    }

    #[test]
    fn input_held_for_the_history_counts_against_the_flood_limit() {
        let send = r#"{"type":"send","room":"lobby","text":"hi","id":"00000000000000000000000000000007"}"#;
        let rooms = r#"{"type":"rooms"}"#;
        let join = |number: u32| format!(r#"{{"type":"join","room":"den{number}"}}"#);
        // Twenty may come at once; the one that goes below nothing, `hello` among them, is the last that is taken.
        for turns in [[send, send], [rooms, rooms], [send, rooms]] {
            let asked = (0..60).map(|number| turns[number % 2].to_string());
            event_takes_twenty_one(asked);
        }
        event_takes_twenty_one((0..60).map(join));
        for turns in [["hi", "hi"], ["hi", "/names"]] {
            tutorial_takes_twenty_one((0..60).map(|number| turns[number % 2].to_string()));
        }
        tutorial_takes_twenty_one((0..60).map(|number| format!("/join den{number}")));
    }

    fn event_takes_twenty_one(payloads: impl Iterator<Item = String>) {
        let hello = r#"{"type":"hello","name":"bob"}"#.to_string();
        let payloads: Vec<String> = std::iter::once(hello).chain(payloads).collect();
        let mut session = EventSession::new();
        let taken = taken_at_once(&mut |input, desk| session.take(input, desk), &payloads);
        assert_eq!(taken, 21, "{:?}", &payloads[1..4]);
    }

    fn tutorial_takes_twenty_one(payloads: impl Iterator<Item = String>) {
        let payloads: Vec<String> = std::iter::once("bob".to_string()).chain(payloads).collect();
        let mut session = TutorialSession::new();
        let taken = taken_at_once(&mut |input, desk| session.take(input, desk), &payloads);
        assert_eq!(taken, 21, "{:?}", &payloads[1..4]);
    }
}
