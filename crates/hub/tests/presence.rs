//! Arrivals, departures and changes of name, as a member sees them in order (T11): a name is not a
//! person.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::net::{IpAddr, Ipv4Addr};

use glassline_hub::{ConnectInfo, Hub, LoginOutcome, MemberId, NameHolder, Now, Rules};
use glassline_testkit::frame::payloads;
use glassline_wire::event::Event;
use glassline_wire::link::LinkFacts;
use glassline_wire::request::Hello;
use glassline_wire::timestamp::Timestamp;

struct World {
    hub: Hub,
    now: Now,
    witness: MemberId,
}

impl World {
    /// A witness in the lobby, and nothing left to announce.
    fn new() -> Self {
        let now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };
        let mut hub = Hub::new(Rules::default());
        let witness = enters(&mut hub, "witness", 99, now);
        let mut world = Self { hub, now, witness };
        world.settle();
        world.received();
        world
    }

    fn pass_ms(&mut self, ms: u64) {
        self.now.monotonic_ms += ms;
        self.hub.tick(self.now);
    }

    /// Nothing waits, and the next coming is announced at once.
    fn settle(&mut self) {
        for _ in 0..2 {
            self.pass_ms(1_000);
        }
    }

    fn enters(&mut self, name: &str, token: u128) -> MemberId {
        enters(&mut self.hub, name, token, self.now)
    }

    fn renames(&mut self, id: MemberId, name: &str) {
        let reply = self.hub.rename(id, name, self.now);
        assert!(reply.is_ok(), "{reply:?}");
        self.hub.reply(id, reply, None);
    }

    /// Arrivals, departures and renames that the witness was sent, in short.
    fn received(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        loop {
            self.hub.skip_lost(self.witness);
            let gathered = self.hub.gather(self.witness).slices().concat();
            bytes.extend_from_slice(&gathered);
            if self.hub.advance(self.witness, gathered.len()) {
                break;
            }
        }
        let short = |payload: Vec<u8>| match Event::from_json(&payload).expect("an event") {
            Event::Joined(presence) => Some(format!("+{}", presence.names.join(","))),
            Event::Left(presence) => Some(format!("-{}", presence.names.join(","))),
            Event::Renamed(renamed) => Some(format!("{}={}", renamed.from, renamed.to)),
            _ => None,
        };
        payloads(&bytes).into_iter().filter_map(short).collect()
    }
}

fn enters(hub: &mut Hub, name: &str, token: u128, now: Now) -> MemberId {
    let login = ConnectInfo {
        connection: hub.len(),
        token,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        link: LinkFacts::PLAINTEXT,
        now,
    };
    let hello = Hello { name: name.into(), ..Hello::default() };
    match hub.enter_event(&hello, None, NameHolder::Unasked, login).expect("enters") {
        LoginOutcome::As(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_of_name_does_not_overtake_who_went() {
    let mut world = World::new();
    let (bob, carol) = (world.enters("bob", 1), world.enters("carol", 2));
    world.settle();
    let _first = world.enters("first", 3);
    world.received();
    world.hub.depart(bob, world.now);
    world.renames(carol, "bob");
    world.settle();
    assert_eq!(world.received(), ["-bob", "carol=bob"]);
}

#[test]
fn a_change_of_name_does_not_overtake_who_came() {
    let mut world = World::new();
    let _first = world.enters("first", 3);
    let carol = world.enters("carol", 2);
    world.renames(carol, "caroline");
    world.renames(carol, "carol");
    world.settle();
    assert_eq!(world.received(), ["+first", "+carol", "carol=caroline", "caroline=carol"]);
}

#[test]
fn a_rename_announces_no_other_departure_early() {
    let mut world = World::new();
    let (bob, carol) = (world.enters("bob", 1), world.enters("carol", 2));
    world.settle();
    let _first = world.enters("first", 3);
    world.received();
    for n in 0..5 {
        world.renames(carol, &format!("carol{n}"));
    }
    world.hub.depart(bob, world.now);
    world.renames(carol, "carol");
    assert_eq!(world.received().len(), 6, "the batch of others keeps its time");
    world.pass_ms(250);
    assert_eq!(world.received(), ["-bob"]);
}

#[test]
fn another_owner_of_a_name_is_announced_and_the_same_is_not() {
    let mut world = World::new();
    let carl = world.enters("carl", 1);
    world.settle();
    let _first = world.enters("first", 3);
    world.received();
    world.hub.depart(carl, world.now);
    let back = world.enters("carl", 1);
    world.pass_ms(250);
    assert_eq!(world.received(), [""; 0], "the same client was never away for anybody");
    let _second = world.enters("second", 4);
    world.received();
    world.hub.depart(back, world.now);
    let _other = world.enters("carl", 2);
    world.pass_ms(250);
    assert_eq!(world.received(), ["-carl", "+carl"]);
}

#[test]
fn a_reply_reaches_the_writer_and_no_namesake() {
    let mut world = World::new();
    let witness = world.witness;
    let replies = |world: &World| world.hub.check_reply(witness, "CARL").map_err(|refused| refused.text);
    let carl = world.enters("carl", 1);
    assert!(replies(&world).is_err_and(|text| text.contains("has not written")));
    world.hub.send_direct(carl, "witness", "it is me", None, world.now).expect("sent");
    assert_eq!(replies(&world), Ok(()));
    world.renames(carl, "caroline");
    let other = world.enters("carl", 2);
    assert!(replies(&world).is_err_and(|text| text.contains("/msg carl TEXT")));
    world.hub.depart(carl, world.now);
    world.hub.depart(other, world.now);
    assert!(replies(&world).is_err());
    world.enters("carl", 1);
    assert_eq!(replies(&world), Ok(()), "the same client, on another connection");
}
