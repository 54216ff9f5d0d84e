//! While a member is sent the past, what is new is held back from it, and logs' tails may pass it
//! there: whatever it sends, joins and leaves meanwhile, it is sent each message once and in order,
//! its own with their `ref`, and gets a `gap` only for a room it left.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use glassline_hub::{ConnectInfo, Hub, LoginOutcome, MemberId, NameHolder, Now, PendingQuestion, Reply, Rules};
use glassline_testkit::frame::payloads;
use glassline_wire::envelope::Envelope;
use glassline_wire::event::{Event, Message};
use glassline_wire::history::{Answer, EntryContent, Head, Page, Question, ReadError};
use glassline_wire::link::LinkFacts;
use glassline_wire::message_id::MessageId;
use glassline_wire::request::{Hello, HistoryRange, Send};
use glassline_wire::timestamp::Timestamp;
use proptest::prelude::*;

const NOW: Now = Now { monotonic_ms: 0, at: Timestamp { unix_ms: 1_700_000_000_000 } };
const ROOMS: [&str; 3] = ["lobby", "den", "attic"];
/// Number of messages that bob has when he comes back, and of all messages, in each room.
const SEEN: u64 = 7;
const NEWEST: u64 = 9;

/// Alice, who is in all rooms and reads; bob, who comes back; and the history, which answers on
/// request.
struct World {
    hub: Hub,
    alice: MemberId,
    bob: MemberId,
    /// Newest number that bob had of each room when he came back.
    since: BTreeMap<String, u64>,
    stored: BTreeMap<&'static str, Vec<Message>>,
    /// The refs of bob's messages, by room and number.
    refs: BTreeMap<(&'static str, u64), String>,
    said: u64,
    received: Vec<u8>,
    /// Bob reads whatever he is sent at once.
    reads_at_once: bool,
}

fn enter(hub: &mut Hub, connection: usize, hello: &Hello) -> MemberId {
    let login = ConnectInfo {
        connection,
        token: connection as u128 + 1,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        link: LinkFacts::PLAINTEXT,
        now: NOW,
    };
    match hub.enter_event(hello, None, NameHolder::Unasked, login).expect("enters") {
        LoginOutcome::As(id) => id,
        other => panic!("{other:?}"),
    }
}

fn stored(room: &str, seq: u64) -> Message {
    Message {
        room: room.into(),
        seq: Some(seq),
        at: Some(NOW.at),
        from: "eve".into(),
        text: "before".into(),
        action: false,
        id: None,
        sealed: None,
    }
}

impl World {
    /// Bob has come back to all rooms; those of `missed` have new messages.
    fn new(missed: &[&str], send_queue_bytes_max: usize) -> Self {
        let rules = Rules { durable: true, replay: 0, log_bytes_max: 70_000, send_queue_bytes_max, ..Rules::default() };
        let mut hub = Hub::new(rules);
        hub.resume_lobby(NEWEST);
        assert!(!hub.knows_rooms(0, ROOMS));
        while let Some(PendingQuestion { ticket, question: Question::Head(_), .. }) = hub.next_question() {
            hub.answer(ticket, Ok(Answer::Head(Head { oldest: 1, newest: NEWEST, newest_is_sealed: Some(false) })));
        }
        let everywhere = |name: &str, since| Hello {
            name: name.into(),
            rooms: Some(ROOMS.map(str::to_string).into()),
            since,
            ..Hello::default()
        };
        let alice = enter(&mut hub, 0, &everywhere("alice", None));
        let seen = |room: &str| if missed.contains(&room) { SEEN } else { NEWEST };
        let since: BTreeMap<_, _> = ROOMS.map(|room| (room.to_string(), seen(room))).into();
        let bob = enter(&mut hub, 1, &everywhere("bob", Some(since.clone())));
        let stored = ROOMS.map(|room| (room, (1..=NEWEST).map(|seq| stored(room, seq)).collect())).into();
        let (refs, received) = (BTreeMap::new(), Vec::new());
        Self { hub, alice, bob, since, stored, refs, said: 0, received, reads_at_once: true }
    }

