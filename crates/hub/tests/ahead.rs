//! A client that has a later number of a room than the history is noted for the log: messages may
//! be lost.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use glassline_hub::{ConnectInfo, Hub, LogEvent, NameHolder, Now, Rules};
use glassline_wire::link::LinkFacts;
use glassline_wire::request::Hello;
use glassline_wire::timestamp::Timestamp;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };

/// Logs in a client that has these numbers, and returns the records to log.
fn noted(hub: &mut Hub, connection: usize, numbers: &[(&str, u64)]) -> Vec<LogEvent> {
    let since = numbers.iter().map(|&(room, seen)| (room.to_string(), seen)).collect::<BTreeMap<_, _>>();
    let hello = Hello { name: format!("name-{connection}"), since: Some(since), ..Hello::default() };
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let login =
        ConnectInfo { connection, token: connection as u128 + 1, address, link: LinkFacts::PLAINTEXT, now: NOW };
    hub.enter_event(&hello, None, NameHolder::Unasked, login).expect("enters");
    std::iter::from_fn(|| hub.take_log_event()).collect()
}

#[test]
fn a_number_above_the_newest_is_noted() {
    let mut hub = Hub::new(Rules { durable: true, ..Rules::default() });
    hub.resume_lobby(7);
    let ahead = |seen| LogEvent::ClientAheadOfHistory { room: "lobby".into(), seen, newest: 7 };
    assert_eq!(noted(&mut hub, 0, &[("lobby", 6), ("elsewhere", 9)]), []);
    assert_eq!(noted(&mut hub, 1, &[("lobby", 7)]), []);
    assert_eq!(noted(&mut hub, 2, &[("lobby", 8)]), [ahead(8)]);
    assert_eq!(noted(&mut hub, 3, &[("lobby", u64::MAX)]), [ahead(u64::MAX)]);
}

#[test]
fn without_a_history_numbers_begin_anew() {
    assert_eq!(noted(&mut Hub::new(Rules::default()), 0, &[("lobby", 5)]), []);
}
