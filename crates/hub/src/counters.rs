//! Counters of the hub, for metrics.

use glassline_wire::event::ErrorCode;

/// Counts since the hub began. They only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HubCounters {
    /// Messages sent in rooms, without direct messages and ids sent again.
    pub messages: u64,
    /// Messages of rooms sent, one for each member that was sent it. A sender's own counts if it is
    /// sent back (E4). What a leaving member is still sent from its room does not count.
    pub deliveries: u64,
    refusals: [u64; ErrorCode::ALL.len()],
}

impl HubCounters {
    /// Requests and texts of members that were not carried out, for each cause (E6).
    pub fn refusals(&self) -> impl Iterator<Item = (ErrorCode, u64)> {
        ErrorCode::ALL.iter().copied().zip(self.refusals)
    }

    pub(crate) fn note_refusal(&mut self, code: ErrorCode) {
        if let Some(count) = self.refusals.get_mut(code as usize) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use core::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::Now;
    use crate::hub::{Hub, Rules};
    use crate::member::ConnectInfo;
    use glassline_wire::event::Event;
    use glassline_wire::link::LinkFacts;
    use glassline_wire::timestamp::Timestamp;

    const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 0 } };

    /// Writes everything that waits, so many bytes at a time.
    fn write_all(hub: &mut Hub, bytes_max: usize) {
        while hub.has_writes() {
            let Some(id) = hub.take_ready().or_else(|| hub.next_in_round()) else { continue };
            hub.skip_lost(id);
            let bytes = hub.gather(id).bytes().min(bytes_max);
            if !hub.advance(id, bytes) {
                hub.wake(id);
            }
        }
    }

    #[test]
    fn a_message_to_a_member_is_one_delivery_however_it_is_sliced() {
        for bytes_max in [1, 7, 1 << 20] {
            let mut hub = Hub::new(Rules::default());
            let enter = |hub: &mut Hub, name: &str, connection| {
                hub.enter_tutorial(
                    name.as_bytes(),
                    ConnectInfo { connection, token: 1, address: NEAR, link: LinkFacts::PLAINTEXT, now: NOW },
                )
                .expect("a good name")
            };
            let (alice, bob) = (enter(&mut hub, "alice", 0), enter(&mut hub, "bob", 1));
            enter(&mut hub, "carol", 2);
            write_all(&mut hub, bytes_max);
            assert_eq!((hub.counters().messages, hub.counters().deliveries), (0, 0), "arrivals are no messages");
            // While nobody is written to, and in turns: each hears the two others.
            for text in ["one", "two", "three"] {
                hub.say_text(alice, text, false, NOW).expect("said");
                hub.say_text(bob, text, true, NOW).expect("said");
            }
            write_all(&mut hub, bytes_max);
            assert_eq!((hub.counters().messages, hub.counters().deliveries), (6, 12), "{bytes_max} bytes at a time");
            hub.say_text(alice, "four", false, NOW).expect("said");
            write_all(&mut hub, bytes_max);
            assert_eq!((hub.counters().messages, hub.counters().deliveries), (7, 14), "{bytes_max} bytes at a time");
        }
    }

    #[test]
    fn refusals_are_counted_by_cause_in_both_dialects() {
        let mut hub = Hub::new(Rules::default());
        let login = ConnectInfo { connection: 0, token: 1, address: NEAR, link: LinkFacts::PLAINTEXT, now: NOW };
        let tom = hub.enter_tutorial(b"tom", login).expect("a good name");
        hub.execute(tom, "/msg nobody hi", NOW);
        hub.execute(tom, "/whois nobody", NOW);
        hub.send(tom, Event::Ping {});
        let counted: alloc::vec::Vec<_> = hub.counters().refusals().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [(ErrorCode::UnknownName, 2)]);
    }
}