    /// Sends a message of so many bytes, which is stored at once; alice receives it.
    fn say(&mut self, who: MemberId, room: &'static str, bytes: usize, with_ref: bool) {
        self.said += 1;
        let send = Send {
            room: room.into(),
            text: "x".repeat(bytes),
            id: MessageId(self.said.into()),
            after: None,
            action: false,
            sealed: None,
        };
        let reference = with_ref.then(|| self.said.to_string());
        let reply = self.hub.say(who, &send, reference.clone(), NOW).expect("taken");
        self.hub.reply(who, Ok(reply), reference.clone());
        let pending = self.hub.take_pending_records().pop().expect("a record");
        let stored = self.stored.get_mut(room).expect("a room");
        let seq = stored.len() as u64 + 1;
        let entry = pending.record.committed(pending.ticket, seq);
        let EntryContent::Message(message) = &entry.content else { panic!("a message") };
        stored.push(message.clone());
        assert!(self.hub.committed(entry));
        if let Some(reference) = reference {
            self.refs.insert((room, seq), reference);
        }
        Self::write(&mut self.hub, self.alice, usize::MAX);
        if self.reads_at_once {
            self.read(usize::MAX);
        }
    }

    /// Sends so much to a room that its log's tail passes every member held there.
    fn flood(&mut self, room: &'static str) {
        for _ in 0..20 {
            self.say(self.alice, room, 8_000, false);
        }
    }

    fn newest(&self, room: &str) -> u64 {
        self.stored[room].len() as u64
    }

    /// Writes to a member until it was sent all there is, or its socket took so many bytes.
    fn write(hub: &mut Hub, id: MemberId, bytes_max: usize) -> Vec<u8> {
        let mut written = Vec::new();
        loop {
            hub.skip_lost(id);
            let gathered = hub.gather(id).slices().concat();
            let taken = gathered.len().min(bytes_max - written.len());
            written.extend_from_slice(&gathered[..taken]);
            if hub.advance(id, taken) || written.len() == bytes_max {
                return written;
            }
        }
    }

    fn read(&mut self, bytes_max: usize) {
        let written = Self::write(&mut self.hub, self.bob, bytes_max);
        self.received.extend(written);
    }

    /// Answers the oldest question with a page of at most so many messages; with 0, it took too
    /// long. False if there is none.
    fn answer(&mut self, messages_max: usize) -> bool {
        let Some(PendingQuestion { ticket, question, .. }) = self.hub.next_question() else { return false };
        let Question::Range(HistoryRange { room, after: Some(after), before: Some(before), .. }) = question else {
            panic!("{question:?}")
        };
        assert!(after + 1 < before, "there is nothing to read between {after} and {before}");
        let mut messages = self.stored[room.as_str()][after as usize..before as usize - 1].to_vec();
        let more = messages.len() > messages_max;
        messages.truncate(messages_max);
        let page = Answer::Page(Page { messages, more });
        self.hub.answer(ticket, if messages_max == 0 { Err(ReadError::TooSlow("later".into())) } else { Ok(page) });
        true
    }

    fn render_all(&mut self) {
        loop {
            self.read(usize::MAX);
            if !self.answer(6) {
                break;
            }
        }
        assert!(!self.hub.is_replaying(self.bob));
        self.read(usize::MAX);
    }

    fn bob_is_in(&self, room: &str) -> bool {
        self.hub.members_of(self.bob, room).is_ok()
    }

    fn leave(&mut self, room: &'static str) {
        self.hub.leave(self.bob, room, NOW).expect("leaves");
        self.hub.send(self.bob, Event::notice(format!("left {room} {}", self.newest(room))));
    }

    fn join(&mut self, room: &'static str) {
        let joined = self.hub.join(self.bob, room, NOW).expect("joins");
        assert!(matches!(joined, Reply::Joined { is_new: true, .. }));
        self.hub.send(self.bob, Event::notice(format!("joined {room} {}", self.newest(room))));
    }

    fn events(&self) -> Vec<Envelope<Event>> {
        let payloads = payloads(&self.received).into_iter();
        payloads.map(|payload| Envelope::<Event>::from_json(&payload).expect("an event")).collect()
    }

    /// Returns the events that bob was sent, in short: `den 7` for message 7, `den gap 1-2`, `den
    /// ack 7` with a ref.
    fn received(&self) -> Vec<String> {
        let short = |Envelope { content, reference }| match content {
            Event::Message(Message { room, seq: Some(seq), .. }) => {
                Some(format!("{room} {}{seq}", if reference.is_some() { "ack " } else { "" }))
            }
            Event::Gap(gap) => Some(format!("{} gap {}-{}", gap.room, gap.from, gap.to)),
            Event::Notice(notice) => Some(notice.text),
            _ => None,
        };
        self.events().into_iter().filter_map(short).collect()
    }

    /// … and of one room alone.
    fn received_in(&self, room: &str) -> Vec<String> {
        let received = self.received().into_iter();
        received.filter_map(|line| line.strip_prefix(&format!("{room} ")).map(str::to_string)).collect()
    }
}

fn numbers(from: u64, to: u64) -> impl Iterator<Item = String> {
    (from..=to).map(|seq| seq.to_string())
}

#[test]
fn an_own_message_among_passed_ones_comes_once_with_its_ref() {
    let mut world = World::new(&["lobby"], 256 << 10);
    world.say(world.alice, "lobby", 10, false);
    for _ in 0..2 {
        world.say(world.bob, "lobby", 10, true);
    }
    world.flood("lobby");
    world.say(world.bob, "lobby", 10, true);
    world.flood("lobby");
    world.render_all();
    let acks = [11, 12, 33].map(|seq| format!("ack {seq}"));
    let expected: Vec<String> = numbers(8, 10)
        .chain(acks[..2].iter().cloned())
        .chain(numbers(13, 32))
        .chain([acks[2].clone()])
        .chain(numbers(34, 53))
        .collect();
    assert_eq!(world.received_in("lobby"), expected);
}

#[test]
fn own_messages_in_unreadable_parts_are_acked_between_gaps() {
    let mut world = World::new(&["lobby"], 256 << 10);
    world.say(world.bob, "lobby", 10, true);
    world.flood("lobby");
    world.say(world.bob, "lobby", 10, true);
    while let Some(question) = world.hub.next_question() {
        world.hub.answer(question.ticket, Err(ReadError::Unreadable("broken".into())));
        world.read(usize::MAX);
    }
    assert_eq!(world.received_in("lobby"), ["gap 8-9", "ack 10", "gap 11-30", "ack 31"]);
}

#[test]
fn what_passes_between_two_pages_is_sent_as_well() {
    let mut world = World::new(&["lobby"], 256 << 10);
    assert!(world.answer(1));
    world.flood("lobby");
    world.render_all();
    let expected: Vec<String> = numbers(8, 29).collect();
    assert_eq!(world.received_in("lobby"), expected);
}

#[test]
fn messages_passed_between_two_other_holds_are_sent_as_well() {
    let mut world = World::new(&["lobby"], 256 << 10);
    world.flood("lobby");
    // What bob sends to the den comes behind what passed in the lobby, and before what passed in
    // the attic.
    world.say(world.bob, "lobby", 10, true);
    world.say(world.bob, "den", 10, true);
    world.say(world.bob, "attic", 10, true);
    world.flood("attic");
    assert!(world.answer(6));
    world.flood("den");
    world.render_all();
    let expected: Vec<String> = ["ack 10".to_string()].into_iter().chain(numbers(11, 30)).collect();
    assert_eq!(world.received_in("den"), expected);
    assert_eq!(world.received_in("attic"), expected);
    let expected: Vec<String> = numbers(8, 29).chain(["ack 30".to_string()]).collect();
    assert_eq!(world.received_in("lobby"), expected);
}

#[test]
fn who_leaves_a_room_reads_on_in_the_others() {
    // The room left is the one whose past is being paid, or one that is passed like the others.
    for left in ["lobby", "den"] {
        let mut world = World::new(&["lobby"], 256 << 10);
        world.say(world.bob, "den", 10, true);
        world.flood("den");
        world.flood("attic");
        world.leave(left);
        world.render_all();
        let expected: Vec<String> = numbers(10, 29).collect();
        assert_eq!(world.received_in("attic"), expected);
        if left == "lobby" {
            assert_eq!(world.received_in("lobby"), ["gap 8-9"]);
            let expected: Vec<String> = ["ack 10".to_string()].into_iter().chain(numbers(11, 30)).collect();
            assert_eq!(world.received_in("den"), expected);
        } else {
            assert_eq!(world.received_in("lobby"), ["8", "9"]);
            let received = world.received_in("den");
            assert_eq!(received[0], "ack 10");
            assert!(received[1].starts_with("gap 11-"), "{received:?}");
        }
    }
}

#[test]
fn the_pending_past_of_a_room_that_is_left_is_gaps_in_place() {
    let mut world = World::new(&["lobby"], 256 << 10);
    world.flood("attic");
    world.flood("den");
    world.say(world.bob, "den", 10, true);
    world.flood("den");
    // The replay of the lobby is over, and now both other rooms are replayed.
    assert!(world.answer(6));
    world.leave("den");
    world.render_all();
    assert_eq!(world.received_in("den"), ["gap 10-29", "ack 30", "gap 31-50"]);
    let expected: Vec<String> = numbers(10, 29).collect();
    assert_eq!(world.received_in("attic"), expected);
}

#[derive(Debug, Clone)]
enum Step {
    Say { bob: bool, room: usize, bytes: usize, with_ref: bool },
    Flood { room: usize },
    Read { bytes: usize },
    Answer { messages_max: usize },
    Move { room: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let room = 0..ROOMS.len();
    let step = prop_oneof![
        6 => (any::<bool>(), room.clone(), 1..9_000_usize, any::<bool>())
            .prop_map(|(bob, room, bytes, with_ref)| Step::Say { bob, room, bytes, with_ref }),
        3 => room.clone().prop_map(|room| Step::Flood { room }),
        4 => (0..60_000_usize).prop_map(|bytes| Step::Read { bytes }),
        4 => (0..7_usize).prop_map(|messages_max| Step::Answer { messages_max }),
        1 => room.prop_map(|room| Step::Move { room }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// Follows what bob received, number by number.
fn check(world: &World) -> Result<(), TestCaseError> {
    let mut reached = world.since.clone();
    // Rooms with a reported gap, and which bob has not left since.
    let mut gaps = BTreeSet::new();
    for Envelope { content, reference } in world.events() {
        match content {
            Event::Message(message) => {
                let room = message.room.as_str();
                let next = reached.get_mut(room).expect("a room that bob is in");
                *next += 1;
                prop_assert_eq!(message.seq, Some(*next), "in {}", room);
                let room = ROOMS.into_iter().find(|&known| known == room).expect("a room");
                prop_assert_eq!(message.text.len(), world.stored[room][*next as usize - 1].text.len());
                prop_assert_eq!(reference.as_ref(), world.refs.get(&(room, *next)), "{} in {}", next, room);
            }
            Event::Gap(gap) => {
                let next = reached.get_mut(&gap.room).expect("a room that bob is in");
                prop_assert_eq!(gap.from, *next + 1, "in {}", &gap.room);
                *next = gap.to;
                gaps.insert(gap.room);
            }
            Event::Notice(notice) => {
                let [verb, room, seq] = notice.text.split(' ').collect::<Vec<_>>()[..] else { continue };
                let seq: u64 = seq.parse().expect("a number");
                gaps.remove(room);
                if verb == "left" {
                    prop_assert_eq!(reached.remove(room), Some(seq), "what was said before in {}", room);
                } else {
                    reached.insert(room.to_string(), seq);
                }
            }
            _ => {}
        }
    }
    prop_assert!(!world.reads_at_once || gaps.is_empty(), "gaps in {:?}, where bob is", gaps);
    for (room, seq) in reached {
        prop_assert_eq!(seq, world.newest(&room), "all of {}", room);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_message_comes_once_in_order_and_only_losses_are_gaps(
        steps in steps(),
        missed_rooms in 1..=ROOMS.len(),
        send_queue_bytes_max in 20_000..200_000_usize,
        reads_at_once in any::<bool>(),
    ) {
        let mut world = World::new(&ROOMS[..missed_rooms], send_queue_bytes_max);
        world.reads_at_once = reads_at_once;
        for step in steps {
            match step {
                Step::Say { bob, room, bytes, with_ref } if bob && world.bob_is_in(ROOMS[room]) => {
                    world.say(world.bob, ROOMS[room], bytes, with_ref);
                }
                Step::Say { room, bytes, .. } => world.say(world.alice, ROOMS[room], bytes, false),
                Step::Flood { room } => world.flood(ROOMS[room]),
                Step::Read { .. } if reads_at_once => world.read(usize::MAX),
                Step::Read { bytes } => world.read(bytes),
                Step::Answer { messages_max } => {
                    world.answer(messages_max);
                }
                Step::Move { room } if world.bob_is_in(ROOMS[room]) => world.leave(ROOMS[room]),
                Step::Move { room } => world.join(ROOMS[room]),
            }
            if reads_at_once {
                world.read(usize::MAX);
            }
        }
        world.render_all();
        check(&world)?;
    }
}
